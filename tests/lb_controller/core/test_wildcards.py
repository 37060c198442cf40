from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from testbed.lb_controller.core import wildcards

PATTERNS = st.text("ab*?", max_size=6)
TEXTS = st.text("abc", max_size=8)


def matches(pattern: str, text: str) -> bool:
    """A plain reading of the rule."""
    translated = "".join({"*": ".*", "?": "."}.get(character, re.escape(character)) for character in pattern)
    return re.fullmatch(translated, text, re.DOTALL) is not None


@given(PATTERNS, TEXTS)
def test_a_text_matches_as_by_a_regular_expression(pattern: str, text: str) -> None:
    assert wildcards.matches(pattern, text) == matches(pattern, text)


@given(PATTERNS, PATTERNS, TEXTS)
def test_what_the_special_pattern_matches_the_general_one_matches(
    general: str, special: str, text: str
) -> None:
    if wildcards.covers(general, special) and matches(special, text):
        assert matches(general, text)


@pytest.mark.parametrize(
    ("general", "special", "is_covered"),
    [
        ("/*", "/a/*", True),
        ("/a/*", "/a/*", True),
        ("/a/*", "/a", False),
        ("/a?", "/ab", True),
        ("/a?", "/a*", False),
        ("*.example.com", "api.example.com", True),
        ("*.example.com", "example.com", False),
    ],
)
def test_patterns_cover_others(general: str, special: str, is_covered: bool) -> None:
    assert wildcards.covers(general, special) is is_covered
