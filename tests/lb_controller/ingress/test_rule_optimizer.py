from __future__ import annotations

from collections.abc import Iterable

from hypothesis import given
from hypothesis import strategies as st

from testbed.lb_controller.core.stack import Action, Condition, FixedResponse, Redirect
from testbed.lb_controller.ingress.rule_optimizer import Rule, covers, optimize

PATHS = st.sampled_from(["/a", "/b", "/*"])
HOSTS = st.sampled_from(["a.example.com", "b.example.com"])
ACTIONS = st.sampled_from(
    [
        Action(type="redirect", redirect=Redirect(status_code="HTTP_301", protocol="HTTPS", port="443")),
        Action(type="redirect", redirect=Redirect(status_code="HTTP_301", host="home.example.com")),
        Action(type="fixed-response", fixed_response=FixedResponse(status_code="200")),
    ]
)


@st.composite
def rules(draw: st.DrawFn) -> Rule:
    conditions = [Condition(field="path-pattern", values=tuple(draw(st.sets(PATHS, min_size=1))))]
    if draw(st.booleans()):
        conditions.insert(0, Condition(field="host-header", values=tuple(draw(st.sets(HOSTS, min_size=1)))))
    return Rule(conditions=tuple(conditions), actions=(draw(ACTIONS),))


def answer(wanted: Iterable[Rule], host: str, path: str) -> Action | None:
    """The action of the first rule that matches, by a plain reading."""
    for rule in wanted:
        values = {condition.field: condition.values for condition in rule.conditions}
        if host in values.get("host-header", (host,)) and {path, "/*"} & set(values["path-pattern"]):
            return rule.actions[0]
    return None


@given(st.lists(rules(), max_size=6), HOSTS, st.sampled_from(["/a", "/b", "/c"]))
def test_dropping_rules_behind_redirects_changes_no_answer(wanted: list[Rule], host: str, path: str) -> None:
    # On port 80 nothing redirects to itself, so that only the covered rules are dropped.
    assert answer(optimize(wanted, 80, "HTTP").kept, host, path) == answer(wanted, host, path)


@given(st.lists(rules(), max_size=6))
def test_optimizing_twice_changes_nothing(wanted: list[Rule]) -> None:
    once = optimize(wanted, 443, "HTTPS").kept

    assert optimize(once, 443, "HTTPS").kept == once


@given(st.lists(rules(), max_size=6))
def test_a_rule_left_out_behind_a_redirect_is_named_with_it(wanted: list[Rule]) -> None:
    found = optimize(wanted, 80, "HTTP")  # where nothing redirects to itself

    assert len(found.kept) + len(found.covered) == len(wanted)
    for rule, redirect in found.covered:
        assert redirect in found.kept
        assert redirect.actions[0].type == "redirect"
        assert covers(redirect.conditions, rule.conditions)
