from __future__ import annotations

import pytest

from testbed.lb_controller.core.build_inputs import (
    BuildError,
    ControllerOptions,
    ExistingLoadBalancer,
)
from testbed.lb_controller.core.feature_gates import Gate
from testbed.lb_controller.ingress import alb_settings
from tests.lb_controller.examples import SUBNETS, cluster, group, ingress

TAGS = {"elbv2.k8s.aws/cluster": "testbed", "ingress.k8s.aws/stack": "app"}


def test_an_existing_alb_keeps_its_subnets_while_its_scheme_stays() -> None:
    standing = ExistingLoadBalancer(arn="alb", scheme="internal", subnet_ids=("subnet-c",), tags=TAGS)
    known = cluster(existing=(standing,))

    kept, replaced = (
        alb_settings.subnet_mappings(group(ingress("a")), scheme, known, ControllerOptions())
        for scheme in ("internal", "internet-facing")
    )

    assert [one.subnet_id for one in kept] == ["subnet-c"]
    assert [one.subnet_id for one in replaced] == [one.id for one in SUBNETS]


def test_subnets_may_be_listed_in_another_order_but_not_differ() -> None:
    first, same = ingress("a", subnets="subnet-a,subnet-c"), ingress("b", subnets="subnet-c,subnet-a")
    other = ingress("c", subnets="subnet-a")
    options = ControllerOptions()

    assert alb_settings.subnet_mappings(group(first, same), "internal", cluster(), options)
    with pytest.raises(BuildError, match=r"conflicting subnets: \[subnet-a subnet-c\] \| \[subnet-a\]"):
        alb_settings.subnet_mappings(group(first, other), "internal", cluster(), options)


def test_a_name_must_not_be_too_long() -> None:
    named, newest = group(ingress("a", load_balancer_name="shop")), ControllerOptions()

    assert alb_settings.load_balancer_name(named, "internal", newest) == "shop"
    with pytest.raises(BuildError, match="load balancer name cannot be longer than 32 characters"):
        alb_settings.load_balancer_name(group(ingress("a", load_balancer_name="s" * 33)), "internal", newest)


def test_attributes_of_members_are_merged_and_those_of_the_class_settle_conflicts() -> None:
    ours, theirs = {"a": "1", "b": "2"}, {"b": "3"}

    assert alb_settings.merged_by_key([ours, theirs], {"b": "4"}, "attributes") == {"a": "1", "b": "4"}
    with pytest.raises(BuildError, match=r"conflicting attributes b: 2 \| 3"):
        alb_settings.merged_by_key([ours, theirs], {}, "attributes")


@pytest.mark.parametrize(
    ("capacity", "error"),
    [
        ("Units=5", "invalid key to set the capacity: Units, Expected key: CapacityUnits"),
        ("CapacityUnits=x", "invalid value to set the capacity: x"),
    ],
)
def test_a_wrong_capacity_is_refused(capacity: str, error: str) -> None:
    members = group(ingress("a", minimum_load_balancer_capacity=capacity)).members

    with pytest.raises(BuildError, match=error):
        alb_settings.minimum_capacity(members, ControllerOptions())
    off = ControllerOptions(feature_gates={Gate.LB_CAPACITY_RESERVATION.value: False})
    assert alb_settings.minimum_capacity(members, off) == {}
