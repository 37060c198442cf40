from __future__ import annotations

import pytest

from testbed.dated_releases import LB_CONTROLLER_RELEASES
from testbed.lb_controller.core.build_inputs import BuildError, ControllerOptions
from testbed.lb_controller.gateway import gateway_stack
from testbed.lb_controller.gateway.gateway_objects import GatewayObjects
from tests.lb_controller.gateway.examples import (
    CERTIFICATE,
    configuration,
    gateway,
    gateway_class,
    listener,
    route,
    service,
    to,
)
from tests.lb_controller.gateway.stacks import built, rules

HTTP = listener("http", 80, "HTTP")


def test_a_listener_without_a_route_is_not_made() -> None:
    base = (gateway_class(), configuration(), gateway(HTTP, listener()), service())
    assert [one.port for one in built(*base).listeners] == []
    assert [one.port for one in built(*base, route(sectionName="https")).listeners] == [443]


def test_a_listener_of_https_has_certificates_and_answers_404_by_default() -> None:
    stack = built(gateway_class(), configuration(), gateway(), service(), route(hosts=("a.example.com",)))
    (one,) = stack.listeners
    assert one.certificates == (CERTIFICATE,)
    assert one.ssl_policy == "ELBSecurityPolicy-2016-08"
    assert one.default_actions[0].fixed_response
    assert rules(stack) == ["a.example.com /* -> web*1"]


def test_without_a_certificate_the_gateway_is_refused_by_its_host() -> None:
    base = (gateway_class(), gateway(configured=False), service())
    with pytest.raises(BuildError, match="no certificate found for host: a"):
        built(*base, route(hosts=("a.example.com",)))


def test_an_nlb_forwards_all_and_is_not_made_for_targets_without_a_weight() -> None:
    base = (gateway_class("nlb"), configuration(), gateway(listener("l4", 80, "TCP")), service())
    (one,) = built(*base, route("TCPRoute", to("web", web=5))).listeners
    assert one.default_actions[0].forward
    assert one.default_actions[0].forward.target_groups[0].weight == 5
    assert built(*base, route("TCPRoute", to("web", web=0))).listeners == ()


def test_a_stack_has_tags_of_its_balancer_type() -> None:
    found = built(gateway_class("nlb"), configuration(), gateway(listener("l4", 80, "TCP")))
    assert found.stack_tags()["gateway.k8s.aws.nlb/stack"] == "shop/edge"


@pytest.mark.parametrize(
    ("release", "kind", "words"),
    [
        ("v2.13.0", "network", "v2.13.3 is the first"),
        ("v2.13.4", "application", "v2.14.0 is the first"),
        ("v3.1.0", "application", "ALBGatewayAPI is off; it is on by default from v3.2.0 on"),
        ("v3.5.0", "network", None),
    ],
)
def test_a_release_that_serves_no_gateway_says_why(release: str, kind: str, words: str | None) -> None:
    options = ControllerOptions(release=LB_CONTROLLER_RELEASES[release])
    reason = gateway_stack.why_not_served(kind, options)
    assert reason is None if words is None else words in (reason or "")


def test_the_hosts_of_listeners_and_routes_are_known() -> None:
    objects = GatewayObjects.of(
        [gateway(listener(hostname="a.example.com")), route(hosts=("b.example.com",))]
    )
    assert gateway_stack.hosts(objects) == {"a.example.com", "b.example.com"}
