from __future__ import annotations

import pytest

from testbed.lb_controller.core.build_inputs import BuildError
from testbed.lb_controller.core.stack import Redirect, Rewrite
from testbed.lb_controller.gateway.route_actions import NO_BACKEND
from tests.lb_controller.gateway.examples import (
    OWN_RULE,
    Json,
    configuration,
    gateway,
    gateway_class,
    path,
    route,
    rule_configuration,
    service,
    to,
)
from tests.lb_controller.gateway.stacks import built, rules

BASE = (gateway_class(), configuration(), gateway(), service("web"), service("pay"))


def rewritten(rewrite: Json, *matches: Json) -> list[Rewrite]:
    rule = to("web", matches=list(matches), filters=[{"type": "URLRewrite", "urlRewrite": rewrite}])
    return [
        one
        for rule in built(*BASE, route("HTTPRoute", rule)).rules
        for t in rule.transforms
        for one in t.rewrites
    ]


def test_backends_have_their_weights_and_one_that_is_missing_is_left_out() -> None:
    assert rules(built(*BASE, route("HTTPRoute", to("web", "gone", "pay", pay=3)))) == ["/* -> web*1 pay*3"]


@pytest.mark.parametrize("rule", [to("gone"), to("web", web=0), {"backendRefs": []}])
def test_a_rule_without_a_backend_that_counts_answers_500(rule: Json) -> None:
    (one,) = built(*BASE, route("HTTPRoute", rule)).rules
    assert one.actions == (NO_BACKEND,)
    assert NO_BACKEND.fixed_response
    assert NO_BACKEND.fixed_response.status_code == "500"


def test_a_redirect_to_https_names_the_port() -> None:
    rule = to("web", filters=[{"type": "RequestRedirect", "requestRedirect": {"scheme": "https"}}])
    (one,) = built(*BASE, route("HTTPRoute", rule)).rules
    assert one.actions[0].redirect == Redirect(status_code="HTTP_302", protocol="HTTPS", port="443")


def test_rewrites_of_host_and_path_are_transforms() -> None:
    assert rewritten({"hostname": "in.example.com"}) == [Rewrite(regex=".*", replace="in.example.com")]
    full = {"path": {"type": "ReplaceFullPath", "replaceFullPath": "/x"}}
    assert rewritten(full) == [Rewrite(regex="^([^?]*)", replace="/x")]
    prefix = {"path": {"type": "ReplacePrefixMatch", "replacePrefixMatch": "/"}}
    assert rewritten(prefix, path("/api")) == [Rewrite(regex="(^/api(/)?)", replace="/")]


@pytest.mark.parametrize("kind", ["RequestHeaderModifier", "ResponseHeaderModifier", "RequestMirror"])
def test_another_filter_refuses_the_whole_gateway(kind: str) -> None:
    with pytest.raises(BuildError, match=f"Unsupported filter type: {kind}"):
        built(*BASE, route("HTTPRoute", to("web", filters=[{"type": kind}])))


def test_a_rule_configuration_answers_in_place_of_the_backends() -> None:
    fixed = {
        "type": "fixed-response",
        "fixedResponseConfig": {"statusCode": 503, "contentType": "text/plain"},
    }
    own = route("HTTPRoute", to("web", filters=[OWN_RULE]))
    assert rules(built(*BASE, rule_configuration(actions=[fixed]), own)) == ["/* -> 503"]


def test_a_rule_configuration_makes_a_forward_sticky_and_narrows_the_sources() -> None:
    sticky = {"targetGroupStickinessConfig": {"enabled": True, "durationSeconds": 60}}
    own = rule_configuration(
        actions=[{"type": "forward", "forwardConfig": sticky}],
        conditions=[
            {"field": "source-ip", "sourceIPConfig": {"values": ["192.0.2.0/24"]}, "matchIndexes": [1]}
        ],
    )
    stack = built(
        *BASE, own, route("HTTPRoute", to("web", matches=[path("/b"), path("/a")], filters=[OWN_RULE]))
    )
    assert rules(stack) == ["/b,/b/* -> web*1", "/a,/a/* 192.0.2.0/24 -> web*1"]
    forward = stack.rules[0].actions[0].forward
    assert forward
    assert forward.stickiness
    assert forward.stickiness.duration_seconds == 60


def test_a_rule_configuration_that_is_not_accepted_yet_answers_500_and_makes_no_target_group() -> None:
    own = route("HTTPRoute", to("web", filters=[OWN_RULE]))
    stack = built(*BASE, rule_configuration(), own, unaccepted=frozenset({"shop/own"}))
    assert rules(stack) == ["/* -> 500"]
    assert stack.target_groups == ()
