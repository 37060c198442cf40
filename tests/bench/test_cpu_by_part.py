"""The CPU of a run's parts."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from testbed.bench.cpu_by_part import CpuByPart, part_of

BUSY = "import time\nwhile time.process_time() < 0.2: pass\nprint(flush=True)\ninput()"


@pytest.mark.parametrize(
    ("command", "part"),
    [
        ("python -m testbed rehearse story", "parent"),
        ("python -m testbed.traffic {}", "clients"),
        ("python -m testbed.backend --name backend-0", "backends"),
        ("python -m testbed.aws.moto_server 127.80.0.1 4567", "moto"),
        ("envoy --config-path /tmp/x/nlb.json", "NLB Envoy"),
        ("envoy --config-path /tmp/x/alb.json", "ALB Envoy"),
        ("envoy --config-path /tmp/x/envoy-1.json", "target Envoys"),
        ("python -m", "other"),
        ("sleep 9", "other"),
        ("", "other"),
    ],
)
def test_a_command_line_tells_the_part(command: str, part: str) -> None:
    assert part_of(command.split()) == part


def test_the_cpu_of_a_child_that_ended_stays_counted() -> None:
    cpu = CpuByPart(os.getpid())
    with subprocess.Popen(
        [sys.executable, "-c", BUSY, "-m", "testbed.backend"], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as child:
        assert child.stdout
        child.stdout.readline()
        cpu.look()
        child.communicate(b"\n")
    cpu.look()
    assert cpu.seconds["backends"] >= 0.15  # the kernel counts in ticks
