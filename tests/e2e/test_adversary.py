"""Faults that nobody announces, in a run that would pass without them.

The adversary uses what the verdict does not know of: signals to processes, files behind its back. And each
run is judged a second time, by the own access logs of the targets, which are read here line by line: what
they show must not have passed.
"""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from testbed.network import Network

ROOT = Path(__file__).resolve().parents[2]
SCRIPT = Path(__file__).parent / "adversary" / "cutover.py"
PATIENCE = 120
SPEED, RATE = 60, 120
STALL = 1.0
"""Wall seconds, at this speed."""
STOPPED = 2.5
"""Wall seconds for which a process is stopped: two and a half minutes of production."""
PASS, FAIL, MISSING, INCONCLUSIVE = 0, 1, 3, 4

pytestmark = [pytest.mark.chaos, pytest.mark.timeout(2 * PATIENCE)]


@dataclass(frozen=True)
class Run:
    """A running rehearsal as a stranger sees it: its processes and its files."""

    pid: int
    report: Path

    def process(self, words: str) -> int:
        """The child whose command line has these words."""
        for path in Path("/proc").glob("[0-9]*"):
            with suppress(OSError, ValueError):
                parent = int((path / "stat").read_text().rpartition(")")[2].split()[1])
                command = (path / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
                if parent == self.pid and words in command:
                    return int(path.name)
        raise AssertionError(f"no process of the run has {words!r} in its command line")

    @contextmanager
    def stopped(self, words: str) -> Iterator[None]:
        process = self.process(words)
        os.kill(process, signal.SIGSTOP)
        try:
            yield
        finally:
            os.kill(process, signal.SIGCONT)

    def logs(self) -> Sequence[Path]:
        """The access logs that the targets have open now."""
        found = []
        for name in ("/envoy-0.json", "/envoy-1.json"):
            for link in Path(f"/proc/{self.process(name)}/fd").iterdir():
                with suppress(OSError):
                    if (target := link.readlink()).name.endswith(".access.json"):
                        found.append(target)
        return found


@dataclass(frozen=True)
class Judged:
    """How a run ended, and what its targets logged."""

    code: int
    verdict: str
    reasons: Sequence[str]
    served: Sequence[dict[str, Any]]
    words: str

    def silence(self, **fields: str) -> float:
        """The longest time between two answers of what has these fields, wall seconds."""
        mine = [line for line in self.served if all(line[key] == value for key, value in fields.items())]
        ends = sorted(float(line["time"]) + float(line["duration"]) / 1000 for line in mine)
        return max((later - earlier for earlier, later in pairwise(ends)), default=float("inf"))

    def longest_wait(self) -> float:
        """The longest time for which the targets worked on a request that is no stream."""
        unary = [line for line in self.served if not line["path"].endswith(STREAMS)]
        return max(float(line["duration"]) / 1000 for line in unary)


STREAMS = ("/WatchMeasurements", "/UploadScans", "/Calibrate", "/events")
Injection = Callable[[Run], None]


def play(
    folder: Path, variant: str, inject: Injection, *more: str, rate: float = RATE, script: Path = SCRIPT
) -> Judged:
    command = [sys.executable, "-m", "testbed", "rehearse", f"{script}:{variant}", "--report", str(folder)]
    options = ["--speed", str(SPEED), "--rate", str(rate), *more]
    with subprocess.Popen(
        [*command, *options], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, cwd=ROOT
    ) as process:
        assert process.stdout
        said: list[str] = []
        kept: list[Path] = []
        for line in process.stdout:
            said.append(line)
            if "✓" in line and "serves requests" in line:
                run = Run(process.pid, folder)
                for number, log in enumerate(run.logs()):
                    kept.append(folder / f"kept-{number}.json")
                    os.link(log, kept[-1])  # the run removes its own when it ends
                time.sleep(STALL)
                inject(run)
        process.wait(PATIENCE)
    words = "".join(said)
    assert "Traceback" not in words, words
    served = [
        line
        for path in kept
        for text in path.read_text().splitlines()
        if text.endswith("}") and (line := json.loads(text))["id"] and "-" in line["id"]
    ]
    summary = folder / "summary.json"
    found = json.loads(summary.read_text()) if summary.exists() else {"verdict": "none", "reasons": []}
    reasons = [one["reason"] for one in found["reasons"]]
    return Judged(process.returncode, found["verdict"], reasons, served, words)


def nothing(_: Run) -> None:
    """Leave the run alone."""


def stop(words: str) -> Injection:
    def inject(run: Run) -> None:
        with run.stopped(words):
            time.sleep(STOPPED)

    return inject


def kill(words: str) -> Injection:
    return lambda run: os.kill(run.process(words), signal.SIGKILL)


def empty_a_log(run: Run) -> None:
    os.truncate(run.logs()[0], 0)


def replace_a_log(run: Run) -> None:
    log = run.logs()[0]
    log.rename(log.with_suffix(".old"))
    log.write_text("")


def empty_the_journal(run: Run) -> None:
    os.truncate(run.report / "journal.ndjson", 0)


def forget_lost_requests(run: Run) -> None:
    """Take requests out of the journal, as somebody does who wants it to look well."""
    path = run.report / "journal.ndjson"
    with path.open("r+b") as file:
        data = file.read()
        start = data.rindex(b'{"event":"request"')
        end = data.index(b"\n", start)
        file.seek(start)
        file.write(data[start:end].replace(b'"request"', b'"nothing"'))


@pytest.mark.parametrize("variant", ["nlb", "alb"])
def test_left_alone_the_run_passes_and_its_targets_were_never_silent(tmp_path: Path, variant: str) -> None:
    judged = play(tmp_path, variant, nothing)
    assert judged.code == PASS, judged.words
    assert judged.silence() < STALL
    assert judged.longest_wait() < STALL
    assert {line["status"] for line in judged.served} == {200, 201}


@pytest.mark.parametrize(
    ("variant", "words"),
    [("nlb", "/envoy-0.json"), ("alb", "/envoy-0.json"), ("nlb", "/nlb.json"), ("alb", "/alb.json")],
    ids=["a target behind an NLB", "a target behind an ALB", "the NLB", "the ALB"],
)
def test_what_is_stopped_for_minutes_of_production_and_answers_then_fails(
    tmp_path: Path, variant: str, words: str
) -> None:
    judged = play(tmp_path, variant, stop(words))
    pod = {"pod": "envoy-0"} if "envoy" in words else {}
    assert judged.silence(**pod) >= STALL
    assert judged.code == FAIL, judged.words
    # An ALB resets what waits for a target that its health checks miss, so those requests are lost instead.
    assert {"stalled", "request_failed"} & set(judged.reasons)


def test_a_backend_that_is_stopped_fails_although_each_target_has_another(tmp_path: Path) -> None:
    judged = play(tmp_path, "nlb", stop("--name backend-0"))
    assert judged.longest_wait() >= STALL
    assert judged.code == FAIL, judged.words


def test_a_generator_that_is_stopped_proves_nothing(tmp_path: Path) -> None:
    judged = play(tmp_path, "nlb", stop("testbed.traffic"))
    assert judged.silence() >= STALL
    assert judged.code == INCONCLUSIVE, judged.words
    assert judged.reasons == ["started_late"]


def test_an_aws_endpoint_and_dns_that_are_stopped_do_not_pass_if_anybody_waited(tmp_path: Path) -> None:
    def freeze(run: Run) -> None:
        os.kill(run.pid, signal.SIGSTOP)
        time.sleep(STOPPED)
        os.kill(run.pid, signal.SIGCONT)

    judged = play(tmp_path, "nlb", freeze)
    assert judged.code != PASS or judged.silence() < STALL, judged.words


@pytest.mark.parametrize(
    ("words", "codes"),
    [
        ("--name backend-0", (FAIL, MISSING)),
        ("/nlb.json", (FAIL, MISSING)),
        ("testbed.traffic", (MISSING,)),
    ],
    ids=["a backend", "the NLB", "the generator"],
)
def test_what_is_killed_does_not_pass(tmp_path: Path, words: str, codes: Sequence[int]) -> None:
    judged = play(tmp_path, "nlb", kill(words))
    assert judged.code in codes, judged.words


@pytest.mark.parametrize("inject", [empty_a_log, replace_a_log, empty_the_journal, forget_lost_requests])
def test_records_that_were_tampered_with_do_not_pass(tmp_path: Path, inject: Injection) -> None:
    judged = play(tmp_path, "nlb", inject)
    assert judged.code != PASS, judged.words


def test_a_port_of_a_zone_that_somebody_else_has_does_not_pass(tmp_path: Path) -> None:
    network = Network(211)
    with socket.create_server((network.balancer(0, 1), network.port(443))):
        judged = play(tmp_path, "nlb", nothing, "--network", str(network))
    assert judged.code != PASS, judged.words


def test_four_requests_prove_nothing(tmp_path: Path) -> None:
    judged = play(tmp_path, "nlb", nothing, rate=1.0)
    assert judged.code == INCONCLUSIVE, judged.words
    assert "outage_unseen" in judged.reasons
