from __future__ import annotations

from typing import Any

import pytest

from testbed.aws.elbv2_action_refusals import Group, refused_actions, refused_groups

FORWARD = {"Type": "forward", "TargetGroupArn": "a"}
LOGIN = {"Type": "authenticate-oidc"}
BALANCER = "arn:aws:elasticloadbalancing:r:1:loadbalancer/app/web/1"


def code(actions: list[Any], protocol: str = "HTTPS") -> str:
    found = refused_actions(actions, protocol)
    return found.code if found else ""


def test_a_rule_ends_with_one_answer_whatever_comes_before_it() -> None:
    assert code([LOGIN, FORWARD]) == ""
    assert code([LOGIN]) == "InvalidLoadBalancerAction"
    assert code([FORWARD, {"Type": "fixed-response"}]) == "InvalidLoadBalancerAction"


def test_an_nlb_only_forwards() -> None:
    assert code([FORWARD], "TCP") == ""
    assert code([{"Type": "fixed-response"}], "TLS") == "InvalidLoadBalancerAction"


@pytest.mark.parametrize(
    ("config", "is_taken"),
    [
        ({}, False),
        ({"Query": "a=b"}, False),
        ({"Port": "#{port}", "Path": "/#{path}"}, False),
        ({"Path": "/new/#{path}"}, True),
        ({"Protocol": "HTTPS"}, True),
    ],
)
def test_a_redirect_changes_more_than_the_query(config: dict[str, str], is_taken: bool) -> None:
    assert (code([{"Type": "redirect", "RedirectConfig": config}]) == "") is is_taken


@pytest.mark.parametrize(("weights", "wanted"), [(["0", "999"], ""), (["1000"], "ValidationError")])
def test_weights_are_0_to_999(weights: list[str], wanted: str) -> None:
    groups = [{"TargetGroupArn": "a", "Weight": weight} for weight in weights]
    assert code([{"Type": "forward", "ForwardConfig": {"TargetGroups": groups}}]) == wanted


@pytest.mark.parametrize(
    ("listener", "group", "wanted"),
    [
        ("HTTPS", "HTTP", ""),
        ("HTTP", "HTTPS", ""),
        ("HTTP", "TCP", "IncompatibleProtocols"),
        ("TLS", "TCP", ""),
        ("TCP", "TLS", "IncompatibleProtocols"),
        ("TCP", "HTTP", "IncompatibleProtocols"),
        ("TCP_UDP", "TCP_UDP", ""),
    ],
)
def test_a_group_speaks_the_kind_of_protocol_of_its_listener(listener: str, group: str, wanted: str) -> None:
    found = refused_groups([Group("a", group, "", "ip")], listener, BALANCER)
    assert (found.code if found else "") == wanted


def test_a_function_is_behind_an_alb_only() -> None:
    function = Group("a", "", "", "lambda")
    assert refused_groups([function], "HTTP", BALANCER) is None
    assert refused_groups([function], "TCP", BALANCER) is not None


def test_a_group_belongs_to_one_balancer() -> None:
    assert refused_groups([Group("a", "HTTP", "", "ip", [BALANCER])], "HTTP", BALANCER) is None
    found = refused_groups([Group("a", "HTTP", "", "ip", ["another"])], "HTTP", BALANCER)
    assert found is not None
    assert found.code == "TargetGroupAssociationLimit"
