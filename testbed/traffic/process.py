"""The generator as a child process of the testbed."""

from __future__ import annotations

import sys

from testbed.runtime.process import Command, Process
from testbed.traffic.plan import TrafficPlan

NAME = "traffic"


def command(plan: TrafficPlan) -> Command:
    """What to run. Tell the process `rate N`, `pause`, `resume` or `stop`; it exits 0 after `stop`."""
    return Command(
        NAME, [sys.executable, "-m", "testbed.traffic", plan.to_json()], {"GRPC_VERBOSITY": "NONE"}
    )


def is_ready(process: Process) -> bool:
    """Whether the generator has said that it can send."""
    return "ready\n" in process.log.read_text(errors="replace")
