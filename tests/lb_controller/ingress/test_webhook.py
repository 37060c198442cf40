from __future__ import annotations

import pytest

from testbed.dated_releases import LB_CONTROLLER_RELEASES
from testbed.kubernetes import ObjectStore
from testbed.kubernetes.api_errors import Denied
from testbed.lb_controller.core.build_inputs import BuildError, ControllerOptions
from testbed.lb_controller.ingress import webhook
from testbed.lb_controller.ingress.ingress_classes import IngressObjects
from tests.lb_controller.examples import ingress, path

NOTHING = IngressObjects()


def test_an_ingress_of_another_class_is_not_looked_at() -> None:
    item = ingress("a", path("/"), **{"conditions.web": "broken"})
    item["metadata"]["annotations"]["kubernetes.io/ingress.class"] = "nginx"

    webhook.check(item, None, NOTHING, ControllerOptions())


def test_a_broken_condition_is_refused_before_it_gets_into_the_cluster() -> None:
    item = ingress("a", path("/"), **{"conditions.web": '[{"field": "source-ip"}]'})

    with pytest.raises(BuildError) as raised:
        webhook.check(item, None, NOTHING, ControllerOptions())

    assert str(raised.value) == (
        "ignoring Ingress default/a since invalid alb.ingress.kubernetes.io/conditions.web annotation: "
        "missing sourceIPConfig"
    )


def test_new_groups_may_be_forbidden_while_old_ones_stay() -> None:
    strict = ControllerOptions(disable_ingress_group_annotation=True)
    item = ingress("a", path("/"), **{"group.name": "app"})

    webhook.check(item, item, NOTHING, strict)
    with pytest.raises(BuildError) as raised:
        webhook.check(item, None, NOTHING, strict)
    assert str(raised.value) == "new usage of `alb.ingress.kubernetes.io/group.name` annotation is forbidden"


@pytest.fixture
def store() -> ObjectStore:
    made = ObjectStore()
    made.webhooks.append(webhook.webhook(made, ControllerOptions()))
    return made


def test_a_refused_ingress_leaves_the_old_one_in_the_cluster(store: ObjectStore) -> None:
    good = store.put(ingress("a", path("/")))
    with pytest.raises(Denied) as raised:
        store.put(ingress("a", path("/"), **{"conditions.web": '[{"field": "source-ip"}]'}))
    assert str(raised.value) == (
        'admission webhook "vingress.elbv2.k8s.aws" denied the request: ignoring Ingress default/a since '
        "invalid alb.ingress.kubernetes.io/conditions.web annotation: missing sourceIPConfig"
    )
    assert store.get("Ingress", "default", "a") == good


def test_a_class_that_does_not_exist_is_refused(store: ObjectStore) -> None:
    item = ingress("a", path("/"))
    item["metadata"]["annotations"] = {}
    item["spec"]["ingressClassName"] = "absent"
    with pytest.raises(Denied, match="absent"):
        store.put(item)


def test_the_controller_of_2020_is_not_asked() -> None:
    store = ObjectStore()
    store.webhooks.append(webhook.webhook(store, ControllerOptions(release=LB_CONTROLLER_RELEASES.oldest)))
    store.put(ingress("a", path("/"), **{"conditions.web": "broken"}))
    assert store.get("Ingress", "default", "a")
