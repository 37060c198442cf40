from __future__ import annotations

from dataclasses import replace

import pytest

from testbed.dated_releases import LB_CONTROLLER_RELEASES
from testbed.lb_controller.core.build_inputs import (
    BuildError,
    Certificate,
    ControllerOptions,
    Group,
    GroupID,
)
from testbed.lb_controller.core.stack import Kind, Ref
from testbed.lb_controller.ingress.alb_stack import build_ingress_group
from tests.lb_controller.examples import cluster, group, ingress, path, service

CERTIFICATE = "arn:aws:acm:ap-northeast-1:0:certificate/one"
V2_1 = ControllerOptions(release=LB_CONTROLLER_RELEASES.oldest)
NEWEST = ControllerOptions()
HTTP_AND_HTTPS = '[{"HTTP": 80}, {"HTTPS": 443}]'
IP = {"target_type": "ip"}


def test_the_story_gets_one_listener_with_rules_to_a_grpc_and_an_http1_group() -> None:
    shared = {"scheme": "internet-facing", "certificate_arn": CERTIFICATE, **IP}
    members = group(
        ingress("grpc", path("/foo.BarService/*"), backend_protocol_version="GRPC", **shared),
        ingress("http1", path("/foo/*"), backend_protocol_version="HTTP1", **shared),
        name="zozomat-ingress",
    )

    stack = build_ingress_group(members, cluster(service()), V2_1)

    assert stack.load_balancer
    assert stack.load_balancer.scheme == "internet-facing"
    assert stack.load_balancer.name.startswith("k8s-zozomatingress-")
    (listener,) = stack.listeners
    assert (listener.port, listener.protocol, listener.certificates) == (443, "HTTPS", (CERTIFICATE,))
    assert [action.type for action in listener.default_actions] == ["fixed-response"]
    assert [(rule.priority, rule.conditions[0].values) for rule in stack.rules] == [
        (1, ("/foo.BarService/*",)),
        (2, ("/foo/*",)),
    ]
    grpc, http1 = stack.target_groups
    assert (grpc.protocol_version, grpc.health_check.path, grpc.port) == (
        "GRPC",
        "/AWS.ALB/healthcheck",
        8080,
    )
    assert grpc.health_check.matcher
    assert grpc.health_check.matcher.grpc_code == "12"
    assert http1.health_check.matcher
    assert (http1.health_check.path, http1.health_check.matcher.http_code) == ("/", "200")
    assert [(item.service_name, item.service_port, item.target_type) for item in stack.bindings] == [
        ("web", 80, "ip"),
        ("web", 80, "ip"),
    ]
    assert stack.bindings[0].target_group == Ref(Kind.TARGET_GROUP, "default/grpc-web:80")


def test_http_listeners_only_redirect_where_a_member_asks_for_it() -> None:
    first = ingress(
        "a", path("/a"), listen_ports=HTTP_AND_HTTPS, certificate_arn="one", ssl_redirect="443", **IP
    )
    second = ingress("b", path("/b"), **IP)

    stack = build_ingress_group(group(first, second), cluster(service()), NEWEST)

    plain, tls = stack.listeners
    assert plain.default_actions[0].redirect
    assert plain.default_actions[0].redirect.port == "443"
    assert tls.default_actions[0].fixed_response
    assert {rule.listener_port for rule in stack.rules} == {443}


def test_rules_go_only_onto_the_ports_that_their_ingress_declares() -> None:
    tls = ingress("a", path("/a"), listen_ports=HTTP_AND_HTTPS, certificate_arn="one", **IP)
    plain = ingress("b", path("/b"), **IP)

    stack = build_ingress_group(group(tls, plain), cluster(service()), NEWEST)

    assert [(rule.id, rule.conditions[0].values) for rule in stack.rules] == [
        ("80:1", ("/a",)),
        ("80:2", ("/b",)),
        ("443:1", ("/a",)),
    ]


def test_certificates_are_found_by_the_hosts_of_rules_and_tls() -> None:
    asking = ingress(
        "a",
        path("/a"),
        host="api.example.com",
        spec={"tls": [{"hosts": ["www.example.com"]}]},
        listen_ports='[{"HTTPS": 443}]',
        **IP,
    )
    known = (
        Certificate(arn="wild", names=("*.example.com",)),
        Certificate(arn="pending", names=("api.example.com",), status="PENDING_VALIDATION"),
        Certificate(arn="api", names=("api.example.com",)),
    )

    stack = build_ingress_group(group(asking), cluster(service(), certificates=known), NEWEST)

    assert stack.listeners[0].certificates == ("api", "wild")
    with pytest.raises(
        BuildError, match=r"ingress: default/a: no certificate found for host: api.example.com"
    ):
        build_ingress_group(group(asking), cluster(service()), NEWEST)


def test_the_same_service_behind_two_ingresses_gets_two_target_groups() -> None:
    members = group(
        ingress("a", path("/a"), path("/b"), **IP),
        ingress("b", path("/c"), path("/d", port="http"), **IP),
    )

    stack = build_ingress_group(members, cluster(service()), NEWEST)

    ids = [item.id for item in stack.target_groups]
    assert ids == ["default/a-web:80", "default/b-web:80", "default/b-web:http"]
    assert len({item.name for item in stack.target_groups}) == 3


def test_a_group_without_members_wants_nothing() -> None:
    stack = build_ingress_group(Group(id=GroupID("", "app")), cluster(), NEWEST)

    assert stack.load_balancer is None
    assert stack.stack_tags() == {
        "elbv2.k8s.aws/cluster": "testbed",
        "ingress.k8s.aws/stack": "app",
    }


def test_a_protected_member_cannot_leave() -> None:
    leaving = ingress("gone", load_balancer_attributes="deletion_protection.enabled=true")

    with pytest.raises(BuildError) as raised:
        build_ingress_group(Group(id=GroupID("", "app"), inactive=(leaving,)), cluster(), NEWEST)

    assert str(raised.value) == "deletion_protection is enabled, cannot delete the ingress: gone"


def test_one_wrong_member_fails_the_group_and_is_named() -> None:
    members = group(ingress("good", path("/a"), **IP), ingress("bad", path("/b", port=81), **IP))

    with pytest.raises(BuildError) as raised:
        build_ingress_group(members, cluster(service()), NEWEST)

    assert str(raised.value) == "ingress: default/bad: unable to find port 81 on service default/web"


def test_two_default_backends_on_a_listener_are_refused() -> None:
    default = {"defaultBackend": path("/")["backend"]}
    members = group(ingress("a", spec=default, **IP), ingress("b", spec=default, **IP))

    with pytest.raises(BuildError) as raised:
        build_ingress_group(members, cluster(service()), NEWEST)

    assert str(raised.value) == "multiple ingress defined default backend: [default/a default/b]"


@pytest.mark.parametrize(
    ("first", "second", "text"),
    [
        (
            {"scheme": "internal"},
            {"scheme": "internet-facing"},
            "conflicting scheme: map[internal:{} internet-facing:{}]",
        ),
        (
            {"ip_address_type": "ipv4"},
            {"ip_address_type": "dualstack"},
            "conflicting IPAddressType: [dualstack ipv4]",
        ),
        ({"subnets": "a,b"}, {"subnets": "b,c"}, "conflicting subnets: [a b] | [b c]"),
        ({"security_groups": "a,b"}, {"security_groups": "b,a"}, "conflicting securityGroups: [a b] | [b a]"),
        (
            {"listen_ports": '[{"HTTP": 8080}]'},
            {"listen_ports": '[{"HTTPS": 8080}]', "certificate_arn": "one"},
            "failed to merge listenPort config for port: 8080: "
            "conflicting protocol, default/a: HTTP | default/b: HTTPS",
        ),
        (
            {"inbound_cidrs": "10.0.0.0/8"},
            {"inbound_cidrs": "::/0"},
            "failed to merge listenPort config for port: 80: "
            "conflicting inbound-cidrs, default/a: [10.0.0.0/8], [] | default/b: [], [::/0]",
        ),
    ],
)
def test_members_that_disagree_fail_the_group(
    first: dict[str, str], second: dict[str, str], text: str
) -> None:
    members = group(ingress("a", path("/a"), **first, **IP), ingress("b", path("/b"), **second, **IP))

    with pytest.raises(BuildError) as raised:
        build_ingress_group(members, cluster(service()), NEWEST)

    assert str(raised.value) == text


def test_a_certificate_that_two_members_name_is_sni_certificate_too_since_it_may_be_both() -> None:
    members = group(
        ingress("a", path("/a"), certificate_arn="two,one", **IP),
        ingress("b", path("/b"), certificate_arn="two,three,one", **IP),
    )

    newest = build_ingress_group(members, cluster(service()), NEWEST)
    old = build_ingress_group(members, cluster(service()), V2_1)

    assert newest.listeners[0].certificates == ("two", "one", "two", "three")
    assert old.listeners[0].certificates == ("one", "three", "two")


def test_v2_1_takes_paths_as_written_and_in_order() -> None:
    paths = (path("/a", kind="Prefix"), path("/a/b", kind="Prefix"), path("/z", kind="Exact"))
    members = group(ingress("a", *paths, **IP))

    old = build_ingress_group(members, cluster(service()), V2_1)
    newest = build_ingress_group(members, cluster(service()), NEWEST)

    assert [rule.conditions[0].values for rule in old.rules] == [("/a",), ("/a/b",), ("/z",)]
    assert [rule.conditions[0].values for rule in newest.rules] == [
        ("/z",),
        ("/a/b", "/a/b/*"),
        ("/a", "/a/*"),
    ]


def test_v2_1_fails_where_a_service_is_missing_and_today_a_503_is_served() -> None:
    members = group(ingress("a", path("/a"), **IP))

    newest = build_ingress_group(members, cluster(), NEWEST)
    with pytest.raises(BuildError, match='ingress: default/a: services "web" not found'):
        build_ingress_group(members, cluster(), V2_1)

    response = newest.rules[0].actions[0].fixed_response
    assert response
    assert (response.status_code, response.message_body) == ("503", "Backend service does not exist")


def test_rules_know_the_path_that_they_were_made_of() -> None:
    members = group(ingress("a", path("/b", kind="Prefix"), path("/a", kind="Exact"), **IP))

    stack = build_ingress_group(members, cluster(service()), NEWEST)

    assert [rule.source and rule.source.path for rule in stack.rules] == [1, 0]


def test_v2_1_knows_neither_ssl_redirect_nor_names_nor_the_guard_of_deletion() -> None:
    both = '[{"HTTP": 80}, {"HTTPS": 443}]'
    here = ingress(
        "a",
        path("/a"),
        listen_ports=both,
        certificate_arn="one",
        ssl_redirect="443",
        load_balancer_name="mine",
        **IP,
    )
    gone = ingress("b", path("/b"), load_balancer_attributes="deletion_protection.enabled=true", **IP)
    members = replace(group(here), inactive=(gone,))

    old = build_ingress_group(members, cluster(service()), V2_1)

    assert old.load_balancer
    assert old.load_balancer.name.startswith("k8s-app-")
    assert {rule.listener_port for rule in old.rules} == {80, 443}
    with pytest.raises(BuildError, match="deletion_protection is enabled, cannot delete the ingress: b"):
        build_ingress_group(members, cluster(service()), NEWEST)
