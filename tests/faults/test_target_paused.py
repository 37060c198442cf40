"""`TargetPaused` as it strikes a process, and as it is undone."""

from __future__ import annotations

from collections.abc import Callable

from testbed.faults.target_paused import TargetPaused
from tests.faults.conftest import Plant


def test_it_silences_the_part_which_goes_on_afterwards(plant: Callable[[str], Plant]) -> None:
    plant("envoy-0").falls_silent_and_goes_on(TargetPaused("envoy-0"))
