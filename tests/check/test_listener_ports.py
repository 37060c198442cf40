from __future__ import annotations

import pytest

from testbed.check import listener_ports
from tests.check.advised import advised
from tests.check.conftest import Look
from tests.check.manifests_of_traps import INGRESS, PLAIN, REST, SERVICE, annotated
from tests.check.traps import ALB, GOOD, Case, check_case, rules_of
from tests.lb_controller.offline.manifests_of_groups import (
    BOTH,
    CERTIFICATE,
    GRPC,
    HTTPS,
    LONG,
    REDIRECT,
    ingress,
    with_default_backend,
)

TRAPS = {
    "grpc-on-http-listener": Case(
        (SERVICE, PLAIN, annotated(INGRESS, f"{ALB}listen-ports: '[{{\"HTTP\":443}}]'")), "3.yaml:19"
    ),
    "rules-on-port-80-only": Case(
        (*GOOD, "\n".join(line for line in REST.splitlines() if "certificate" not in line)), "4.yaml:1"
    ),
    "missing-certificate": Case(
        (
            *GOOD,
            REST.replace(
                f"{ALB}certificate-arn: arn:aws:acm:ap-northeast-1:000000000000:certificate/1",
                f"{ALB}listen-ports: '[{{\"HTTPS\":443}}]'",
            ),
        ),
        "4.yaml:10",
    ),
}


@pytest.mark.parametrize("rule", TRAPS)
def test_a_trap_is_named_with_its_line_and_good_manifests_have_none(look: Look, rule: str) -> None:
    check_case(look, rule, TRAPS[rule])


def test_each_rule_has_a_case() -> None:
    assert rules_of(listener_ports) == set(TRAPS)


def test_rules_that_miss_the_https_listener_of_their_group_are_reported() -> None:
    found = advised(ingress("tls", "/tls", CERTIFICATE), ingress("plain", "/plain"))

    assert found == {
        "rules-on-port-80-only": "the rules of Ingress default/plain (app.yaml:27) go onto HTTP 80 only "
        "and not onto HTTPS 443 of its group app"
    }


def test_rules_that_only_a_redirecting_listener_would_have_are_reported_to_be_nowhere() -> None:
    found = advised(ingress("tls", "/tls", CERTIFICATE, BOTH, REDIRECT), ingress("plain", "/plain"))

    assert found == {
        "rules-on-port-80-only": "the rules of Ingress default/plain (app.yaml:29) are on no "
        "listener: HTTP 80 of its group app only redirects, and the Ingress does not listen on HTTPS 443"
    }
    both = ingress("tls", "/tls", CERTIFICATE, BOTH, REDIRECT), ingress("plain", "/plain", BOTH)
    assert "rules-on-port-80-only" not in advised(*both)


def test_a_default_backend_that_misses_the_https_listener_is_reported() -> None:
    found = advised(ingress("tls", "/tls", CERTIFICATE), with_default_backend("plain"))
    assert found["rules-on-port-80-only"].startswith("the default backend of Ingress default/plain (")
    assert "goes onto HTTP 80 only and not onto HTTPS 443" in found["rules-on-port-80-only"]


def test_a_grpc_default_backend_on_an_http_listener_is_reported() -> None:
    found = advised(with_default_backend("web", GRPC))
    assert found["grpc-on-http-listener"].startswith("AWS refuses listener 80 (app.yaml:")


def test_a_member_without_host_uses_the_certificate_of_another() -> None:
    nameless = ingress("plain", "/plain", HTTPS).replace("- host: api.example.com\n      http:", "- http:")
    assert "host:" not in nameless
    assert "missing-certificate" not in advised(ingress("tls", "/tls", CERTIFICATE), nameless)


def test_an_https_listener_without_certificate_is_reported() -> None:
    found = advised(ingress("web", "/*", HTTPS))

    assert found == {
        "missing-certificate": "Ingress default/web (app.yaml:17) listens on HTTPS 443 without "
        "certificate-arn: the controller takes every issued ACM certificate for api.example.com, and the "
        "whole group fails if one of these hosts has none"
    }


def test_a_grpc_group_on_an_http_listener_is_reported() -> None:
    found = advised(ingress("grpc", "/pkg.Service/*", GRPC, LONG))

    assert found.keys() == {"rules-on-port-80-only", "grpc-on-http-listener"}
    assert found["grpc-on-http-listener"].startswith(
        "AWS refuses rule 80:1 (host api.example.com and path /pkg.Service/*, Ingress default/grpc, "
        "app.yaml:24): listener protocol 'HTTP' is not supported with GRPC target group k8s-default-web-"
    )
