"""Plays faults at their time, each in a thread of its own, and undoes each whatever happens.

```
begin ──at──► strikes ──for_──► undone          the end of its block, or of the run, ends both waits
```
"""

from __future__ import annotations

import itertools
import threading
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager

from testbed.errors import BadInput
from testbed.faults import InjectedFault, Scheduled
from testbed.rehearsal.step_recorder import StepRecorder
from testbed.rehearsal.topology import Topology


class FaultSchedule:
    """The faults of a run. Strikes and their ends go to the journal."""

    def __init__(self, topology: Topology, recorder: StepRecorder) -> None:
        self._topology, self._recorder = topology, recorder
        self._numbers = itertools.count(1)
        self._planned: list[_Planned] = []
        self._beginning = threading.Lock()
        self._is_closed = False

    @contextmanager
    def strike(self, fault: InjectedFault) -> Iterator[None]:
        """Strike while the block lasts.

        Raises:
            BadInput: the runtime does not reach what the fault strikes.
        """
        check_faults([fault], self._topology.reaches)
        number = next(self._numbers)
        # Before the strike and after its end: no request is struck outside of the window in the journal.
        self._recorder.fault_started(number, fault.name, fault.text)
        try:
            with self._topology.strike(fault):
                yield
        finally:
            self._recorder.fault_ended(number)

    @contextmanager
    def block(self, scheduled: Scheduled) -> Iterator[None]:
        """Play a fault on its own time; the end of the block ends it.

        Raises:
            BadInput: the runtime does not reach what the fault strikes.
        """
        check_faults([scheduled.fault], self._topology.reaches)
        planned = self._begin(scheduled)
        try:
            yield
        finally:
            planned.end()
        planned.check()

    def begin(self, faults: Iterable[Scheduled]) -> None:
        """Begin a list of faults, whose times count from now; `close` ends them."""
        for one in faults:
            self._begin(one)

    def now(self, scheduled: Scheduled) -> None:
        """Begin a fault, and return when it strikes; `close` ends it at the latest. Any thread may call this.

        Raises:
            BadInput: the story has ended, or the fault cannot strike; then it is no failure of the run.
        """
        check_faults([scheduled.fault], self._topology.reaches)
        planned = self._begin(scheduled)
        if failure := planned.failure_to_strike():
            with self._beginning:
                self._planned.remove(planned)
            raise failure

    def check(self) -> None:
        """Raise the failure of a fault that could not strike or end."""
        for one in list(self._planned):
            one.check()

    def close(self) -> None:
        """Undo every fault, and let none begin any more."""
        with self._beginning:
            self._is_closed = True
        for one in list(self._planned):
            one.end()

    def _begin(self, scheduled: Scheduled) -> _Planned:
        planned = _Planned(self, scheduled, self._topology)
        with self._beginning:
            if self._is_closed:
                raise BadInput(f"{scheduled.fault.text} cannot strike: the story has ended")
            self._planned.append(planned)
            planned.start()
        return planned


class _Planned(threading.Thread):
    """One fault from its beginning to its end."""

    def __init__(self, schedule: FaultSchedule, scheduled: Scheduled, topology: Topology) -> None:
        super().__init__(name=f"fault-{scheduled.fault.name}", daemon=True)
        self._schedule, self._scheduled, self._clock = schedule, scheduled, topology.clock
        self._over = threading.Event()
        self._has_struck = False
        self._begun = threading.Event()
        self._failure: BaseException | None = None

    def run(self) -> None:
        """Wait, strike, wait, undo."""
        try:
            if self._clock.wait(self._over, self._scheduled.start):
                return
            with self._schedule.strike(self._scheduled.fault):
                self._has_struck = True
                self._begun.set()
                lasts = self._scheduled.lasts
                self._over.wait() if lasts is None else self._clock.wait(self._over, lasts)
        except BaseException as error:  # noqa: BLE001 `check` raises it in the thread of the story
            self._failure = error
        finally:
            self._begun.set()

    def failure_to_strike(self) -> BaseException | None:
        """Wait until it strikes; return why it does not, or None."""
        self._begun.wait()
        return None if self._has_struck else self._failure

    def end(self) -> None:
        """End the fault now, and return when it is undone."""
        self._over.set()
        self.join()

    def check(self) -> None:
        """Raise its failure."""
        if self._failure:
            raise self._failure


def check_faults(faults: Sequence[InjectedFault], reaches: frozenset[object]) -> None:
    """Check that a runtime reaches what faults strike.

    Raises:
        BadInput: it does not; the message names each such fault.
    """
    absent = [one for one in faults if one.reach not in reaches]
    if absent:
        places = " and ".join(dict.fromkeys(one.reach.value for one in absent))
        raise BadInput(
            f"this runtime cannot play {', '.join(one.text for one in absent)}: it does not reach {places}",
            do="docs/faults.md says which runtime plays which fault",
        )
