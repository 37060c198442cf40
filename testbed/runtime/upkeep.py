"""Owns everything that a topology starts: processes, servers, coroutines, threads.

`close` stops them, the last first. The first failure of any of them is kept, and `check` raises it.
"""

from __future__ import annotations

import asyncio
import tempfile
import threading
from collections.abc import Callable, Coroutine
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from testbed.child_process import Command, Process
from testbed.errors import Missing, TestbedError
from testbed.runtime.loop_thread import LoopThread
from testbed.runtime.priority import give_way
from testbed.settings import PATIENCE


class Upkeep:
    """The running parts of a topology.

    Attributes:
        stop: is set when all threads must end.
    """

    def __init__(self) -> None:
        self.stop = threading.Event()
        self._stack = ExitStack()
        self._processes: list[Process] = []
        self._expected_ends: set[str] = set()
        self._asked_to_end: list[threading.Event] = []
        self._failure: BaseException | None = None

    def close(self) -> None:
        """Stop everything that was started; may be called at any time."""
        self._stack.close()

    def folder(self) -> Path:
        """Return a new folder that is removed with the topology: for keys, configurations and output."""
        return Path(self._stack.enter_context(tempfile.TemporaryDirectory(prefix="testbed-")))

    def at_end(self, close: Callable[[], None]) -> None:
        """Call a function at the end, before what was started earlier is stopped."""
        self._stack.callback(close)

    def loop(self) -> LoopThread:
        """Return a new loop for servers, in a thread of its own."""
        return self._stack.enter_context(LoopThread())

    def spawn(self, command: Command, logs: Path) -> Process:
        """Start a process; if it ends before `close`, that is a failure.

        Raises:
            Missing: it cannot be started.
        """
        process = self._stack.enter_context(Process(command, logs))
        self._processes.append(process)
        return process

    def expect_end(self, process: Process) -> None:
        """Treat the end of this process as no failure from now on."""
        self._expected_ends.add(process.name)

    def expect_life(self, process: Process) -> None:
        """Treat the end of this process as a failure again."""
        self._expected_ends.discard(process.name)

    def serve(
        self,
        loop: LoopThread,
        start: Coroutine[Any, Any, None],
        stop: Callable[[], Coroutine[Any, Any, None]],
    ) -> None:
        """Start a server in a loop, and stop it at the end."""
        loop.run(start)
        self._stack.callback(lambda: loop.run(stop()))

    def keep(self, loop: LoopThread, work: Coroutine[Any, Any, None]) -> None:
        """Run a coroutine in the loop until the end; its failure is a failure of the topology."""
        future = asyncio.run_coroutine_threadsafe(work, loop.loop)
        future.add_done_callback(lambda done: None if done.cancelled() else self.fail(done.exception()))
        self._stack.callback(future.cancel)

    def thread(
        self,
        name: str,
        run: Callable[[threading.Event], None],
        patience: float = PATIENCE.process_stop,
    ) -> Callable[[], None]:
        """Run a function in a thread until the end; its argument is the event that asks it to stop.

        Args:
            patience: wall seconds that it may take to stop.

        Returns:
            a function that ends this thread alone, before the rest.
        """
        ends = threading.Event()

        def work() -> None:
            give_way()
            try:
                run(ends)
            except BaseException as error:  # noqa: BLE001 `check` raises it, which ends the scenario
                if not ends.is_set():
                    self.fail(error)

        def end() -> None:
            ends.set()
            thread.join(patience)

        thread = threading.Thread(target=work, name=name, daemon=True)
        thread.start()
        self._asked_to_end.append(ends)
        # The stack runs backwards: the events of all threads first, then the wait for each.
        self._stack.callback(thread.join, patience)
        self._stack.callback(self._ask_to_end)
        return end

    def _ask_to_end(self) -> None:
        self.stop.set()
        for one in self._asked_to_end:
            one.set()

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
