"""Every part of a stack that packets do not obey is named, and a stack without such parts is silent."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from testbed.lb_controller.core.build_inputs import ControllerOptions
from testbed.lb_controller.core.stack import IpPermission, SecurityGroup, Stack
from testbed.lb_controller.core.unobeyed import unobeyed
from testbed.lb_controller.ingress.alb_stack import build_ingress_group
from testbed.lb_controller.service.nlb_stack import build_service
from tests.lb_controller.examples import cluster, group, ingress, path, service

HTTPS = {"certificate_arn": "arn:one", "target_type": "ip"}
REWRITE = '[{"type": "url-rewrite", "urlRewriteConfig": {"rewrites": [{"regex": "^/a", "replace": "/"}]}}]'
JWT = '{"jwksEndpoint": "https://id.example.com/jwks", "issuer": "https://id.example.com"}'
COGNITO = {"auth_type": "cognito", "auth_idp_cognito": '{"userPoolARN": "arn"}'}
NLB = {"type": "external", "nlb_target_type": "ip"}
UDP = [{"name": "dns", "port": 53, "targetPort": 53, "protocol": "UDP"}]
BOTH = [*UDP, {"name": "tcp", "port": 53, "targetPort": 53, "protocol": "TCP"}]


def alb(**annotations: Any) -> Stack:
    item = ingress("a", path("/a"), path("/b"), **{**HTTPS, **annotations})
    return build_ingress_group(group(item), cluster(service()), ControllerOptions())


def nlb(spec: dict[str, Any] | None = None, **annotations: str) -> Stack:
    item = service(kind="LoadBalancer", spec=spec, **{**NLB, **annotations})
    return build_service(item, cluster(item, vpc_cidrs=("10.0.0.0/16",)), ControllerOptions())


def test_a_stack_that_packets_obey_is_silent() -> None:
    assert unobeyed(alb(load_balancer_attributes="idle_timeout.timeout_seconds=30", ssl_policy="x")) == ()
    assert unobeyed(nlb(ssl_cert="arn:one")) == ()
    idle = {"listener-attributes.TCP-80": "tcp.idle_timeout.seconds=600"}
    assert unobeyed(nlb(**idle)) == ()


@pytest.mark.parametrize(
    ("stack", "phrases"),
    [
        (alb(**{"transforms.web": REWRITE}), ["transforms of rules 443:1 and 443:2"]),
        (alb(jwt_validation=JWT), ["jwt-validation before rules 443:1 and 443:2"]),
        (alb(**COGNITO), ["authenticate-cognito before rules 443:1 and 443:2"]),
        (
            alb(mutual_authentication='[{"port": 443, "mode": "passthrough"}]'),
            ["mutual authentication, mode passthrough, of listener 443"],
        ),
        (alb(mutual_authentication='[{"port": 443, "mode": "off"}]'), []),
        (
            alb(enable_frontend_nlb="true", load_balancer_name="shop"),
            ["the frontend NLB shop-nlb on port 443"],
        ),
        (
            alb(**{"target-control-port.web.80": "3000"}),
            ["the target control port 3000 of target group"],
        ),
        (alb(multi_cluster_target_group="true"), ["targets of other clusters in target group"]),
        (alb(minimum_load_balancer_capacity="CapacityUnits=5"), ["the reserved capacity of 5 units"]),
        (alb(ipam_ipv4_pool_id="ipam-1"), ["addresses of the IPAM pool ipam-1"]),
        (alb(security_group_prefix_lists="pl-1,pl-2"), ["a security group for prefix lists pl-1 and pl-2"]),
        (alb(wafv2_acl_arn="arn:acl"), ["the web ACL arn:acl"]),
        (alb(wafv2_acl_arn="none"), []),
        (
            alb(**{"listener-attributes.HTTPS-443": "routing.http.response.server.enabled=false"}),
            ["attribute routing.http.response.server.enabled of listener 443"],
        ),
        (nlb(enable_icmp_for_path_mtu_discovery="on"), ["a security group for ICMP"]),
        (nlb({"ports": UDP}), ["UDP of listener 53"]),
        (nlb({"ports": UDP}, quic_enabled_ports="53"), ["QUIC of listener 53"]),
        (nlb({"ports": BOTH}, enable_tcp_udp_listener="true"), ["the UDP half of listener 53"]),
    ],
)
def test_what_packets_do_not_obey_is_named(stack: Stack, phrases: list[str]) -> None:
    found = unobeyed(stack)
    assert len(found) == len(phrases)
    assert all(one.startswith(phrase) for one, phrase in zip(found, phrases, strict=True))


def test_the_weights_of_an_nlb_are_named() -> None:
    item = service(kind="LoadBalancer", **NLB)
    item["metadata"]["annotations"]["service.beta.kubernetes.io/actions.TCP-80"] = (
        '{"type": "forward", "forwardConfig": {"baseServiceWeight": 90, '
        '"targetGroups": [{"serviceName": "new", "servicePort": 80, "weight": 10}]}}'
    )
    stack = build_service(item, cluster(item, service("new")), ControllerOptions())
    assert unobeyed(stack) == ("the weights of listener 80",)


def test_prefixes_for_source_nat_are_named() -> None:
    stack = nlb()
    assert stack.load_balancer
    balancer = replace(stack.load_balancer, enable_prefix_for_ipv6_source_nat="on")
    assert unobeyed(replace(stack, load_balancer=balancer)) == ("IPv6 prefixes for source NAT",)


def test_a_rule_of_the_default_security_group_is_not_named() -> None:
    plain = SecurityGroup(
        id="one",
        group_name="one",
        description="",
        ingress=(IpPermission(ip_protocol="tcp", from_port=80, to_port=80, cidr="0.0.0.0/0"),),
    )
    assert unobeyed(replace(nlb(), security_groups=(plain,))) == ()
