"""Strikes the processes of a run with signals, and makes each serve again when its fault ends."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path

from testbed.borrowed_sockets import Address
from testbed.child_process import Process
from testbed.errors import BadInput
from testbed.faults import CUT_OFF, FAULTS, KILL, PAUSE, STOP
from testbed.runtime.silenced_sockets import silenced
from testbed.runtime.upkeep import Upkeep
from testbed.settings import PATIENCE


@dataclass(frozen=True, slots=True)
class Strikable:
    """A process that may be struck.

    Attributes:
        process: the process.
        wait_until_ready: returns once it serves.
        access_log: the file that it appends whole lines to; None without one.
        has: whether an address and port are its own towards the other parts, so that a cut strikes there.
        restarts: False if what it knows is lost with it, so that it cannot be stopped or killed.
    """

    process: Process
    wait_until_ready: Callable[[], None]
    access_log: Path | None = None
    restarts: bool = True
    has: Callable[[Address], bool] = lambda _: True


class StruckProcesses:
    """The processes of a run that faults strike."""

    def __init__(self, upkeep: Upkeep) -> None:
        self._upkeep = upkeep
        self._parts: Mapping[str, Strikable] = {}
        self._struck: set[str] = set()
        # The kernel ends a child with the thread that made it, so that one must live as long as the run.
        self._restarting = ThreadPoolExecutor(1, thread_name_prefix="restart")
        upkeep.at_end(self._restarting.shutdown)

    def know(self, parts: Mapping[str, Strikable]) -> None:
        """Let these parts be struck from now on."""
        self._parts = parts

    @contextmanager
    def struck(self, kind: str, part: str) -> Iterator[None]:
        """Strike a part while the block lasts.

        Raises:
            BadInput: there is no such fault or part here, or the part is struck already.
        """
        if kind not in FAULTS:
            raise BadInput(f"no {kind} of {part} among local processes", do=f"write {' or '.join(FAULTS)}")
        if part not in self._parts:
            known = ", ".join(sorted(self._parts))
            raise BadInput(f"no {kind} of {part} among local processes", do=f"this run has {known}")
        if part in self._struck:
            raise BadInput(f"{part} is struck already", do="let one fault of a part end before the next")
        struck = self._parts[part]
        if kind in (STOP, KILL) and not struck.restarts:
            raise BadInput(f"no {kind} of {part} among local processes", do=f"pause {part}")
        self._struck.add(part)
        try:
            with self._played(struck, kind):
                yield
        finally:
            self._struck.discard(part)

    def _played(self, struck: Strikable, kind: str) -> AbstractContextManager[None]:
        if kind == PAUSE:
            return self._paused(struck)
        if kind == CUT_OFF:
            return silenced(lambda: [(struck.process.pid, lambda ends: struck.has(ends.local))])
        return self._ended(struck, kind)

    @contextmanager
    def _paused(self, struck: Strikable) -> Iterator[None]:
        struck.process.signal(signal.SIGSTOP)
        try:
            yield
        finally:
            struck.process.signal(signal.SIGCONT)

    @contextmanager
    def _ended(self, struck: Strikable, kind: str) -> Iterator[None]:
        process = struck.process
        self._upkeep.expect_end(process)
        try:
            process.signal(signal.SIGKILL if kind == KILL else signal.SIGTERM)
            # One that does not heed SIGTERM is killed, as the kubelet does after the grace period.
            if process.wait(PATIENCE.process_stop) is None:
                process.signal(signal.SIGKILL)
                process.wait(PATIENCE.process_stop)
            yield
        finally:
            if struck.access_log:
                _drop_torn_line(struck.access_log)
            self._restarting.submit(process.restart).result()
            struck.wait_until_ready()
            self._upkeep.expect_life(process)


def _drop_torn_line(path: Path) -> None:
    """Cut off what a killed process wrote of its last line: the next process appends to the file."""
    if not path.exists():
        return
    with path.open("r+b") as file:
        written = file.read()
        file.truncate(written.rfind(b"\n") + 1)
