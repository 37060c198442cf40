"""Owns what a topology starts: processes, servers, coroutines, threads; leaving stops all, the last first.

The first failure of any of them is kept, and raised to whoever asks.
"""

from __future__ import annotations

import asyncio
import tempfile
import threading
from collections.abc import Callable, Coroutine
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from testbed.errors import Missing, TestbedError
from testbed.runtime.loop import LoopThread
from testbed.runtime.priority import give_way
from testbed.runtime.process import Command, Process
from testbed.settings import PATIENCE


class Upkeep:
    """What runs, and how it ends.

    Attributes:
        stop: set when everything shall end.
    """

    def __init__(self) -> None:
        self.stop = threading.Event()
        self._stack = ExitStack()
        self._processes: list[Process] = []
        self._expected_ends: set[str] = set()
        self._failure: BaseException | None = None

    def close(self) -> None:
        """Stop everything that was started; may be called at any time."""
        self._stack.close()

    def folder(self) -> Path:
        """A new folder that goes with the topology: keys, configurations, output; nothing for a report."""
        return Path(self._stack.enter_context(tempfile.TemporaryDirectory(prefix="testbed-")))

    def loop(self) -> LoopThread:
        """A new loop for servers, in a thread of its own."""
        return self._stack.enter_context(LoopThread())

    def spawn(self, command: Command, logs: Path) -> Process:
        """Start a process; its early end is a failure.

        Raises:
            Missing: it cannot be started.
        """
        process = self._stack.enter_context(Process(command, logs))
        self._processes.append(process)
        return process

    def expect_end(self, process: Process) -> None:
        """The end of this process is no failure from now on."""
        self._expected_ends.add(process.name)

    def serve(
        self,
        loop: LoopThread,
        start: Coroutine[Any, Any, None],
        stop: Callable[[], Coroutine[Any, Any, None]],
    ) -> None:
        """Start a server in a loop."""
        loop.run(start)
        self._stack.callback(lambda: loop.run(stop()))

    def keep(self, loop: LoopThread, work: Coroutine[Any, Any, None]) -> None:
        """Let a coroutine run in the loop until the end; its failure is the topology's."""
        future = asyncio.run_coroutine_threadsafe(work, loop.loop)
        future.add_done_callback(lambda done: None if done.cancelled() else self.fail(done.exception()))
        self._stack.callback(future.cancel)

    def thread(self, name: str, run: Callable[[threading.Event], None]) -> None:
        """Let a function run in a thread until the end; it is given the event that asks it to stop."""

        def work() -> None:
            give_way()
            try:
                run(self.stop)
            except BaseException as error:  # noqa: BLE001 told to the scenario, which ends with it
                if not self.stop.is_set():
                    self.fail(error)

        thread = threading.Thread(target=work, name=name, daemon=True)
        thread.start()
        self._stack.callback(thread.join, PATIENCE.process_stop)
        self._stack.callback(self.stop.set)

    def fail(self, error: BaseException | None) -> None:
        """Keep the first failure."""
        self._failure = self._failure or error

    def check(self) -> None:
        """Raise the first failure, or `Missing` if a process has ended before its time."""
        failure = self._failure
        if isinstance(failure, TestbedError):
            raise failure
        if failure:
            what = f"a part of the testbed ended by {type(failure).__name__}: {failure}"
            raise Missing(what) from failure
        for process in self._processes:
            if process.returncode is not None and process.name not in self._expected_ends:
                raise Missing(
                    f"{process.name} ended with status {process.returncode}: {process.last_words()}"
                )
