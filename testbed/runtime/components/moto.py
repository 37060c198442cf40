"""moto as a child process of the testbed."""

from __future__ import annotations

import sys

from testbed.child_process import Command, Process
from testbed.runtime.priority import GIVES_WAY


def command(address: str, port: int) -> Command:
    """Return the command."""
    nicer = ["nice", "-n", str(GIVES_WAY)]
    return Command("moto", [*nicer, sys.executable, "-m", "testbed.aws.moto_server", address, str(port)])


def is_ready(process: Process) -> bool:
    """True if moto listens."""
    return "ready\n" in process.log.read_text(errors="replace")
