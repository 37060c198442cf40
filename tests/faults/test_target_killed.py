"""`TargetKilled` as it strikes a process, and as it is undone."""

from __future__ import annotations

from collections.abc import Callable

from testbed.faults.target_killed import TargetKilled
from tests.faults.conftest import Plant


def test_it_ends_the_part_and_the_part_serves_again_afterwards(plant: Callable[[str], Plant]) -> None:
    plant("envoy-1").ends_and_starts_again(TargetKilled("envoy-1"), -9)
