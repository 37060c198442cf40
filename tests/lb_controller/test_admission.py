from __future__ import annotations

import pytest

from testbed.lb_controller import admission
from testbed.lb_controller.classes import IngressObjects
from testbed.lb_controller.inputs import BuildError, ControllerOptions
from tests.lb_controller.examples import ingress, path

NOTHING = IngressObjects()


def test_an_ingress_of_another_class_is_not_looked_at() -> None:
    item = ingress("a", path("/"), **{"conditions.web": "broken"})
    item["metadata"]["annotations"]["kubernetes.io/ingress.class"] = "nginx"

    admission.check(item, None, NOTHING, ControllerOptions())


def test_a_broken_condition_is_refused_before_it_gets_into_the_cluster() -> None:
    item = ingress("a", path("/"), **{"conditions.web": '[{"field": "source-ip"}]'})

    with pytest.raises(BuildError) as raised:
        admission.check(item, None, NOTHING, ControllerOptions())

    assert str(raised.value) == (
        "ignoring Ingress default/a since invalid alb.ingress.kubernetes.io/conditions.web annotation: "
        "missing sourceIPConfig"
    )


def test_new_groups_may_be_forbidden_while_old_ones_stay() -> None:
    strict = ControllerOptions(disable_ingress_group_annotation=True)
    item = ingress("a", path("/"), **{"group.name": "app"})

    admission.check(item, item, NOTHING, strict)
    with pytest.raises(BuildError) as raised:
        admission.check(item, None, NOTHING, strict)
    assert str(raised.value) == "new usage of `alb.ingress.kubernetes.io/group.name` annotation is forbidden"
