from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from testbed.kubernetes.label_selectors import NotASelector, Requirement, matches, parse, selects

LABELS = {"app": "envoy", "tier": "x", "empty": ""}


@pytest.mark.parametrize(
    ("text", "holds"),
    [
        ("", True),
        (" ", True),
        ("app=envoy", True),
        ("app == envoy", True),
        ("app=other", False),
        ("app!=other", True),
        ("missing!=other", True),
        ("app", True),
        ("!app", False),
        ("!missing", True),
        ("app in (a, envoy)", True),
        ("app notin (a,envoy)", False),
        ("missing notin (a)", True),
        ("missing in (a)", False),
        ("empty=", True),
        ("empty in ()", True),
        ("app=envoy,tier in (x,y),!gone", True),
        ("app=envoy,tier=y", False),
        ("example.com/app=envoy", False),
    ],
)
def test_labels_meet_a_selector_or_not(text: str, holds: bool) -> None:
    assert matches(text, LABELS) is holds


def test_a_selector_is_a_list_of_requirements() -> None:
    assert parse("app=envoy,!gone,tier notin (x,y)") == (
        Requirement("app", "in", frozenset(["envoy"])),
        Requirement("gone", "absent"),
        Requirement("tier", "notin", frozenset("xy")),
    )


@pytest.mark.parametrize(
    ("text", "requirement", "word"),
    [
        ("a b", "a b", "a b"),
        ("a=1,b=c d", "b=c d", "c d"),
        ("a in (b", "a in (b", "a in (b"),
        ("!", "!", ""),
        ("a in (b c)", "a in (b c)", "b c"),
        ("a=b/c", "a=b/c", "b/c"),
        ("a=b,", "", ""),
    ],
)
def test_a_text_that_is_no_selector_is_refused_with_the_word_that_is_wrong(
    text: str, requirement: str, word: str
) -> None:
    with pytest.raises(NotASelector) as refusal:
        parse(text)
    assert (refusal.value.requirement, refusal.value.word) == (requirement, word)


WORDS = st.sampled_from(["a", "b-1", "C_d", "1"])


@given(st.dictionaries(WORDS, WORDS, max_size=3), WORDS, st.lists(WORDS, min_size=1, max_size=3))
def test_notin_holds_exactly_where_in_does_not(labels: dict[str, str], key: str, values: list[str]) -> None:
    listed = ",".join(values)
    assert matches(f"{key} in ({listed})", labels) != matches(f"{key} notin ({listed})", labels)
    assert matches(key, labels) != matches(f"!{key}", labels)
    assert matches(f"{key}={values[0]}", labels) != matches(f"{key}!={values[0]}", labels)


REQUIREMENTS = st.one_of(
    st.builds(Requirement, WORDS, st.sampled_from(["exists", "absent"])),
    st.builds(Requirement, WORDS, st.sampled_from(["in", "notin"]), st.frozensets(WORDS, min_size=1)),
)


def written(requirement: Requirement) -> str:
    if requirement.operator in ("exists", "absent"):
        return ("!" if requirement.operator == "absent" else "") + requirement.key
    return f"{requirement.key} {requirement.operator} ({', '.join(sorted(requirement.values))})"


@given(st.lists(REQUIREMENTS, max_size=4))
def test_requirements_that_are_written_down_are_read_back(requirements: list[Requirement]) -> None:
    assert parse(",".join(map(written, requirements))) == tuple(requirements)


WEB = {"tier": "web", "zone": "a"}


@pytest.mark.parametrize(
    ("expression", "matches"),
    [
        ({"key": "tier", "operator": "In", "values": ["web", "api"]}, True),
        ({"key": "tier", "operator": "NotIn", "values": ["web"]}, False),
        ({"key": "team", "operator": "NotIn", "values": ["web"]}, True),
        ({"key": "zone", "operator": "Exists"}, True),
        ({"key": "team", "operator": "Exists"}, False),
        ({"key": "team", "operator": "DoesNotExist"}, True),
    ],
)
def test_an_expression_matches_as_in_kubernetes(expression: dict[str, Any], matches: bool) -> None:
    assert selects({"matchExpressions": [expression]}, WEB) is matches


def test_all_labels_and_expressions_must_match_and_an_empty_selector_matches_everything() -> None:
    other_zone = {"key": "zone", "operator": "In", "values": ["b"]}

    assert selects({}, WEB)
    assert selects({"matchLabels": {"tier": "web"}}, WEB)
    assert not selects({"matchLabels": {"tier": "web"}, "matchExpressions": [other_zone]}, WEB)
    assert not selects({"matchLabels": {"tier": "api"}}, WEB)
