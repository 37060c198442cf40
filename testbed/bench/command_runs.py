"""Runs the command line as a person does, measures it from outside, and reads its journal."""

from __future__ import annotations

import subprocess
import tempfile
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

from testbed import journal
from testbed.bench.builds import THIS, Build
from testbed.bench.cpu_by_part import CpuByPart
from testbed.bench.generator_ceiling import LAG_LIMIT
from testbed.errors import BadInput, Missing
from testbed.settings import DEFAULT_SPEED

LOOK_SECONDS = 0.5
"""Between two measurements of the memory of a run."""
FIRST_LOOK_SECONDS = 0.05
"""The same before its first request, until which its CPU is counted."""


@dataclass(frozen=True, slots=True)
class Figures:
    """Figures from the journal of a run, in wall seconds.

    Attributes:
        requests: all requests of the schedule.
        lost: requests that failed, ended unknown or were never started.
        lags: start lags, sorted.
        first_by_nlb: when the first request through the NLB was answered, seconds since the epoch.
        move: from the annotation's removal to the first request that was sent and answered by the ALB.
    """

    requests: int
    lost: int
    lags: Sequence[float]
    first_by_nlb: float | None
    move: float | None

    def lag(self, share: float) -> float:
        """Return the start lag that a share of the requests did not exceed; 0 without requests."""
        # The index of a share of 1 would be one past the end.
        return self.lags[min(int(len(self.lags) * share), len(self.lags) - 1)] if self.lags else 0.0

    @property
    def is_held(self) -> bool:
        """True if the schedule was kept and no request was lost."""
        return self.requests > 0 and self.lost == 0 and self.lag(0.99) <= LAG_LIMIT


@dataclass(frozen=True, slots=True)
class Played:
    """A run of the command line: the figures of its journal, and measurements from outside.

    Attributes:
        exit_code: exit code of the command.
        seconds: wall seconds from the command to its end, reports included.
        first_request: wall seconds from the command to the first answer through the NLB.
        memory: largest sum of the PSS of its processes during the traffic, MiB.
        cpu: CPU seconds by part, as `cpu_by_part` names them.
        cpu_of_start: CPU seconds of all processes until the first request was in the journal.
        figures: figures of its journal.
    """

    exit_code: int
    seconds: float
    first_request: float | None
    memory: float
    cpu: Mapping[str, float]
    cpu_of_start: float
    figures: Figures


def figures(path: Path) -> Figures:
    """Read the figures from a journal.

    Raises:
        BadInput: the file is no journal.
    """
    nodes: dict[str, str] = {}
    outcomes: list[tuple[float, float, str, bool]] = []
    lags: list[float] = []
    removed: float | None = None
    never_started = 0
    for _, kind, event in journal.rows(path):
        if kind == journal.Request.kind:
            outcomes.append((event["time"], event["sent"], event["peer"], event["outcome"] == "ok"))
            lags.append(event["sent"] - event["intended"])
        elif kind == journal.Balancer.kind:
            nodes |= dict.fromkeys(event["addresses"], event["type"])
        elif kind == journal.Action.kind and removed is None and _is_removal(event):
            removed = event["time"]
        elif kind == journal.TrafficStopped.kind:
            never_started = event["never_started"]
    by_nlb = [time for time, _, peer, ok in outcomes if ok and nodes.get(peer) == "nlb"]
    by_alb = [
        time
        for time, sent, peer, ok in outcomes
        if ok and nodes.get(peer) == "alb" and sent >= (removed or 0)
    ]
    return Figures(
        requests=len(outcomes) + never_started,
        lost=sum(not ok for *_, ok in outcomes) + never_started,
        lags=sorted(lags),
        first_by_nlb=min(by_nlb, default=None),
        move=min(by_alb) - removed if by_alb and removed is not None else None,
    )


def _is_removal(action: dict[str, Any]) -> bool:
    text: str = action["text"]
    return text.startswith("annotate ") and text.endswith("/hostname-")


def play(scenario: str, rate: float, build: Build = THIS) -> Played:
    """Play a scenario with a build's command line, and measure it from outside.

    Raises:
        Missing: it left no journal; the message quotes its output.
    """
    with tempfile.TemporaryDirectory(prefix="testbed-bench-") as name:
        folder = Path(name)
        command = build.command("rehearse", scenario, "--report", name)
        command += ["--rate", f"{rate:g}", "--speed", f"{DEFAULT_SPEED:g}"]
        with (folder / "output").open("wb") as output:
            spawned, began = time.time(), time.monotonic()
            with subprocess.Popen(
                command, cwd=build.root, env=build.environment(), stdout=output, stderr=subprocess.STDOUT
            ) as process:
                memory, cpu, start = _watch(process, folder / "journal.ndjson")
            seconds = time.monotonic() - began
        try:
            seen = figures(folder / "journal.ndjson")
        except BadInput:
            words = (folder / "output").read_text(errors="replace").strip()[-300:]
            raise Missing(f"the run ended with status {process.returncode}: {words}") from None
        first = None if seen.first_by_nlb is None else seen.first_by_nlb - spawned
        return Played(process.returncode, seconds, first, memory, cpu, start, seen)


def _watch(process: subprocess.Popen[bytes], path: Path) -> tuple[float, Mapping[str, float], float]:
    """Wait for the end of a run.

    Returns:
        Its largest memory during requests (MiB), its CPU by part, and its CPU until the first request.
    """
    largest, has_traffic, start, pause = 0.0, False, 0.0, threading.Event()
    cpu = CpuByPart(process.pid)
    while process.poll() is None:
        # The file is searched until the first request only, so that a long journal is not read over and over.
        is_first = not has_traffic and path.exists() and b'"event":"request"' in path.read_bytes()
        cpu.look()
        if is_first:
            has_traffic, start = True, sum(cpu.seconds.values())
        if has_traffic:
            largest = max(largest, proportional_memory(process.pid))
        pause.wait(LOOK_SECONDS if has_traffic else FIRST_LOOK_SECONDS)
    return largest, cpu.seconds, start


def proportional_memory(pid: int) -> float:
    """Return the PSS of a process and its descendants in MiB, without those that end meanwhile."""
    total = 0
    try:
        root = psutil.Process(pid)
        family = [root, *root.children(recursive=True)]
    except psutil.NoSuchProcess:
        return 0.0
    for process in family:
        try:
            # PSS splits shared pages among their processes; a sum of RSS would count Python's and Envoy's
            # code once for each.
            total += process.memory_full_info().pss
        except (psutil.NoSuchProcess, psutil.AccessDenied):
            continue
    return total / (1 << 20)
