"""Where the real controllers of a run live: one place for all of them, made when the first one starts."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from testbed.errors import BadInput
from testbed.network import KUBERNETES_PORT, Network
from testbed.runtime.loop_thread import LoopThread
from testbed.runtime.upkeep import Upkeep

if TYPE_CHECKING:
    from testbed.real_controllers.confinement import Confinement
    from testbed.real_controllers.controller_process import ControllerProcess


class ConfinedControllers:
    """The place of a run's real controllers.

    Args:
        clusters: how many there are, each with an API at a port of its own.
    """

    def __init__(self, network: Network, loop: LoopThread, upkeep: Upkeep, clusters: int) -> None:
        self._network, self._loop, self._upkeep = network, loop, upkeep
        self._ports = [KUBERNETES_PORT + number for number in range(clusters)]
        self._last_words: list[Callable[[], str]] = []
        self._place: Confinement | None = None

    @property
    def place(self) -> Confinement:
        """Where they run.

        Raises:
            Missing: a port is taken.
        """
        from testbed.real_controllers.confinement import Confinement

        if self._place is None:
            folder = self._upkeep.folder()
            self._place = Confinement(self._network, folder, self._refused, self._ports)
            self._upkeep.at_end(self._place.close)
            self._upkeep.serve(self._loop, self._place.start(), self._place.stop)
        return self._place

    def home(self) -> Path:
        """Return a new folder for one of them, which goes with the run."""
        return self._upkeep.folder()

    def let_in(self, *ports: int) -> None:
        """Let the run call ports of theirs at its control address.

        Raises:
            Missing: a port is taken.
        """
        for port in ports:
            self._loop.run(self.place.let_in(port))

    def started(self, name: str, path: str, arguments: Sequence[str], home: Path) -> ControllerProcess:
        """Start a binary with these flags; `home` is its folder.

        Raises:
            Missing: it cannot be started.
        """
        from testbed.real_controllers.controller_process import ControllerProcess

        return ControllerProcess(name, file_and_flags(path, arguments), self.place, home)

    def quote(self, last_words: Callable[[], str]) -> None:
        """Quote this one, too, if one of them asks for a host outside the testbed."""
        self._last_words.append(last_words)

    def _refused(self, host: str) -> None:
        said = "; ".join(one() for one in self._last_words)
        self._upkeep.fail(
            BadInput(
                f"a real controller asked for {host}, and a run reaches nothing but itself. "
                f"Its last words: {said}",
                do="leave out what leads it there",
            )
        )


def file_and_flags(path: str, arguments: Sequence[str]) -> tuple[str, ...]:
    """Return the command of a binary, whose path is relative to the user's folder."""
    return (str(Path(path).expanduser().absolute()), *arguments)
