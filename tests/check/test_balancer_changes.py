from __future__ import annotations

import pytest

from testbed.check import balancer_changes
from tests.check.conftest import Look
from tests.check.manifests_of_traps import INGRESS, PLAIN, SERVICE, annotated
from tests.check.traps import GOOD, NLB, Case, check_case, rules_of

TRAPS = {
    "port-is-lost": Case(
        (SERVICE + "    - {name: grpc, port: 8443, targetPort: 8443}\n", PLAIN, INGRESS), "1.yaml:13"
    ),
    "scheme-differs": Case(
        (SERVICE, PLAIN, INGRESS.replace("scheme: internet-facing", "scheme: internal")), "3.yaml:8"
    ),
    "source-ranges-are-lost": Case(
        (SERVICE + "  loadBalancerSourceRanges: [10.0.0.0/8]\n", PLAIN, INGRESS), "1.yaml:13"
    ),
    "proxy-protocol-ends": Case(
        (annotated(SERVICE, f'{NLB}proxy-protocol: "*"'), PLAIN.replace("8080", "8443"), INGRESS), "1.yaml:6"
    ),
    "client-address-changes": Case(GOOD, "1.yaml:1"),
    "affinity-ends": Case(
        (
            annotated(
                SERVICE.replace("type: nlb", "type: external"),
                f"{NLB}target-group-attributes: stickiness.enabled=true,stickiness.type=source_ip",
                f"{NLB}nlb-target-type: ip",
            ),
            PLAIN,
            INGRESS,
        ),
        "1.yaml:6",
    ),
    "certificate-changes": Case(GOOD, "1.yaml:1"),
    "connections-stay": Case(GOOD, "1.yaml:1"),
    "keep-alive-outlasts-the-move": Case(GOOD, "3.yaml:1"),
    "http2-limits-of-the-alb": Case(GOOD, "3.yaml:15"),
    "no-access-log": Case(GOOD, "3.yaml:1"),
}


@pytest.mark.parametrize("rule", TRAPS)
def test_a_trap_is_named_with_its_line_and_good_manifests_have_none(look: Look, rule: str) -> None:
    check_case(look, rule, TRAPS[rule])


def test_each_rule_has_a_case() -> None:
    assert rules_of(balancer_changes) == set(TRAPS)


@pytest.mark.parametrize(("seconds", "is_reported"), [("3600", True), ("301", True), ("300", False)])
def test_a_short_keep_alive_of_the_alb_ends_the_connections_of_clients_that_never_look_again(
    look: Look, seconds: str, is_reported: bool
) -> None:
    ingress = INGRESS.replace(
        "timeout_seconds=350", f"timeout_seconds=350,client_keep_alive.seconds={seconds}"
    )
    found = [one for one in look(SERVICE, PLAIN, ingress) if one.rule == "keep-alive-outlasts-the-move"]
    assert bool(found) is is_reported
    assert all(f"for up to {seconds} s in a rollback" in one.what for one in found)


@pytest.mark.parametrize(("kept", "is_reported"), [("true", True), ("false", False), (None, False)])
def test_ip_targets_see_the_clients_address_only_if_it_is_preserved(
    look: Look, kept: str | None, is_reported: bool
) -> None:
    lines = [f"{NLB}nlb-target-type: ip"]
    if kept:
        lines.append(f"{NLB}target-group-attributes: preserve_client_ip.enabled={kept}")
    service = annotated(SERVICE.replace("type: nlb", "type: external"), *lines)
    local = service.replace("type: LoadBalancer", "type: LoadBalancer\n  externalTrafficPolicy: Local")
    reported = [one.rule for one in look(local, PLAIN, INGRESS)]
    assert ("client-address-changes" in reported) is is_reported


def test_pools_of_rest_clients_stay_on_an_nlb_too_and_are_left_to_the_keep_alive_of_an_alb(
    look: Look,
) -> None:
    ingress = INGRESS.replace("backend-protocol-version: GRPC", "backend-protocol-version: HTTP1")
    assert ingress != INGRESS
    [found] = [one for one in look(SERVICE, PLAIN, ingress) if one.rule == "connections-stay"]
    assert found.what.startswith("keep-alive connections of api.example.com stay on the NLB")
