from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from testbed.lb_controller.advice import are_possible_codes, described, hides
from testbed.lb_controller.stack import Condition, QueryPair

HOSTS = st.sampled_from(["a.example.com", "A.example.com", "*.example.com", "b.example.com"])
PATHS = st.sampled_from(["/*", "/a", "/a/*", "/a/b", "/?", "/b*"])


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


@pytest.mark.parametrize(
    ("codes", "is_possible"),
    [
        ("12", True),
        ("0,1", True),
        ("0-5,12", True),
        ("5-0", False),
        ("100", False),
        ("", False),
        ("a", False),
    ],
)
def test_codes_are_numbers_and_rising_ranges_within_what_is_allowed(codes: str, is_possible: bool) -> None:
    assert are_possible_codes(codes, range(100)) is is_possible


def test_conditions_are_told_in_words() -> None:
    found = described(
        (
            Condition(field="http-header", header_name="X-Team", values=("a", "b")),
            Condition(field="query-string", query=(QueryPair(key="v", value="1"), QueryPair(value="2"))),
            Condition(field="path-pattern", regex_values=("^/a$",)),
        )
    )

    assert found == "X-Team a or b and query-string v=1 or 2 and path ~^/a$"
