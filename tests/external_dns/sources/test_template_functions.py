"""A template calls the functions that its version of ExternalDNS has."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from testbed.external_dns.sources.template_functions import functions
from tests.external_dns.releases import NEWEST, OLDEST


@pytest.mark.parametrize(
    ("name", "arguments", "result"),
    [
        ("index", ({"a": "b"}, "a"), "b"),
        ("index", ({"a": "b"}, "c"), ""),
        ("index", (["x", "y"], 1), "y"),
        ("eq", (1, 2, 1), True),
        ("and", ("a", "", "b"), ""),
        ("or", ("", "b"), "b"),
        ("not", ("",), True),
        ("printf", ("%s-%v", "a", 1), "a-1"),
        ("trimPrefix", ("web-app", "web-"), "app"),
        ("replace", ("-", ".", "a-b"), "a.b"),
        ("isIPv4", ("192.0.2.1",), True),
        ("isIPv6", ("192.0.2.1",), False),
        ("isIPv6", ("web",), False),
        ("hasKey", ({"a": ""}, "a"), True),
    ],
)
def test_a_function_gives_what_gos_does(name: str, arguments: tuple[Any, ...], result: Any) -> None:
    assert functions(NEWEST)[name](*arguments) == result


def test_v0_7_adds_only_trim_prefix_to_the_functions_of_go() -> None:
    assert set(functions(NEWEST)) - set(functions(OLDEST)) == {
        *("contains", "trimSuffix", "trim", "toLower", "replace", "isIPv4", "isIPv6", "hasKey")
    }
    assert "trimPrefix" in functions(OLDEST)


@given(st.lists(st.sampled_from(["", "a", 0, 1]), min_size=1))
def test_and_gives_the_first_empty_value_and_or_the_first_other(values: list[Any]) -> None:
    table = functions(NEWEST)
    assert table["and"](*values) == next((one for one in values if not one), values[-1])
    assert table["or"](*values) == next((one for one in values if one), values[-1])
