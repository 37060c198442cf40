from __future__ import annotations

from typing import Any

import pytest

from testbed.dated_releases import LB_CONTROLLER_RELEASES
from testbed.lb_controller.core.build_inputs import (
    BuildError,
    ControllerOptions,
    ExistingLoadBalancer,
)
from testbed.lb_controller.core.stack import Stack
from testbed.lb_controller.service.nlb_stack import build_service
from tests.lb_controller.examples import cluster, service

NEWEST, V2_1 = ControllerOptions(), ControllerOptions(release=LB_CONTROLLER_RELEASES.oldest)
EXTERNAL = {"type": "external", "nlb_target_type": "ip"}


def build(options: ControllerOptions = NEWEST, existing: tuple[Any, ...] = (), **annotations: str) -> Stack:
    item = service(kind="LoadBalancer", **annotations)
    return build_service(item, cluster(vpc_cidrs=("10.0.0.0/16",), existing=existing), options)


def test_an_nlb_is_internal_today_and_faced_the_internet_in_v2_1() -> None:
    today, old = build(**EXTERNAL).load_balancer, build(V2_1, type="nlb-ip").load_balancer

    assert today
    assert old
    assert (today.scheme, old.scheme) == ("internal", "internet-facing")
    assert today.security_groups
    assert old.security_groups == ()


def test_v2_1_knows_nlb_ip_only() -> None:
    assert build(V2_1, **EXTERNAL).load_balancer is None
    assert build(V2_1, type="nlb-ip").load_balancer


def test_a_standing_nlb_keeps_its_scheme_its_subnets_and_its_lack_of_security_groups() -> None:
    tags = {"elbv2.k8s.aws/cluster": "testbed", "service.k8s.aws/stack": "default/web"}
    standing = ExistingLoadBalancer(
        arn="nlb", scheme="internet-facing", type="network", subnet_ids=("subnet-c",), tags=tags
    )

    balancer = build(existing=(standing,), **EXTERNAL).load_balancer

    assert balancer
    assert balancer.scheme == "internet-facing"
    assert [item.subnet_id for item in balancer.subnet_mappings] == ["subnet-c"]
    assert balancer.security_groups == ()


def test_tls_ends_at_the_ports_that_ssl_ports_names() -> None:
    ports = [
        {"name": "tls", "port": 443, "targetPort": 8443, "nodePort": 30443},
        {"name": "http", "port": 80, "targetPort": 8080, "nodePort": 30080},
    ]
    annotations = {"ssl_cert": "one,two", "ssl_ports": "tls", "alpn_policy": "HTTP2Preferred", **EXTERNAL}
    item = service(kind="LoadBalancer", spec={"ports": ports}, **annotations)

    tls, plain = build_service(item, cluster(), NEWEST).listeners

    assert (tls.protocol, tls.certificates, tls.alpn_policy) == ("TLS", ("one", "two"), "HTTP2Preferred")
    assert (plain.protocol, plain.certificates, plain.alpn_policy) == ("TCP", (), None)


def test_a_tls_target_group_is_asked_for_by_the_backend_protocol() -> None:
    plain = build(ssl_cert="one", **EXTERNAL)
    tls = build(ssl_cert="one", backend_protocol="ssl", **EXTERNAL)

    assert [item.protocol for item in plain.target_groups] == ["TCP"]
    assert [item.protocol for item in tls.target_groups] == ["TLS"]


@pytest.mark.parametrize(
    ("annotations", "error"),
    [
        ({"scheme": "public"}, "unknown scheme: public"),
        ({"ssl_ports": "8443"}, "Unused port in ssl-ports annotation [8443]"),
        ({"healthcheck_protocol": "udp"}, "unsupported health check protocol udp"),
        (
            {"eip_allocations": "eip-1"},
            "EIP allocations can only be set for internet facing load balancers",
        ),
        (
            {"eip_allocations": "eip-1", "scheme": "internet-facing"},
            "count of EIP allocations (1) and subnets (2) must match",
        ),
        (
            {"additional_resource_tags": "team"},
            "failed to parse stringMap annotation, "
            "service.beta.kubernetes.io/aws-load-balancer-additional-resource-tags: team",
        ),
    ],
)
def test_a_wrong_annotation_is_refused(annotations: dict[str, str], error: str) -> None:
    with pytest.raises(BuildError) as raised:
        build(**{**EXTERNAL, **annotations})
    assert str(raised.value) == error


def test_private_addresses_go_to_the_subnets_that_hold_them() -> None:
    balancer = build(private_ipv4_addresses="10.0.1.9,10.0.0.9", **EXTERNAL).load_balancer

    assert balancer
    assert [(item.subnet_id, item.private_ipv4_address) for item in balancer.subnet_mappings] == [
        ("subnet-a", "10.0.0.9"),
        ("subnet-c", "10.0.1.9"),
    ]


def test_a_service_that_is_being_deleted_wants_nothing_unless_it_is_protected() -> None:
    item = service(kind="LoadBalancer", **EXTERNAL)
    item["metadata"] |= {
        "deletionTimestamp": "2026-01-01T00:00:00Z",
        "finalizers": ["service.k8s.aws/resources"],
    }

    assert build_service(item, cluster(), NEWEST).load_balancer is None
    key = "service.beta.kubernetes.io/aws-load-balancer-attributes"
    item["metadata"]["annotations"][key] = "deletion_protection.enabled=true"
    with pytest.raises(BuildError, match="deletion_protection is enabled, cannot delete the service: web"):
        build_service(item, cluster(), NEWEST)


def test_v2_1_knows_neither_a_name_nor_private_addresses_of_an_nlb() -> None:
    addresses = "10.0.0.1,10.0.1.1"
    item = service(kind="LoadBalancer", type="nlb-ip", internal="true", private_ipv4_addresses=addresses)
    item["metadata"]["annotations"]["service.beta.kubernetes.io/aws-load-balancer-name"] = "mine"

    today, old = (build_service(item, cluster(), options).load_balancer for options in (NEWEST, V2_1))

    assert today
    assert old
    assert today.name == "mine"
    assert [one.private_ipv4_address for one in today.subnet_mappings] == addresses.split(",")
    assert old.name.startswith("k8s-default-web-")
    assert [one.private_ipv4_address for one in old.subnet_mappings] == [None, None]


def test_capacity_is_reserved_for_an_nlb() -> None:
    balancer = build(minimum_load_balancer_capacity="CapacityUnits=3000", **EXTERNAL).load_balancer
    assert balancer
    assert balancer.minimum_capacity == {"CapacityUnits": 3000}


def test_quic_is_an_upgrade_of_udp_and_of_nothing_else() -> None:
    ports = [{"name": "dns", "port": 53, "targetPort": 53, "protocol": "UDP", "nodePort": 30053}]
    item = service(kind="LoadBalancer", spec={"ports": ports}, quic_enabled_ports="53", **EXTERNAL)

    (listener,) = build_service(item, cluster(vpc_cidrs=("10.0.0.0/16",)), NEWEST).listeners

    assert listener.protocol == "QUIC"
    with pytest.raises(BuildError) as refused:
        build(quic_enabled_ports="80", **EXTERNAL)
    assert str(refused.value) == "Unsupported QUIC upgrade for protocol TCP"
    assert build(quic_enabled_ports="443", **EXTERNAL).listeners[0].protocol == "TCP"
