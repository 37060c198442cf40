"""What strikes a process refuses, and what it leaves of an access log."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from testbed.errors import BadInput
from testbed.runtime.struck_processes import StruckProcesses
from tests.faults.conftest import Plant, plant

__all__ = ["plant"]

Made = Callable[[str], Plant]


@pytest.mark.parametrize(
    ("kind", "part", "why"),
    [("kill", "envoy-1", "this run has envoy-0"), ("x", "y", "no x")],
)
def test_what_it_cannot_strike_is_refused(plant: Made, kind: str, part: str, why: str) -> None:
    made = plant("envoy-0").processes
    assert isinstance(made, StruckProcesses)
    with pytest.raises(BadInput, match=why), made.struck(kind, part):
        pass


def test_a_balancer_that_would_forget_is_paused_only(plant: Made) -> None:
    with pytest.raises(BadInput, match="pause nlb"), plant("nlb").processes.struck("kill", "nlb"):
        pass


def test_one_fault_at_a_time_strikes_a_part(plant: Made) -> None:
    made = plant("envoy-0")
    with made.processes.struck("pause", "envoy-0"):
        with pytest.raises(BadInput, match="struck already"), made.processes.struck("kill", "envoy-0"):
            pass
        assert made.until(made.is_stopped)  # the fault that was refused has undone nothing
    with made.processes.struck("kill", "envoy-0"):
        pass


def test_a_torn_last_line_of_an_access_log_is_cut_off(plant: Made, tmp_path: Path) -> None:
    made, log = plant("envoy-0"), tmp_path / "access.json"
    log.write_text('{"a": 1}\n{"b": 2}\n{"c"')
    parts = made.processes._parts
    made.processes.know({"envoy-0": replace(parts["envoy-0"], access_log=log)})
    with made.processes.struck("kill", "envoy-0"):
        pass
    assert log.read_text() == '{"a": 1}\n{"b": 2}\n'
    assert made.answers()
