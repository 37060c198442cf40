"""A user's own controller in the place of an emulation: its process, its log, and whether it has begun."""

from __future__ import annotations

import abc
import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any, Protocol

import yaml

from testbed.clock import Clock
from testbed.errors import Missing
from testbed.settings import PATIENCE, PRODUCTION

KUBECONFIG = "kubeconfig"
_LAST_WORDS = 10
"""Lines that are kept."""


class Running(Protocol):
    """A controller that runs."""

    @property
    def returncode(self) -> int | None:
        """The exit status, or None while it runs."""

    def lines(self) -> Iterable[str]:
        """Yield the whole lines that it has printed since the last call."""


class Place(Protocol):
    """Where controllers of the user run: as children of this process, or in containers."""

    def quote(self, last_words: Callable[[], str]) -> None:
        """Quote this controller if one asks for a host outside the testbed."""

    def started(
        self, name: str, path: str, arguments: Sequence[str], home: Path
    ) -> AbstractContextManager[Running]:
        """Start it; the end of the block ends it."""


class RealController(abc.ABC):
    """A binary that runs until the end, and is started again, as by the kubelet, if it ends before.

    Args:
        name: of the process, unique in the run.
        path: of the file or the name of the image, as the user wrote it.
        arguments: its flags.
        home: its folder, with the kubeconfig that the flags name.

    Attributes:
        name: as given.
        has_begun: is set when it has done its work for the first time.
    """

    done: str
    """What it has done then, for people: `synced`."""

    def __init__(
        self,
        name: str,
        path: str,
        arguments: Sequence[str],
        *,
        home: Path,
        kubeconfig: Callable[[], Mapping[str, Any]],
        controllers: Place,
        clock: Clock,
    ) -> None:
        self.has_begun = threading.Event()
        self.name, self._path, self._arguments = name, path, arguments
        self._home, self._kubeconfig = home, kubeconfig
        self._controllers, self._clock = controllers, clock
        self._words: list[str] = []
        self._process: Running | None = None
        self._reading = threading.Lock()
        controllers.quote(self.last_words)

    @abc.abstractmethod
    def hear(self, line: str) -> None:
        """Take a line that it wrote."""

    @abc.abstractmethod
    def look(self) -> bool:
        """Look at it from outside; return whether it has done its work since it was started."""

    @abc.abstractmethod
    def restarts(self, told: str) -> None:
        """Take that it has ended by itself, and is started again."""

    def last_words(self) -> str:
        """Return the last line that it wrote."""
        # The loop that lets `look` through may ask, so it does not wait for a look.
        if self._reading.acquire(blocking=False):
            try:
                self._hear_lines()
            finally:
                self._reading.release()
        return self._words[-1] if self._words else "it printed nothing"

    def run(self, stop: threading.Event) -> None:
        """Run it until `stop` is set; if it ends by itself, start it again, as the kubelet does.

        Raises:
            Missing: it ended, or did not begin, before it had done its work once.
        """
        kubeconfig = self._home / KUBECONFIG
        kubeconfig.touch(mode=0o600)
        kubeconfig.write_text(yaml.safe_dump(self._kubeconfig(), sort_keys=False))
        while not stop.is_set():
            with self._controllers.started(
                self.name, self._path, self._arguments, self._home
            ) as self._process:
                has_worked = self._follow(self._process, stop)
            has_worked |= self.read()
            if stop.is_set():
                return
            status = f"ended with status {self._process.returncode}"
            if not has_worked:
                raise Missing(f"{self._path} {status} before it had {self.done}: {self.last_words()}")
            with self._reading:
                self.restarts(f"the process {status}; the kubelet starts it again")
            self._clock.wait(stop, PRODUCTION.container_restart)

    def read(self) -> bool:
        """Read what it has logged and done until now, so that whoever asks next knows it."""
        with self._reading:
            if self._process is None:
                return False
            self._hear_lines()
            has_worked = self.look()
            if has_worked:
                self.has_begun.set()
            return has_worked

    def _hear_lines(self) -> None:
        for line in self._process.lines() if self._process else ():
            self._words = [*self._words[1 - _LAST_WORDS :], line]
            self.hear(line)

    def _follow(self, process: Running, stop: threading.Event) -> bool:
        """Follow it until it ends or is to; return whether it has done its work."""
        first_by = self._clock.wall() + PATIENCE.first_sync
        has_worked = False
        while not stop.wait(PATIENCE.metrics_look) and process.returncode is None:
            has_worked |= self.read()
            if not has_worked and not self.has_begun.is_set() and self._clock.wall() > first_by:
                raise Missing(
                    f"{self._path} has not {self.done} within {PATIENCE.first_sync:g} s: {self.last_words()}"
                )
        return has_worked
