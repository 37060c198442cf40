from __future__ import annotations

import pytest

from testbed.aws import elbv2_refusals
from testbed.aws.elbv2_refusals import Listener


def conditions(**values: list[str]) -> dict[str, str]:
    fields = {"host": "HostHeaderConfig", "path": "PathPatternConfig", "source": "SourceIpConfig"}
    return {
        f"Conditions.member.{number}.{fields[name]}.Values.member.{index}": value
        for number, (name, listed) in enumerate(values.items(), start=1)
        for index, value in enumerate(listed, start=1)
    }


def message(refusal: elbv2_refusals.Refusal | None) -> str:
    return refusal.message if refusal else ""


def test_a_rule_has_five_condition_values_over_all_its_conditions() -> None:
    assert not elbv2_refusals.refused_conditions(conditions(host=["a.b", "c.d"], path=["/a", "/b", "/c"]))
    refused = elbv2_refusals.refused_conditions(
        conditions(host=["a.b", "c.d"], path=["/a", "/b", "/c", "/d"])
    )
    assert message(refused) == "A rule can only have '5' condition values"


def test_a_query_parameter_is_one_value_with_its_key() -> None:
    prefix = "Conditions.member.1.QueryStringConfig.Values.member"
    pairs = {f"{prefix}.{n}.{part}": "x" for n in range(1, 6) for part in ("Key", "Value")}
    assert not elbv2_refusals.refused_conditions(pairs)
    assert elbv2_refusals.refused_conditions({**pairs, f"{prefix}.6.Value": "x"})


def test_a_rule_has_five_wildcards() -> None:
    assert not elbv2_refusals.refused_conditions(conditions(path=["/*/?", "/*/*", "/*"]))
    assert "wildcards" in message(
        elbv2_refusals.refused_conditions(conditions(path=["/*/?", "/*/*", "/*/*"]))
    )


def test_escaped_wildcards_are_none() -> None:
    key = "Conditions.member.1.QueryStringConfig.Values.member.1.Value"
    assert not elbv2_refusals.refused_conditions({key: r"\*\*\*\?\?\?"})


def test_the_short_form_of_values_counts_too() -> None:
    form = {f"Conditions.member.{n}.Values.member.1": "/x" for n in range(1, 7)}
    assert elbv2_refusals.refused_conditions(form)


def test_a_balancer_has_a_hundred_rules() -> None:
    assert not elbv2_refusals.refused_count(99)
    refused = elbv2_refusals.refused_count(100)
    assert refused
    assert refused.code == "TooManyRules"


@pytest.mark.parametrize("version", ["GRPC", "HTTP2"])
def test_groups_of_grpc_and_http2_need_https(version: str) -> None:
    assert not elbv2_refusals.refused_versions("HTTPS", [version])
    refused = elbv2_refusals.refused_versions("HTTP", ["HTTP1", version])
    assert message(refused) == (
        f"Listener protocol 'HTTP' is not supported with a target group with the protocol-version '{version}'"
    )


def test_target_groups_are_found_in_simple_and_weighted_forwards() -> None:
    form = {
        "Actions.member.1.TargetGroupArn": "a",
        "DefaultActions.member.1.ForwardConfig.TargetGroups.member.1.TargetGroupArn": "b",
        "DefaultActions.member.1.ForwardConfig.TargetGroups.member.1.Weight": "1",
    }
    assert elbv2_refusals.target_groups(form) == ["a", "b"]


def test_a_port_belongs_to_one_listener() -> None:
    others = [Listener("lb", "HTTP", "80")]
    assert not elbv2_refusals.refused_listener({"Protocol": "HTTP", "Port": "81"}, "lb", others)
    refused = elbv2_refusals.refused_listener({"Protocol": "HTTP", "Port": "80"}, "lb", others)
    assert refused
    assert refused.code == "DuplicateListener"


def test_an_https_listener_needs_a_certificate() -> None:
    assert elbv2_refusals.refused_listener({"Protocol": "HTTPS", "Port": "443"}, "lb", [])


@pytest.mark.parametrize(
    ("version", "field", "codes", "is_taken"),
    [
        ("GRPC", "GrpcCode", "12", True),
        ("GRPC", "GrpcCode", "0,1,5-99", True),
        ("GRPC", "GrpcCode", "200", False),
        ("GRPC", "GrpcCode", "0-100", False),
        ("GRPC", "GrpcCode", "ok", False),
        ("HTTP1", "HttpCode", "200-499", True),
        ("HTTP1", "HttpCode", "500", False),
        ("", "HttpCode", "200-599", True),
        ("", "HttpCode", "200-600", False),
    ],
)
def test_success_codes_lie_in_the_range_of_their_protocol(
    version: str, field: str, codes: str, is_taken: bool
) -> None:
    refused = elbv2_refusals.refused_matcher({f"Matcher.{field}": codes}, version)
    assert (refused is None) is is_taken


def test_an_http_code_on_a_grpc_group_is_refused_in_the_words_of_aws() -> None:
    refused = elbv2_refusals.refused_matcher({"Matcher.GrpcCode": "200"}, "GRPC")
    assert message(refused) == "Health check matcher GRPC code '200' must be within '0-99' inclusive"


def test_a_protected_balancer_stays() -> None:
    assert not elbv2_refusals.refused_deletion("lb", {"deletion_protection.enabled": "false"})
    assert elbv2_refusals.refused_deletion("lb", {"deletion_protection.enabled": "true"})


@pytest.mark.parametrize(
    ("name", "value", "is_taken"),
    [
        ("idle_timeout.timeout_seconds", "4000", True),
        ("idle_timeout.timeout_seconds", "4001", False),
        ("idle_timeout.timeout_seconds", "1m", False),
        ("slow_start.duration_seconds", "0", True),
        ("slow_start.duration_seconds", "29", False),
        ("tcp.idle_timeout.seconds", "59", False),
        ("deletion_protection.enabled", "true", True),
    ],
)
def test_attributes_lie_in_their_ranges(name: str, value: str, is_taken: bool) -> None:
    form = {"Attributes.member.1.Key": name, "Attributes.member.1.Value": value}
    assert (elbv2_refusals.refused_numbers(form) is None) is is_taken


@pytest.mark.parametrize(
    ("kind", "protocol", "is_taken"),
    [("app", "HTTPS", True), ("app", "TCP", False), ("net", "TLS", True), ("net", "HTTP", False)],
)
def test_a_balancer_has_listeners_of_its_own_protocols(kind: str, protocol: str, is_taken: bool) -> None:
    arn = f"arn:aws:elasticloadbalancing:r:1:loadbalancer/{kind}/lb/1"
    assert (elbv2_refusals.refused_protocol(protocol, arn) is None) is is_taken


def test_a_rule_knows_its_listener() -> None:
    rule = "arn:aws:elasticloadbalancing:r:1:listener-rule/app/lb/1/2/3"
    assert elbv2_refusals.listener_of_rule(rule) == "arn:aws:elasticloadbalancing:r:1:listener/app/lb/1/2"
