"""A child process with an owner: ready before it is used, gone when its block ends.

The kernel kills the child if the testbed itself is killed (`PR_SET_PDEATHSIG`), so nothing stays behind
however the run ends. Its output goes to a file of its own, never to the terminal.
"""

from __future__ import annotations

import functools
import os
import shutil
import subprocess
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from testbed.errors import Missing
from testbed.settings import PATIENCE

# A parent that ended before the kernel was told has left the child to another one: then nothing may start.
# Each connection through a balancer costs two open files; many systems allow 1,024 unless asked for more.
_IF_THE_PARENT_LIVES = '[ "$PPID" = "$0" ] && ulimit -S -n "$(ulimit -H -n)" && exec "$@"'


@dataclass(frozen=True, slots=True)
class Command:
    """What to run. `name` is unique in the run; output goes to `<log folder>/<name>.log`."""

    name: str
    arguments: Sequence[str]
    environment: Mapping[str, str] = field(default_factory=dict)


class Process:
    """A started command. Use it as a context manager: leaving the block stops the process.

    Start from a thread that lives as long as the child: the kernel ties `PR_SET_PDEATHSIG` to the
    thread that forked, not to the process.
    """

    def __init__(self, command: Command, logs: Path) -> None:
        self.name = command.name
        self.log = logs / f"{command.name}.log"
        if shutil.which(command.arguments[0]) is None:
            raise Missing(f"{command.arguments[0]} cannot be started: No such file or directory")
        with self.log.open("wb") as output:
            try:
                self._child = subprocess.Popen(
                    [*dying_with_parent(), *command.arguments],
                    env={**os.environ, **command.environment},
                    stdin=subprocess.PIPE,
                    stdout=output,
                    stderr=subprocess.STDOUT,
                    process_group=0,  # Ctrl-C reaches the testbed only, which stops its children
                )
            except OSError as error:
                reason = f"{command.arguments[0]} cannot be started: {error.strerror}"
                raise Missing(reason) from None

    @property
    def pid(self) -> int:
        """Process id."""
        return self._child.pid

    @property
    def returncode(self) -> int | None:
        """Exit status, or None while it runs."""
        return self._child.poll()

    def wait_until(self, ready: Callable[[], bool], seconds: float = PATIENCE.process_start) -> None:
        """Poll `ready` until it is true.

        Raises:
            Missing: the process ended, or was not ready in time; quotes the end of its output.
        """
        pause = threading.Event()
        for _ in range(max(1, int(seconds / PATIENCE.poll))):
            if self.returncode is not None:
                raise Missing(f"{self.name} ended with status {self.returncode}: {self.last_words()}")
            if ready():
                return
            pause.wait(PATIENCE.poll)
        raise Missing(f"{self.name} was not ready within {seconds:g} s: {self.last_words()}")

    def last_words(self, characters: int = 600) -> str:
        """The end of its output, for an error message."""
        return self.log.read_text(errors="replace").strip()[-characters:] or "it said nothing"

    def tell(self, line: str) -> None:
        """Write a line to its standard input; nothing happens if it has ended."""
        try:
            if self._child.stdin:
                self._child.stdin.write(line.encode() + b"\n")
                self._child.stdin.flush()
        except BrokenPipeError:
            pass

    def wait(self, seconds: float) -> int | None:
        """Wait for its end; the exit status, or None if it still runs."""
        try:
            return self._child.wait(timeout=seconds)
        except subprocess.TimeoutExpired:
            return None

    def stop(self) -> None:
        """SIGTERM, then SIGKILL past the patience; returns when it is gone."""
        if self._child.stdin:
            self._child.stdin.close()
        if self.returncode is None:
            self._child.terminate()
            if self.wait(PATIENCE.process_stop) is None:
                self._child.kill()
                self._child.wait()

    def __enter__(self) -> Process:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()


@functools.cache
def dying_with_parent() -> Sequence[str]:
    """A prefix that has the kernel kill what follows when this process ends.

    Not `preexec_fn`: that runs Python in a fork, which frees what the other threads held, and gRPC's
    objects do not survive that: now and then a child died of SIGSEGV before its exec.

    Raises:
        Missing: no `setpriv` on this machine.
    """
    setpriv = shutil.which("setpriv")
    if setpriv is None:
        raise Missing("setpriv is not on this machine", do="install util-linux")
    return (setpriv, "--pdeathsig", "KILL", "--", "/bin/sh", "-c", _IF_THE_PARENT_LIVES, str(os.getpid()))
