from __future__ import annotations

import pytest

from testbed.check import protocol_versions
from tests.check.advised import advice_on, advised
from tests.check.conftest import Look
from tests.check.traps import GOOD, Case, check_case, rules_of
from tests.lb_controller.offline.manifests_of_groups import (
    CERTIFICATE,
    GRPC,
    HTTPS,
    LONG,
    ingress,
    with_default_backend,
)

TRAPS = {
    "wrong-protocol-gets-464": Case(GOOD, "3.yaml:18"),
    "grpc-health-without-rule": Case(GOOD, "3.yaml:1"),
}


@pytest.mark.parametrize("rule", TRAPS)
def test_a_trap_is_named_with_its_line_and_good_manifests_have_none(look: Look, rule: str) -> None:
    check_case(look, rule, TRAPS[rule])


def test_each_rule_has_a_case() -> None:
    assert rules_of(protocol_versions) == set(TRAPS)


def test_grpc_calls_that_fall_to_an_http1_default_backend_are_reported() -> None:
    sentences = [
        item.finding.what
        for item in advice_on(
            ingress("grpc", "/pkg.Service/*", CERTIFICATE, GRPC, LONG), with_default_backend("web", HTTPS)
        )
    ]
    assert any(one.startswith("gRPC calls that no rule of listener 443 matches get 464") for one in sentences)


def test_http1_requests_to_an_http2_group_are_reported() -> None:
    found = advised(ingress("web", "/*", CERTIFICATE, "backend-protocol-version: HTTP2"))
    assert found["expect-464"].startswith("HTTP/1.1 requests get 464 from the HTTP2 target group")


def test_a_file_is_no_grpc_method() -> None:
    assert advised(ingress("web", "/robots.txt", CERTIFICATE)) == {}


def test_a_catch_all_behind_the_grpc_rules_gets_the_other_grpc_calls_only() -> None:
    advice = advice_on(
        ingress("grpc", "/pkg.Service/*", CERTIFICATE, GRPC, LONG), ingress("rest", "/*", CERTIFICATE)
    )

    texts = [item.finding.what for item in advice]
    assert [item.reason for item in advice] == ["expect-464", "expect-464"]
    assert texts[0].startswith("gRPC calls that match rule 443:2 ")
    assert texts[1].startswith(
        "HTTP/1.1 requests, and HTTP/2 requests other than POST, get 464 from the GRPC"
    )
