"""moto as a child process of the testbed."""

from __future__ import annotations

import sys

from testbed.runtime.priority import GIVES_WAY
from testbed.runtime.process import Command, Process


def command(address: str, port: int) -> Command:
    """What to run."""
    nicer = ["nice", "-n", str(GIVES_WAY)]
    return Command("moto", [*nicer, sys.executable, "-m", "testbed.aws.moto_server", address, str(port)])


def is_ready(process: Process) -> bool:
    """Whether it listens."""
    return "ready\n" in process.log.read_text(errors="replace")
