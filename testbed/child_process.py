"""Child processes that are ready before they are used, and gone when their block ends.

The kernel kills a child if the testbed itself is killed (`PR_SET_PDEATHSIG`), so nothing stays behind however
the run ends. The output of a child goes to a file, never to the terminal.
"""

from __future__ import annotations

import functools
import os
import re
import shutil
import subprocess
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from testbed.errors import Missing
from testbed.settings import PATIENCE

# If the parent ended before setpriv ran, the child has another parent already and must not start.
# Each connection through a balancer costs two open files; the default soft limit of many systems is 1,024.
_IF_THE_PARENT_LIVES = '[ "$PPID" = "$0" ] && ulimit -S -n "$(ulimit -H -n)" && exec "$@"'


FOREIGN = re.compile(r"AWS_.*|BOTO_CONFIG|LOCALSTACK_.*|.*_proxy", re.IGNORECASE)
"""Variables that lead a tool to the user's own account or proxy; no part of a run may see them."""


def clean(environment: Mapping[str, str]) -> dict[str, str]:
    """Return an environment without the `FOREIGN` variables."""
    return {name: value for name, value in environment.items() if not FOREIGN.fullmatch(name)}


@dataclass(frozen=True, slots=True)
class Command:
    """A command to run. `name` is unique in the run; the output goes to `<log folder>/<name>.log`.

    Attributes:
        inherits: False if `environment` is all that it gets; else it is added to the user's own.
    """

    name: str
    arguments: Sequence[str]
    environment: Mapping[str, str] = field(default_factory=dict)
    inherits: bool = True


class Process:
    """A running command. Use it as a context manager: the end of the block stops the process.

    Start it from a thread that lives as long as the child, because the kernel ties `PR_SET_PDEATHSIG` to the
    thread that forked, not to the process.

    Raises:
        Missing: the command cannot be started.
    """

    def __init__(self, command: Command, logs: Path) -> None:
        self.name = command.name
        self.log = logs / f"{command.name}.log"
        self._command = command
        self._child = self._spawned("wb")

    def _spawned(self, mode: str) -> subprocess.Popen[bytes]:
        command = self._command
        if shutil.which(command.arguments[0]) is None:
            raise Missing(f"{command.arguments[0]} cannot be started: No such file or directory")
        with self.log.open(mode) as output:
            try:
                return subprocess.Popen(
                    [*dying_with_parent(), *command.arguments],
                    env={**(clean(os.environ) if command.inherits else {}), **command.environment},
                    stdin=subprocess.PIPE,
                    stdout=output,
                    stderr=subprocess.STDOUT,
                    process_group=0,  # Ctrl-C reaches the testbed only, which stops its children
                )
            except OSError as error:
                reason = f"{command.arguments[0]} cannot be started: {error.strerror}"
                raise Missing(reason) from None

    def restart(self) -> None:
        """Start the command again after its end, with another process id; the output goes on in the file.

        Raises:
            Missing: the command cannot be started.
        """
        self.end_input()
        self._child.wait()
        self._child = self._spawned("ab")

    def signal(self, number: int) -> None:
        """Send a signal; do nothing if the process has ended."""
        self._child.send_signal(number)

    @property
    def pid(self) -> int:
        """The process id."""
        return self._child.pid

    @property
    def returncode(self) -> int | None:
        """The exit status, or None while it runs."""
        return self._child.poll()

    def wait_until(self, ready: Callable[[], bool], seconds: float = PATIENCE.process_start) -> None:
        """Poll `ready` until it is true.

        Raises:
            Missing: the process ended, or was not ready in time; the message quotes the end of its output.
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
        """Return the end of its output for an error message."""
        return self.log.read_text(errors="replace").strip()[-characters:] or "it printed nothing"

    def send(self, line: str) -> None:
        """Write a line to its standard input; do nothing if it has ended."""
        try:
            if self._child.stdin:
                self._child.stdin.write(line.encode() + b"\n")
                self._child.stdin.flush()
        except BrokenPipeError:
            pass

    def end_input(self) -> None:
        """Close its standard input, by which a child that reads orders knows that it may end."""
        if self._child.stdin:
            self._child.stdin.close()

    def wait(self, seconds: float) -> int | None:
        """Wait for its end; return the exit status, or None if it still runs."""
        try:
            return self._child.wait(timeout=seconds)
        except subprocess.TimeoutExpired:
            return None

    def stop(self) -> None:
        """Send SIGTERM, after `PATIENCE.process_stop` SIGKILL; return when the process is gone."""
        self.end_input()
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
    """Return a prefix for a command that the kernel must kill when this process ends.

    Not `preexec_fn`: it runs Python in the fork, which frees objects of other threads. gRPC's objects do not
    survive that, and some children died of SIGSEGV before their exec.

    Raises:
        Missing: there is no `setpriv` on this machine.
    """
    setpriv = shutil.which("setpriv")
    if setpriv is None:
        raise Missing("setpriv is not on this machine", do="install util-linux")
    return (setpriv, "--pdeathsig", "KILL", "--", "/bin/sh", "-c", _IF_THE_PARENT_LIVES, str(os.getpid()))
