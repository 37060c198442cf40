"""Runs of the command line as a person starts them, looked at from outside, and what their journals say."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

from testbed import journal
from testbed.errors import BadInput, Missing
from testbed.settings import DEFAULT_SPEED
from testbed.traffic.bench import LAG_LIMIT

LOOK_SECONDS = 0.5
"""Between two looks at the memory of a run."""


@dataclass(frozen=True, slots=True)
class Figures:
    """What the journal of a run says; wall seconds.

    Attributes:
        requests: all that the schedule had.
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
        """The start lag that a share of the requests did not exceed; 0 without requests."""
        return self.lags[min(int(len(self.lags) * share), len(self.lags) - 1)] if self.lags else 0.0

    @property
    def is_held(self) -> bool:
        """Whether the schedule was kept and nothing was lost."""
        return self.requests > 0 and self.lost == 0 and self.lag(0.99) <= LAG_LIMIT


@dataclass(frozen=True, slots=True)
class Played:
    """A run of the command line: its figures, and what was seen from outside.

    Attributes:
        seconds: wall seconds from the command to its end, reports included.
        first_request: wall seconds from the command to the first answer through the NLB.
        memory: the largest sum of the PSS of its processes while traffic flowed, MiB.
    """

    exit_code: int
    seconds: float
    first_request: float | None
    memory: float
    figures: Figures


def figures(path: Path) -> Figures:
    """Read a journal once.

    Raises:
        BadInput: it is no journal.
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


def play(scenario: str, rate: float) -> Played:
    """Play a scenario as a person would, by the command line, and look at it from outside.

    Raises:
        Missing: it left no journal; quotes what it said.
    """
    with tempfile.TemporaryDirectory(prefix="testbed-bench-") as name:
        folder = Path(name)
        command = [sys.executable, "-m", "testbed", "rehearse", scenario, "--report", name]
        command += ["--rate", f"{rate:g}", "--speed", f"{DEFAULT_SPEED:g}"]
        with (folder / "output").open("wb") as output:
            spawned, began = time.time(), time.monotonic()
            with subprocess.Popen(
                command, env=_as_installed(), stdout=output, stderr=subprocess.STDOUT
            ) as process:
                memory = _largest_memory(process, folder / "journal.ndjson")
            seconds = time.monotonic() - began
        try:
            found = figures(folder / "journal.ndjson")
        except BadInput:
            words = (folder / "output").read_text(errors="replace").strip()[-300:]
            raise Missing(f"the run ended with status {process.returncode}: {words}") from None
        first = None if found.first_by_nlb is None else found.first_by_nlb - spawned
        return Played(process.returncode, seconds, first, memory, found)


def _as_installed() -> dict[str, str]:
    """The environment, but compiled modules are kept, as Python does unless it is told otherwise."""
    return {key: value for key, value in os.environ.items() if key != "PYTHONDONTWRITEBYTECODE"}


def _largest_memory(process: subprocess.Popen[bytes], path: Path) -> float:
    """Wait for the end of a run; the largest memory of its processes while requests were made, MiB."""
    largest, has_traffic, pause = 0.0, False, threading.Event()
    while process.poll() is None:
        has_traffic = has_traffic or (path.exists() and b'"event":"request"' in path.read_bytes())
        if has_traffic:
            largest = max(largest, proportional_memory(process.pid))
        pause.wait(LOOK_SECONDS)
    return largest


def proportional_memory(pid: int) -> float:
    """Proportional set size of a process and its descendants, MiB, without those that end meanwhile."""
    total = 0
    try:
        root = psutil.Process(pid)
        family = [root, *root.children(recursive=True)]
    except psutil.NoSuchProcess:
        return 0.0
    for one in family:
        try:
            total += one.memory_full_info().pss
        except (psutil.NoSuchProcess, psutil.AccessDenied):
            continue
    return total / (1 << 20)
