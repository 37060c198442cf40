"""A user's binary as a child of the run: its output line by line, and its end with all that it forked."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path

from testbed.child_process import Command, Process
from testbed.real_controllers.confinement import Confinement
from testbed.real_controllers.forked_processes import MARK, end_marked, own_processes
from testbed.settings import PATIENCE


class ControllerProcess(Process):
    """A running binary. The end of the block ends it: SIGTERM, then SIGKILL, then whatever it left behind.

    Args:
        name: unique in the run, `external-dns`.
        arguments: the file and its flags.
        confinement: where it runs.
        folder: its HOME, where its output goes as well.
        environment: further variables of this controller.

    Raises:
        Missing: it cannot be started.
    """

    def __init__(
        self,
        name: str,
        arguments: Sequence[str],
        confinement: Confinement,
        folder: Path,
        environment: Mapping[str, str] | None = None,
    ) -> None:
        variables = confinement.environment(folder, environment)
        self._mark = variables[MARK]
        self._read = 0
        prefix = own_processes(confined=confinement.is_closed)
        command = Command(name, (*prefix, *arguments), variables, inherits=False)
        confinement.run(partial(super().__init__, command, folder))

    def lines(self) -> Iterator[str]:
        """Yield the whole lines that it has printed since the last call; the rest, too, once it has ended."""
        has_ended = self.returncode is not None
        with self.log.open("rb") as output:
            output.seek(self._read)
            new = output.read()
        if not has_ended:
            new = new[: new.rfind(b"\n") + 1]
        self._read += len(new)
        for line in new.decode(errors="replace").splitlines():
            if line.strip():
                yield line

    def stop(self) -> None:
        """Ask its process group to end, after `PATIENCE.process_stop` kill it, and kill what it forked."""
        self._signal(signal.SIGTERM)
        if self.wait(PATIENCE.process_stop) is None:
            self._signal(signal.SIGKILL)
        super().stop()
        end_marked(self._mark)

    def __enter__(self) -> ControllerProcess:
        return self

    def _signal(self, number: int) -> None:
        with suppress(ProcessLookupError):
            os.killpg(self.pid, number)
