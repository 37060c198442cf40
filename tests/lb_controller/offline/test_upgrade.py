from __future__ import annotations

from typing import Any

import pytest

from testbed.dated_releases import LB_CONTROLLER_RELEASES
from testbed.lb_controller.core.build_inputs import ControllerOptions
from testbed.lb_controller.offline.upgrade import Upgrade, upgrade
from tests.lb_controller.offline.edits_of_a_shop import ingress, nlb, read


def of(text: str, old: str, new: str, **flags: Any) -> Upgrade:
    first, second = (ControllerOptions(release=LB_CONTROLLER_RELEASES[tag], **flags) for tag in (old, new))
    return upgrade(read(text), first, second)


def actions(found: Upgrade) -> list[str]:
    return [one.write.action for one in found.edit.calls]


@pytest.mark.parametrize("tag", ["v2.1.3", "v2.8.3", "v3.5.0"])
def test_a_restart_of_the_same_release_changes_nothing(tag: str) -> None:
    found = of(ingress(target_type="ip"), tag, tag)
    assert actions(found) == []
    assert found.to_json()["facts"] == {"came": [], "went": []}
    assert (found.annotations, found.gates, found.iam_actions) == ((), {}, {})


def test_a_restart_opens_the_range_of_the_first_binding_until_all_are_known() -> None:
    found = of(ingress(target_type="ip") + nlb(), "v3.5.0", "v3.5.0")
    assert [(one.write.action, one.subject) for one in found.edit.calls] == [
        ("AuthorizeSecurityGroupIngress", "the nodes"),
        ("RevokeSecurityGroupIngress", "the nodes"),
    ]


def test_an_annotation_that_begins_to_count_is_named_and_carried_out() -> None:
    text = ingress(minimum_load_balancer_capacity="CapacityUnits=100")
    found = of(text, "v2.8.3", "v2.13.4")
    (one,) = found.annotations
    assert (one.item, one.since, one.begins) == ("Ingress shop/web", "v2.11.0", True)
    assert one.key == "alb.ingress.kubernetes.io/minimum-load-balancer-capacity"
    assert "ModifyCapacityReservation" in actions(found)
    assert "elasticloadbalancing:ModifyCapacityReservation" in found.iam_actions


def test_the_way_back_ends_what_the_upgrade_began() -> None:
    text = ingress(minimum_load_balancer_capacity="CapacityUnits=100")
    there, back = of(text, "v2.8.3", "v3.5.0"), of(text, "v3.5.0", "v2.8.3")
    assert [one.begins for one in back.annotations] == [False]
    assert there.facts["came"] == back.facts["went"] != ()
    assert back.iam_actions == {}
    assert there.gates.keys() == back.gates.keys()


def test_the_shared_security_group_comes_with_v2_3_and_no_rule_of_another_balancer_goes_too_early() -> None:
    found = of(ingress(target_type="ip") + ingress("api", target_type="ip"), "v2.1.3", "v3.5.0")
    made = actions(found)
    assert made.count("SetSecurityGroups") == 2
    assert max(place for place, one in enumerate(made) if one == "SetSecurityGroups") < made.index(
        "RevokeSecurityGroupIngress"
    )


def test_a_service_of_a_class_gets_its_nlb_with_the_release_that_knows_classes() -> None:
    found = of(nlb(), "v2.1.3", "v2.4.0")
    assert "CreateLoadBalancer" in actions(found)
    assert found.edit.names["Service shop/edge"][0] == ""


def test_what_cannot_be_built_any_more_is_a_failure() -> None:
    text = ingress(target_type="instance").replace("type: NodePort, ", "type: ClusterIP, ")
    found = of(text, "v2.8.3", "v3.5.0")
    assert "TargetGroup port is empty" in found.edit.failures[0]
