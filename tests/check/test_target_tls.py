from __future__ import annotations

import pytest

from testbed.check import target_tls
from tests.check.conftest import Look
from tests.check.manifests_of_traps import INGRESS, PLAIN, SERVICE, annotated
from tests.check.traps import ALB, GOOD, NLB, Case, check_case, rules_of

REST = INGRESS.replace("version: GRPC", "version: HTTP1")
TO_TLS = PLAIN.replace("targetPort: 8080", "targetPort: 8443")
HTTPS = annotated(REST, f"{ALB}backend-protocol: HTTPS")
ENDED = annotated(SERVICE, f"{NLB}ssl-cert: arn:aws:acm:eu-west-1:000000000000:certificate/1").replace(
    "targetPort: 8443", "targetPort: 8080"
)
OTHER_PODS = PLAIN.replace("app: web", "app: other")

TRAPS = {
    "http-to-tls-port": Case((SERVICE, TO_TLS, INGRESS), "3.yaml:18"),
    "tls-to-plain-port": Case((ENDED, PLAIN, HTTPS), "3.yaml:19"),
    "sni-is-lost": Case((SERVICE, TO_TLS, HTTPS), "3.yaml:19"),
    "no-sni-to-targets": Case((SERVICE, OTHER_PODS, HTTPS), "3.yaml:19"),
    "protocol-and-port-disagree": Case((SERVICE, OTHER_PODS, HTTPS), "3.yaml:19"),
}


@pytest.mark.parametrize("rule", TRAPS)
def test_a_trap_is_named_with_its_line_and_good_manifests_have_none(look: Look, rule: str) -> None:
    check_case(look, rule, TRAPS[rule])


def test_each_rule_has_a_case() -> None:
    assert rules_of(target_tls) == set(TRAPS)


def of_target_tls(look: Look, *manifests: str) -> set[str]:
    return {one.rule for one in look(*manifests)} & set(TRAPS)


def test_a_move_to_the_plain_port_of_the_same_pods_is_silent(look: Look) -> None:
    assert of_target_tls(look, *GOOD) == set()


def test_a_port_that_the_nlb_gives_both_tls_and_plain_text_takes_either(look: Look) -> None:
    both = SERVICE + "    - {name: http, port: 80, targetPort: 8443}\n"
    assert of_target_tls(look, both, TO_TLS, REST) == set()
    assert of_target_tls(
        look,
        both,
        TO_TLS.replace("name: http, port: 80", "name: any, port: 8000"),
        HTTPS.replace("number: 80", "number: 8000"),
    ) == {"no-sni-to-targets"}


@pytest.mark.parametrize(
    ("port", "rules"),
    [
        ("{name: https, port: 443}", {"protocol-and-port-disagree"}),
        ("{name: https-web, port: 9443}", {"protocol-and-port-disagree"}),
        ("{name: api, port: 9000, appProtocol: https}", {"protocol-and-port-disagree"}),
        ("{name: grpc, port: 443}", set()),
        ("{name: api, port: 9000}", set()),
        ("{name: http, port: 443, appProtocol: http}", set()),
    ],
)
def test_the_name_of_a_service_port_says_what_it_speaks(look: Look, port: str, rules: set[str]) -> None:
    number = port.partition("port: ")[2].partition(",")[0].strip("}")
    plain = OTHER_PODS.replace("{name: http, port: 80, targetPort: 8080}", port)
    assert of_target_tls(look, plain, REST.replace("number: 80", f"number: {number}")) == rules
