"""Faults on their own time: each strikes, is undone, and is in the journal, whatever happens."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import pytest

from testbed import journal
from testbed.errors import BadInput, Missing
from testbed.faults import DnsSilent, InjectedFault, Reach, Scheduled, TargetCutOff, TargetKilled
from testbed.rehearsal.fault_schedule import check_faults
from testbed.settings import PATIENCE
from tests.rehearsal.still_topology import StillTopology

KILLED = TargetKilled("envoy-1")


def marks(topology: StillTopology) -> list[str]:
    found: list[Any] = [*topology.events(journal.FaultStarted), *topology.events(journal.FaultEnded)]
    return [
        f"{one.text} begins" if isinstance(one, journal.FaultStarted) else f"{one.number} ends"
        for one in sorted(found, key=lambda one: one.time)
    ]


class Struck:
    """Tells when a fault has struck, and when it is undone."""

    def __init__(self, topology: StillTopology) -> None:
        self.begun, self.undone = threading.Event(), threading.Event()
        self._strike = topology.strike
        topology.strike = self.strike  # type: ignore[method-assign]

    @contextmanager
    def strike(self, fault: InjectedFault) -> Iterator[None]:
        with self._strike(fault):
            self.begun.set()
            yield
        self.undone.set()


def test_without_times_it_lasts_as_long_as_its_block(still_topology: StillTopology) -> None:
    with still_topology.cutover().fault(KILLED):
        assert still_topology.calls == ["target-killed envoy-1 begins"]
        assert marks(still_topology) == ["target-killed envoy-1 begins"]
    assert still_topology.calls == ["target-killed envoy-1 begins", "target-killed envoy-1 ends"]
    assert marks(still_topology) == ["target-killed envoy-1 begins", "1 ends"]


def test_with_times_it_begins_and_ends_within_its_block(still_topology: StillTopology) -> None:
    struck = Struck(still_topology)
    with still_topology.cutover().fault(KILLED, at="30s", for_="2m"):
        assert struck.undone.wait(PATIENCE.condition)
    assert marks(still_topology) == ["target-killed envoy-1 begins", "1 ends"]


def test_a_block_that_ends_first_ends_the_fault(still_topology: StillTopology) -> None:
    struck = Struck(still_topology)
    with still_topology.cutover().fault(KILLED, for_=1e8):
        assert struck.begun.wait(PATIENCE.condition)
        assert not struck.undone.is_set()
    assert struck.undone.is_set()


def test_a_block_that_fails_ends_the_fault_and_its_own_error_counts(still_topology: StillTopology) -> None:
    with pytest.raises(ZeroDivisionError), still_topology.cutover().fault(KILLED):
        raise ZeroDivisionError
    assert marks(still_topology) == ["target-killed envoy-1 begins", "1 ends"]


def test_a_block_that_ends_before_the_start_leaves_no_trace(still_topology: StillTopology) -> None:
    with still_topology.cutover().fault(KILLED, at=1e8):
        pass
    assert (still_topology.calls, marks(still_topology)) == ([], [])


def test_a_list_begins_with_the_traffic_and_ends_with_the_run(still_topology: StillTopology) -> None:
    struck = Struck(still_topology)
    cutover = still_topology.cutover()
    cutover.scenario = replace(cutover.scenario, faults=(Scheduled(DnsSilent(), at="1m"),))
    assert not struck.begun.is_set()
    cutover.start_traffic()
    assert struck.begun.wait(PATIENCE.condition)
    cutover.start_traffic()  # a new rate does not begin the list again
    cutover.end()
    assert struck.undone.is_set()
    cutover.close()
    assert marks(still_topology) == ["dns-silent begins", "1 ends"]


def test_a_fault_that_cannot_strike_fails_the_run(still_topology: StillTopology) -> None:
    @contextmanager
    def fails(_: InjectedFault) -> Iterator[None]:
        raise Missing("it does not start")
        yield

    still_topology.strike = fails  # type: ignore[method-assign]
    cutover = still_topology.cutover()
    with pytest.raises(Missing, match="it does not start"), cutover.fault(KILLED):
        pass
    cutover.scenario = replace(cutover.scenario, faults=(Scheduled(DnsSilent()),))
    cutover.start_traffic()
    with pytest.raises(Missing, match="it does not start"):
        cutover.end()
    cutover.close()


def test_a_runtime_that_does_not_reach_a_fault_says_which(still_topology: StillTopology) -> None:
    with pytest.raises(BadInput, match="cannot play target-cut-off envoy-0: it does not reach"):
        check_faults([KILLED, TargetCutOff("envoy-0")], frozenset({Reach.PARTS}))
    cutover = still_topology.cutover()
    assert "target-killed" in cutover.faults
    assert "target-cut-off" not in cutover.faults


@pytest.mark.parametrize(
    ("arguments", "more", "why"),
    [
        ((KILLED, "envoy-1"), {}, "names its part"),
        (("kill",), {}, "names no part"),
        (("kill", "envoy-1"), {"at": "1m"}, "a word has no times"),
        ((KILLED,), {"at": "soon"}, "is not a duration"),
    ],
)
def test_what_cannot_be_meant_is_refused(
    still_topology: StillTopology, arguments: Any, more: Any, why: str
) -> None:
    with pytest.raises(BadInput, match=why), still_topology.cutover().fault(*arguments, **more):
        pass


def test_one_of_a_person_strikes_at_once_and_ends_with_the_story(still_topology: StillTopology) -> None:
    cutover = still_topology.cutover()
    cutover.strike(Scheduled(KILLED))
    assert marks(still_topology) == ["target-killed envoy-1 begins"]
    cutover.end()
    assert marks(still_topology) == ["target-killed envoy-1 begins", "1 ends"]
    with pytest.raises(BadInput, match="the story has ended"):
        cutover.strike(Scheduled(KILLED))


def test_one_of_a_person_that_cannot_strike_is_no_failure_of_the_run(
    still_topology: StillTopology, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(fault: InjectedFault) -> Any:
        raise BadInput(f"{fault.text}: struck already")

    cutover = still_topology.cutover()
    monkeypatch.setattr(still_topology, "strike", refuse)
    with pytest.raises(BadInput, match="struck already"):
        cutover.strike(Scheduled(KILLED))
    cutover.end()
