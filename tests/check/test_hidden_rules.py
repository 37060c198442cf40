from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from testbed.check import hidden_rules
from testbed.check.hidden_rules import hides
from testbed.lb_controller.core.stack import Condition
from tests.check.advised import advice_on, advised
from tests.check.conftest import Look
from tests.check.manifests_of_traps import REST, annotated
from tests.check.traps import ALB, GOOD, Case, check_case, rules_of
from tests.lb_controller.offline.manifests_of_groups import CERTIFICATE, GRPC, LONG, ingress

TRAPS = {
    "hidden-rules": Case(
        (*GOOD, annotated(REST, f'{ALB}group.order: "-1"').replace("/carts/*", "/*")), "3.yaml:18"
    ),
}


@pytest.mark.parametrize("rule", TRAPS)
def test_a_trap_is_named_with_its_line_and_good_manifests_have_none(look: Look, rule: str) -> None:
    check_case(look, rule, TRAPS[rule])


def test_each_rule_has_a_case() -> None:
    assert rules_of(hidden_rules) == set(TRAPS)


HOSTS = st.sampled_from(["a.example.com", "A.example.com", "*.example.com", "b.example.com"])
PATHS = st.sampled_from(["/*", "/a", "/a/*", "/a/b", "/?", "/b*"])
TO_HTTPS = '"protocol":"HTTPS","port":"443"'
TO_A_HOST = '"host":"www.example.com"'


@st.composite
def conditions(draw: st.DrawFn) -> tuple[Condition, ...]:
    found = []
    if draw(st.booleans()):
        found.append(
            Condition(field="host-header", values=tuple(draw(st.sets(HOSTS, min_size=1, max_size=2))))
        )
    if draw(st.booleans()) or not found:
        found.append(
            Condition(field="path-pattern", values=tuple(draw(st.sets(PATHS, min_size=1, max_size=2))))
        )
    if draw(st.integers(0, 4)) == 0:
        found.append(Condition(field="http-request-method", values=("GET",)))
    return tuple(found)


def matches(wanted: tuple[Condition, ...], host: str, path: str, method: str) -> bool:
    """A plain reading: all conditions, any of their values, hosts without case."""
    texts = {"host-header": host.lower(), "path-pattern": path, "http-request-method": method}
    return all(
        any(
            re.fullmatch(
                re.escape(value.lower() if item.field == "host-header" else value)
                .replace(r"\*", ".*")
                .replace(r"\?", "."),
                texts[item.field],
            )
            for value in item.values
        )
        for item in wanted
    )


def moved(to: str, *annotations: str) -> str:
    action = f'actions.r: \'{{"type":"redirect","redirectConfig":{{{to},"statusCode":"HTTP_302"}}}}\''
    return ingress("a-moved", "/*", action, *annotations).replace(
        "{name: web, port: {number: 80}}", "{name: r, port: {name: use-annotation}}"
    )


@given(
    conditions(),
    conditions(),
    st.sampled_from(["a.example.com", "b.example.com", "c.example.com", "example.com"]),
    st.sampled_from(["/", "/a", "/a/", "/a/b", "/a/b/c", "/b", "/bc"]),
    st.sampled_from(["GET", "POST"]),
)
def test_a_hidden_rule_never_gets_a_request(
    earlier: tuple[Condition, ...], later: tuple[Condition, ...], host: str, path: str, method: str
) -> None:
    if hides(earlier, later) and matches(later, host, path, method):
        assert matches(earlier, host, path, method)


def test_a_rule_for_some_methods_hides_nothing() -> None:
    everything = Condition(field="path-pattern", values=("/*",))
    gets = Condition(field="http-request-method", values=("GET",))

    assert hides((everything,), (everything, gets))
    assert not hides((everything, gets), (everything, gets))


def test_a_catch_all_in_front_hides_what_follows_and_gets_the_grpc_calls() -> None:
    found = advised(
        ingress("a-rest", "/*", CERTIFICATE), ingress("grpc", "/pkg.Service/*", CERTIFICATE, GRPC, LONG)
    )

    assert found["catch-all-hides-rules"] == (
        "rule 443:2 (host api.example.com and path /pkg.Service/*, Ingress default/grpc, app.yaml:43) is "
        "never reached: rule 443:1 (host api.example.com and path /*, Ingress default/a-rest, app.yaml:23) "
        "comes first and matches all of it"
    )


def test_a_rule_left_out_behind_a_redirect_of_all_paths_is_reported() -> None:
    found = advice_on(
        moved(TO_A_HOST, CERTIFICATE), ingress("grpc", "/pkg.Service/*", CERTIFICATE, GRPC, LONG)
    )

    (reported,) = [item for item in found if item.reason == "catch-all-hides-rules"]
    assert reported.finding.what == (
        "the rule of Ingress default/grpc (app.yaml:44) for host api.example.com and path /pkg.Service/* is "
        "left out of listener 443: the redirect of rule 443:1 (host api.example.com and path /*, Ingress "
        "default/a-moved, app.yaml:24) comes first and matches all of it"
    )
    assert reported.finding.where.line == 44


@pytest.mark.parametrize(
    ("to", "is_trap"),
    [(TO_HTTPS, False), (f"{TO_HTTPS},{TO_A_HOST}", True)],
    ids=["itself", "another host"],
)
def test_rules_behind_a_redirect_to_https_are_reported_only_if_it_leads_elsewhere(
    to: str, is_trap: bool
) -> None:
    found = advised(moved(to), ingress("web", "/web"))

    assert ("catch-all-hides-rules" in found) is is_trap


PATHS_OF_ONE = """\
          - path: {first}
            pathType: {first_type}
            backend: {{service: {{name: web-plain, port: {{number: 80}}}}}}
          - path: {second}
            pathType: {second_type}
            backend: {{service: {{name: web-plain, port: {{number: 80}}}}}}
"""


@pytest.mark.parametrize(
    ("first", "first_type", "second", "second_type", "remedy"),
    [
        ("/*", "ImplementationSpecific", "/a", "ImplementationSpecific", "put its path before the other"),
        ("/", "Prefix", "/", "Prefix", "put its path before the other"),
        ("/a/*", "ImplementationSpecific", "/", "Prefix", "write path / as /* with pathType"),
        ("/b/a*", "ImplementationSpecific", "/b", "Prefix", "write path /b as /b/* with pathType"),
        ("/a/*", "ImplementationSpecific", "/*", "ImplementationSpecific", ""),
        ("/", "Prefix", "/a", "Prefix", ""),
    ],
)
def test_the_remedy_within_one_ingress_is_one_that_the_controllers_order_of_paths_allows(
    look: Look, first: str, first_type: str, second: str, second_type: str, remedy: str
) -> None:
    head = REST.partition("          - path:")[0]
    paths = PATHS_OF_ONE.format(first=first, first_type=first_type, second=second, second_type=second_type)
    found = look(*GOOD[:2], head + paths, rule="hidden-rules")
    assert [one.do for one in found if remedy in one.do] == [one.do for one in found]
    assert bool(found) is bool(remedy)


def test_the_remedy_between_ingresses_names_both_and_the_order_to_go_below(look: Look) -> None:
    (found,) = look(
        *GOOD, annotated(REST, f'{ALB}group.order: "-1"').replace("/carts/*", "/*"), rule="hidden-rules"
    )
    assert (
        found.do
        == f"give Ingress default/web a smaller {ALB}group.order than the -1 of Ingress default/web-rest"
    )
