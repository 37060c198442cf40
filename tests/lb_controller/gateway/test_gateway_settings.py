from __future__ import annotations

from typing import Any

import pytest

from testbed.lb_controller.core.build_inputs import BuildError
from testbed.lb_controller.core.stack import LoadBalancer, Stack
from testbed.lb_controller.gateway.gateway_settings import merged
from tests.lb_controller.gateway.examples import (
    Json,
    configuration,
    gateway,
    gateway_class,
    listener,
    service,
)
from tests.lb_controller.gateway.stacks import built


def stack(*more: Json, controller: str = "alb", **settings: Any) -> Stack:
    return built(gateway_class(controller), configuration(**settings), gateway(), service(), *more)


def balancer(**settings: Any) -> LoadBalancer:
    found = stack(**settings).load_balancer
    assert found
    return found


def test_a_gateway_is_internal_and_named_after_its_uid() -> None:
    internal, public = balancer(), balancer(scheme="internet-facing")
    assert internal.scheme == "internal"
    assert internal.name.startswith("k8s-shop-edge-")
    assert internal.name != public.name
    again = gateway()
    again["metadata"]["uid"] = "u-2"
    other = built(gateway_class(), configuration(), again).load_balancer
    assert other
    assert other.name != internal.name


def test_the_class_wins_unless_it_says_otherwise() -> None:
    of_class = configuration("of-class", scheme="internet-facing", tags={"a": "class"})
    reference = {"kind": "LoadBalancerConfiguration", "name": "of-class", "namespace": "shop"}
    base = (gateway(), configuration(scheme="internal", tags={"a": "own", "b": "own"}))
    found = built(gateway_class(parametersRef=reference), of_class, *base).load_balancer
    assert found
    assert (found.scheme, found.tags) == ("internet-facing", {"a": "class", "b": "own"})
    of_class["spec"]["mergingMode"] = "prefer-gateway"
    found = built(gateway_class(parametersRef=reference), of_class, *base).load_balancer
    assert found
    assert (found.scheme, found.tags) == ("internal", {"a": "own", "b": "own"})


def test_lists_are_merged_by_their_keys() -> None:
    weak = {"loadBalancerAttributes": [{"key": "a", "value": "1"}, {"key": "b", "value": "1"}]}
    strong = {"loadBalancerAttributes": [{"key": "b", "value": "2"}]}
    assert merged(weak, strong)["loadBalancerAttributes"] == [
        {"key": "a", "value": "1"}, {"key": "b", "value": "2"},
    ]  # fmt: skip


def test_the_security_group_admits_the_ports_of_all_listeners() -> None:
    two = gateway(listener(), listener("http", 80, "HTTP"))
    base = (gateway_class(), configuration(sourceRanges=["192.0.2.0/24"], enableICMP=True))
    (group,) = built(*base, two).security_groups
    assert {(one.ip_protocol, one.from_port, one.cidr) for one in group.ingress} == {
        ("tcp", 443, "192.0.2.0/24"), ("tcp", 80, "192.0.2.0/24"), ("icmp", 3, "192.0.2.0/24"),
    }  # fmt: skip


def test_without_a_security_group_only_an_nlb_can_be() -> None:
    assert stack(disableSecurityGroup=True, controller="nlb").security_groups == ()
    assert stack(disableSecurityGroup=True).security_groups


@pytest.mark.parametrize(
    "settings", [{"scheme": "public"}, {"loadBalancerName": "x" * 33}, {"securityGroups": ["unknown"]}]
)
def test_a_wrong_setting_refuses_the_gateway(settings: Json) -> None:
    with pytest.raises(BuildError):
        stack(**settings)
