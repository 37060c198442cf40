"""`TargetCutOff` as it strikes a process, and as it is undone."""

from __future__ import annotations

from collections.abc import Callable

import psutil

from testbed.faults.target_cut_off import TargetCutOff
from tests.faults.conftest import Plant


def test_nothing_reaches_the_part_which_runs_on_and_answers_afterwards(plant: Callable[[str], Plant]) -> None:
    made = plant("envoy-1")
    before = made.process.pid
    assert made.answers()
    with made.struck(TargetCutOff("envoy-1")):
        assert not made.connects()
        assert psutil.Process(before).status() != psutil.STATUS_STOPPED
    assert made.answers()
    assert made.process.pid == before
