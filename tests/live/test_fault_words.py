"""Faults in one line."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from testbed.errors import BadInput
from testbed.faults import KNOWN, Reach, TargetErrors, TargetKilled, TargetSlow
from testbed.live.fault_words import read_fault, suggestions


@pytest.mark.parametrize("text", suggestions(frozenset(Reach)))
def test_each_suggestion_is_a_fault_and_its_text_is_read_again(text: str) -> None:
    fault = read_fault(text)
    assert read_fault(fault.text) == fault


def test_every_fault_is_suggested_where_it_strikes() -> None:
    assert {text.split()[0] for text in suggestions(frozenset(Reach))} == set(KNOWN)
    assert {KNOWN[text.split()[0]].reach for text in suggestions({Reach.DNS})} == {Reach.DNS}


def test_parameters_have_their_types_and_their_defaults() -> None:
    assert read_fault("target-killed envoy-1") == TargetKilled("envoy-1")
    assert read_fault("  target-slow 0.5   0.2 ") == TargetSlow(0.5, 0.2)
    assert read_fault("target-errors") == TargetErrors()


@pytest.mark.parametrize(
    "text",
    [
        "",
        "meteor",
        "target-killed",
        "target-killed envoy-9",
        "target-slow",
        "target-slow much",
        "target-slow nan",
        "target-slow 0.5 2",
        "dns-silent now",
        "target-errors 5.5",
    ],
)
def test_what_is_no_fault_is_refused_with_what_to_do(text: str) -> None:
    with pytest.raises(BadInput) as caught:
        read_fault(text)
    assert caught.value.do


@given(
    st.text(max_size=40)
    | st.sampled_from(sorted(KNOWN)).flatmap(lambda name: st.text(max_size=20).map(f"{name} ".__add__))
)
def test_any_text_is_a_fault_or_refused(text: str) -> None:
    try:
        fault = read_fault(text)
    except BadInput:
        return
    assert read_fault(fault.text) == fault
