"""The frontend NLB of a group, as the real controller built it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from testbed.dated_releases import LB_CONTROLLER_RELEASES
from testbed.lb_controller.core.build_inputs import BuildError, ControllerOptions, Group
from testbed.lb_controller.core.stack import FrontendNlb, Kind, Ref
from testbed.lb_controller.ingress import frontend_nlb
from testbed.lb_controller.ingress.alb_stack import build_ingress_group
from testbed.lb_controller.offline.vpc import Vpc
from tests.lb_controller.examples import cluster, group, ingress, path, service

HTTP_AND_HTTPS = '[{"HTTP": 80}, {"HTTPS": 443}]'
CERTIFICATE = "arn:aws:acm:us-east-1:123456789012:certificate/one"
V2_13_4 = ControllerOptions(release=LB_CONTROLLER_RELEASES["v2.13.4"])


def member(name: str = "api", **annotations: str) -> dict[str, Any]:
    wanted: dict[str, Any] = {"enable_frontend_nlb": "true", "target_type": "ip", **annotations}
    return ingress(name, path("/"), **{key: value for key, value in wanted.items() if value})


def built(members: Group, options: ControllerOptions | None = None) -> FrontendNlb:
    found = build_ingress_group(members, cluster(service()), options or ControllerOptions()).frontend_nlb
    assert found
    return found


def test_a_group_that_does_not_ask_for_one_gets_none() -> None:
    stack = build_ingress_group(
        group(member(enable_frontend_nlb="false")), cluster(service()), ControllerOptions()
    )
    assert stack.frontend_nlb is None


def test_each_port_of_the_alb_gets_a_listener_and_a_target_group_of_type_alb_at_the_nlb() -> None:
    found = built(group(member(listen_ports=HTTP_AND_HTTPS, certificate_arn=CERTIFICATE), name="g055001"))

    assert [(port.listener.port, port.listener.protocol, port.target_port) for port in found.ports] == [
        (80, "TCP", 80),
        (443, "TCP", 443),
    ]
    secure = found.ports[1]
    assert (secure.target_group.target_type, secure.target_group.port) == ("alb", 443)
    assert secure.target_group.name == "k8s-g055001-97b73206c9"  # as recorded
    (action,) = secure.listener.default_actions
    assert action.forward
    assert action.forward.target_groups[0].target_group == Ref(Kind.TARGET_GROUP, "FrontendNlb-tg-TCP-443")
    check = secure.target_group.health_check
    assert (check.protocol, check.port, check.path, check.interval_seconds) == (
        "HTTP",
        "traffic-port",
        "/",
        15,
    )


def test_the_nlb_is_internal_whatever_the_scheme_of_the_alb_and_shares_its_security_groups() -> None:
    stack = build_ingress_group(
        group(member(scheme="internet-facing"), name="g055001"), cluster(service()), ControllerOptions()
    )
    assert stack.load_balancer
    assert stack.frontend_nlb
    nlb = stack.frontend_nlb.load_balancer
    assert (nlb.name, nlb.type, nlb.scheme) == (f"{stack.load_balancer.name}-nlb", "network", "internal")
    assert nlb.security_groups == stack.load_balancer.security_groups


def test_a_name_that_would_be_too_long_is_cut_before_its_suffix() -> None:
    assert built(group(member(load_balancer_name="a" * 32))).load_balancer.name == "a" * 28 + "-nlb"


def test_with_a_port_mapping_only_the_listed_ports_are_at_the_nlb() -> None:
    ports = {"listen_ports": HTTP_AND_HTTPS, "certificate_arn": CERTIFICATE}
    found = built(group(member(frontend_nlb_listener_port_mapping="80=80", **ports)))
    assert [port.listener.port for port in found.ports] == [80]

    other = built(group(member(frontend_nlb_listener_port_mapping="8443=443", **ports)))
    assert [(port.listener.port, port.target_port) for port in other.ports] == [(8443, 443)]


def test_a_health_check_counts_for_the_ports_of_its_ingress_and_a_member_without_one_does_not_object() -> (
    None
):
    found = built(
        group(
            member("silent"),
            member("other", listen_ports='[{"HTTP": 8080}]'),
            member("checked", listen_ports='[{"HTTP": 80}]', frontend_nlb_healthcheck_path="/ok"),
        )
    )
    assert {port.listener.port: port.target_group.health_check.path for port in found.ports} == {
        80: "/ok",
        8080: "/",
    }


def test_all_settings_of_the_health_check_are_read() -> None:
    found = built(
        group(
            member(
                frontend_nlb_healthcheck_port="8080",
                frontend_nlb_healthcheck_protocol="HTTPS",
                frontend_nlb_healthcheck_success_codes="200-299",
                frontend_nlb_healthcheck_interval_seconds="10",
                frontend_nlb_healthcheck_timeout_seconds="3",
                frontend_nlb_healthcheck_healthy_threshold_count="4",
                frontend_nlb_healthcheck_unhealthy_threshold_count="5",
            )
        )
    )
    check = found.ports[0].target_group.health_check
    assert (check.port, check.protocol, check.interval_seconds, check.timeout_seconds) == (
        8080,
        "HTTPS",
        10,
        3,
    )
    assert (check.healthy_threshold, check.unhealthy_threshold) == (4, 5)
    assert check.matcher
    assert check.matcher.http_code == "200-299"


def test_scheme_addresses_attributes_and_security_groups_are_read() -> None:
    found = built(
        group(
            member(
                frontend_nlb_scheme="internet-facing",
                frontend_nlb_subnets="subnet-a",
                frontend_nlb_eip_allocations="eipalloc-1",
                frontend_nlb_security_groups="sg-1",
                frontend_nlb_attributes="load_balancing.cross_zone.enabled=true",
                frontend_nlb_tags="team=edge",
            )
        )
    ).load_balancer
    assert (found.scheme, found.security_groups, found.tags) == (
        "internet-facing",
        ("sg-1",),
        {"team": "edge"},
    )
    assert [(one.subnet_id, one.allocation_id) for one in found.subnet_mappings] == [
        ("subnet-a", "eipalloc-1")
    ]
    assert found.attributes == {"load_balancing.cross_zone.enabled": "true"}


def test_the_nlb_has_the_tags_of_the_group_since_v2_14_and_none_before() -> None:
    members = group(member(tags="env=prod"))
    now, then = built(members), built(members, V2_13_4)
    for found, tags in ((now, {"env": "prod"}), (then, {})):
        (port,) = found.ports
        assert found.load_balancer.tags == port.listener.tags == port.target_group.tags == tags


@pytest.mark.parametrize(
    ("annotations", "text"),
    [
        ({"frontend_nlb_scheme": "/ok"}, "unknown scheme: /ok"),
        (
            {"frontend_nlb_listener_port_mapping": "/ok"},
            "failed to compute listenPort config for ingress: default/api: failed to parse "
            "frontend-nlb-listener-port-mapping for ingress map[]: failed to parse stringMap annotation, "
            "alb.ingress.kubernetes.io/frontend-nlb-listener-port-mapping: /ok",
        ),
        (
            {"frontend_nlb_eip_allocations": "eipalloc-1"},
            "EIP allocations can only be set for internet facing load balancers",
        ),
        (
            {"frontend_nlb_eip_allocations": "eipalloc-1", "frontend_nlb_scheme": "internet-facing"},
            "count of EIP allocations (1) and subnets (2) must match",
        ),
    ],
)
def test_an_invalid_setting_is_refused_in_the_words_of_the_controller(
    annotations: dict[str, str], text: str
) -> None:
    with pytest.raises(BuildError) as refused:
        built(group(member(**annotations)))
    assert str(refused.value) == text


def test_an_error_elsewhere_in_the_group_is_reported_before_one_of_the_frontend_nlb() -> None:
    with pytest.raises(BuildError, match="unable to find port 8123"):
        built(
            group(
                ingress(
                    "api",
                    path("/", port=8123),
                    enable_frontend_nlb="true",
                    frontend_nlb_scheme="/ok",
                    target_type="ip",
                )
            )
        )


@pytest.mark.parametrize(
    ("one", "other", "text"),
    [
        ({}, {"enable_frontend_nlb": "false"}, "conflicting enable frontend NLB values"),
        (
            {"frontend_nlb_scheme": "internal"},
            {"frontend_nlb_scheme": "internet-facing"},
            "conflicting scheme: map[internal:{} internet-facing:{}]",
        ),
        (
            {"frontend_nlb_subnets": "subnet-a"},
            {"frontend_nlb_subnets": "subnet-c"},
            "conflicting subnets: [subnet-a] | [subnet-c]",
        ),
        (
            {"frontend_nlb_healthcheck_path": "/one"},
            {"frontend_nlb_healthcheck_path": "/two"},
            "conflicting path, default/a: /one | default/b: /two",
        ),
    ],
)
def test_members_that_disagree_are_refused(one: dict[str, str], other: dict[str, str], text: str) -> None:
    with pytest.raises(BuildError) as refused:
        built(group(member("a", **one), member("b", **other)))
    assert text in str(refused.value)


def test_a_member_that_says_nothing_leaves_the_choice_to_the_others() -> None:
    assert frontend_nlb.is_wanted(group(member("a"), member("b", enable_frontend_nlb="")).members)


def test_an_internal_nlb_is_in_private_subnets_since_v2_14_and_in_those_of_its_alb_before() -> None:
    vpc = Vpc()
    known = replace(cluster(service()), subnets=vpc.subnets)
    members = group(member(scheme="internet-facing"))
    for options, place in ((ControllerOptions(), "private"), (V2_13_4, "public")):
        nlb = build_ingress_group(members, known, options).frontend_nlb
        assert nlb
        assert nlb.load_balancer.scheme == "internal"
        assert {one.subnet_id for one in nlb.load_balancer.subnet_mappings} == {
            f"subnet-{place}-a",
            f"subnet-{place}-b",
        }
