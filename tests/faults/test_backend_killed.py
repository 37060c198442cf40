"""`BackendKilled` as it strikes a process, and as it is undone."""

from __future__ import annotations

from collections.abc import Callable

from testbed.faults.backend_killed import BackendKilled
from tests.faults.conftest import Plant


def test_it_ends_the_part_and_the_part_serves_again_afterwards(plant: Callable[[str], Plant]) -> None:
    plant("backend-0").ends_and_starts_again(BackendKilled("backend-0"), -9)
