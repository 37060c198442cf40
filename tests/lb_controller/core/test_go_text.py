from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from testbed.lb_controller.core import go_text
from testbed.lb_controller.core.build_inputs import BuildError


def test_slices_and_sets_print_as_in_go() -> None:
    assert go_text.bracketed(["a", "b"]) == "[a b]"
    assert go_text.as_set(["b", "a"]) == "map[a:{} b:{}]"


@given(st.integers(-(2**63), 2**63 - 1))
def test_every_int64_is_read(number: int) -> None:
    assert go_text.integer(str(number)) == number


@pytest.mark.parametrize("text", ["", "1.5", "1_000", "a", " 1", "1\n"])
def test_what_is_no_integer_is_refused_in_the_words_of_strconv(text: str) -> None:
    with pytest.raises(BuildError) as raised:
        go_text.integer(text)
    assert str(raised.value) == f"strconv.ParseInt: parsing {go_text.quoted(text)}: invalid syntax"


def test_an_integer_that_is_too_large_is_refused() -> None:
    with pytest.raises(BuildError) as raised:
        go_text.integer("2147483648", bits=32)
    assert str(raised.value) == 'strconv.ParseInt: parsing "2147483648": value out of range'


def test_booleans_are_those_of_strconv() -> None:
    assert go_text.boolean("T")
    assert not go_text.boolean("0")
    with pytest.raises(BuildError) as raised:
        go_text.boolean("yes")
    assert str(raised.value) == 'strconv.ParseBool: parsing "yes": invalid syntax'


@pytest.mark.parametrize("text", ["", "[", '{"a": ', '"abc', "[1, 2"])
def test_json_that_ends_too_early_is_reported_as_by_go(text: str) -> None:
    with pytest.raises(BuildError) as raised:
        go_text.from_json(text)
    assert str(raised.value) == "unexpected end of JSON input"


@pytest.mark.parametrize("text", ["10.0.0.0", "10.0.0.0/33", "2001:db8::/129", "x/8"])
def test_what_is_no_cidr_is_refused(text: str) -> None:
    with pytest.raises(BuildError) as raised:
        go_text.check_cidr(text)
    assert str(raised.value) == f"invalid CIDR address: {text}"


def test_a_cidr_may_have_host_bits() -> None:
    go_text.check_cidr("10.0.0.1/8")
    go_text.check_cidr("2001:db8::1/32")
