"""The durations that a script gives: what is none is refused when the script is read, and else in the run."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from testbed.errors import BadInput
from testbed.rehearsal import durations
from testbed.rehearsal.conditions import no_record
from testbed.rehearsal.script import load
from tests.rehearsal.still_topology import StillTopology

SCRIPT = """\
import math
from testbed import Cutover, scenario
from testbed.conditions import no_record

MINUTE = 60
SYNC = 3 * MINUTE
PATIENCE = float("inf")
BELOW = SYNC - 5 * MINUTE

@scenario("A move", host="api.example.com")
def story(cutover: Cutover) -> None:
    helper(cutover, 7)

def helper(cutover, seconds):
    {call}
"""
NONE = [
    "cutover.hold(-1)",
    "cutover.hold(float('nan'))",
    "cutover.hold(math.inf)",
    "cutover.hold(seconds=-MINUTE)",
    "cutover.hold(BELOW)",
    "cutover.hold('60')",
    "cutover.hold(None)",
    "cutover.hold(True)",
    "cutover.hold(1e300 * 1e300)",
    "cutover.wait_until(no_record(), within=PATIENCE)",
    "cutover.wait_until(no_record(), within=math.nan)",
    "cutover.expect(no_record(), within=-0.5)",
    "cutover.run('true', within=float('-inf'))",
]
FINE = [
    "cutover.hold(0)",
    "cutover.hold(2 * SYNC - MINUTE / 2)",
    "cutover.wait_until(no_record(), within=SYNC)",
    "cutover.hold(seconds)",
    "cutover.hold(-seconds)",
    "cutover.hold(MINUTE / 0)",
    "other.hold(-1)",
    "math.floor(-1)",
]


def script(folder: Path, call: str) -> Path:
    path = folder / "cutover.py"
    path.write_text(SCRIPT.format(call=call))
    return path


@pytest.mark.parametrize("call", NONE)
def test_what_is_no_duration_is_refused_with_its_line_before_anything_starts(
    tmp_path: Path, call: str
) -> None:
    with pytest.raises(BadInput, match=r"is not a duration; write seconds of production time") as caught:
        load(str(script(tmp_path, call)))
    assert str(caught.value).startswith(f"{tmp_path / 'cutover.py'}:15: ")


@pytest.mark.parametrize("call", FINE)
def test_what_is_a_duration_or_is_not_known_yet_is_left_to_the_run(tmp_path: Path, call: str) -> None:
    load(str(script(tmp_path, call)))


@pytest.mark.parametrize("seconds", [-1, math.nan, math.inf, -math.inf, "60", None, True])
@pytest.mark.parametrize("method", ["hold", "wait_until", "expect", "run"])
def test_what_a_script_computes_is_refused_when_it_is_used(
    still_topology: StillTopology, method: str, seconds: Any
) -> None:
    cutover = still_topology.cutover()
    calls: dict[str, Any] = {
        "hold": lambda: cutover.hold(seconds),
        "wait_until": lambda: cutover.wait_until(no_record(), within=seconds),
        "expect": lambda: cutover.expect(no_record(), within=seconds),
        "run": lambda: cutover.run("true", within=seconds),
    }
    with pytest.raises(BadInput, match=f"{method}.*: .* is not a duration"):
        calls[method]()


@given(st.floats())
def test_only_finite_numbers_from_zero_up_are_durations(value: float) -> None:
    assert durations.is_duration(value) is (math.isfinite(value) and 0 <= value <= durations.MOST)
