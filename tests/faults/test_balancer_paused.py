"""`BalancerPaused` as it strikes a process, and as it is undone."""

from __future__ import annotations

from collections.abc import Callable

from testbed.faults.balancer_paused import BalancerPaused
from tests.faults.conftest import Plant


def test_it_silences_the_part_which_goes_on_afterwards(plant: Callable[[str], Plant]) -> None:
    plant("nlb").falls_silent_and_goes_on(BalancerPaused("nlb"))
