"""Runs suites of tests one after another, and prints what each took: `python tests/suites.py unit e2e`.

A suite is a mark. It fails if a test fails, or if it leaves a process behind; without tests it has neither
passed nor failed. Each row of the table has the last line of pytest. `TESTBED_SUITES` names a file that
collects the rows of several calls, so that the last one prints the table of all; `--row NAME SECONDS WORDS`
adds a row of something that is no suite.
"""

from __future__ import annotations

import ctypes
import os
import re
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import psutil

MARKS = ("conformance", "e2e", "stories", "compose", "real", "real_client", "chaos")


@dataclass(frozen=True, slots=True)
class Suite:
    """The tests of a mark.

    Attributes:
        expression: pytest's `-m`.
        places: files and folders that hold them all; to collect the others takes half a minute.
        options: further arguments of pytest.
    """

    expression: str
    places: Sequence[str]
    options: Sequence[str] = ()


_TWO_WORKERS = ("--numprocesses", "2")
# Whole topologies are few and take long: a file of them stays on one worker, which shares what it starts.
SUITES = {
    "unit": Suite(
        " and ".join(f"not {mark}" for mark in MARKS),
        ("tests",),
        (*_TWO_WORKERS, "--ignore=tests/conformance"),
    ),
    "conformance": Suite(
        "conformance",
        (
            "tests/conformance",
            "tests/aws/test_real_controller_tape.py",
            "tests/kubernetes/api/test_real_controller_tape.py",
        ),
    ),
    "e2e": Suite(
        "e2e",
        ("tests/e2e", "tests/cli", "tests/bench", "tests/test_pytest_plugin.py"),
        (*_TWO_WORKERS, "--dist", "loadfile"),
    ),
    "stories": Suite("stories", ("tests/e2e", "tests/live"), (*_TWO_WORKERS, "--dist", "loadfile")),
    "compose": Suite("compose", ("tests/compose",)),
    # Its tests differ most in length: the worker that is done first takes over from the other.
    "real": Suite("real", ("tests/real", "tests/e2e"), (*_TWO_WORKERS, "--dist", "worksteal")),
    "client": Suite("real_client", ("tests/real_clients",)),
    "chaos": Suite("chaos", ("tests/e2e", "tests/conformance"), (*_TWO_WORKERS, "--dist", "load")),
}
NO_TESTS = 5
"""pytest's exit code if it selects no test."""
_PR_SET_CHILD_SUBREAPER = 36
_COLORS = re.compile(r"\x1b\[[0-9;]*m")


def adopt_orphans() -> None:
    """Become the parent of every process whose own parent ends first, so that `left_behind` sees it."""
    ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, 1)


def left_behind() -> list[str]:
    """End all descendants, and return a line for each that still ran."""
    children = psutil.Process().children(recursive=True)
    lines = []
    for child in children:
        try:
            if child.status() != psutil.STATUS_ZOMBIE:
                lines.append(f"{child.pid} {' '.join(child.cmdline())[:80]}")
            child.kill()
        except psutil.NoSuchProcess:
            continue
    psutil.wait_procs(children)
    return lines


def run(name: str) -> tuple[bool, str]:
    """Run a suite; return whether nothing failed, and its row of the table."""
    suite = SUITES[name]
    began = time.monotonic()
    command = [sys.executable, "-m", "pytest", "-m", suite.expression]
    command += [*suite.options, *suite.places]
    if sys.stdout.isatty():
        command.append("--color=yes")
    lines: list[str] = []
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as pytest:
        # A process that is left behind holds the pipe open, so pytest may end before its output does.
        reading = threading.Thread(target=_copy, args=(pytest.stdout, lines))
        reading.start()
        pytest.wait()
        left = left_behind()
        reading.join()
    closing = _COLORS.sub("", next((line for line in reversed(lines) if line.strip()), "")).strip("= \n")
    if pytest.returncode == NO_TESTS:
        closing = "no tests yet"
    elif pytest.returncode:
        closing = f"FAILED: {closing}"
    if left:
        closing += f"; FAILED: left behind {', '.join(left)}"
    return pytest.returncode in (0, NO_TESTS) and not left, row(name, time.monotonic() - began, closing)


def _copy(output: IO[str], lines: list[str]) -> None:
    for line in output:
        say(line.rstrip("\n"))
        lines.append(line)


def say(line: str) -> None:
    """Print a line at once: the log of a CI shows where a suite stands."""
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def row(name: str, seconds: float, words: str) -> str:
    """A row of the table."""
    return f"{name:<12}{seconds:>7.0f} s  {words}"


def total(rows: Sequence[str]) -> str:
    """The sum of all rows, as CI systems read it: `7 passed, 0 failed, 2 skipped`; an error is a failure."""
    counts = Counter[str]()
    for number, what in re.findall(r"(\d+) (passed|failed|error|skipped)", "\n".join(rows)):
        counts["failed" if what == "error" else what] += int(number)
    return ", ".join(f"{counts[what]} {what}" for what in ("passed", "failed", "skipped"))


def main(arguments: Sequence[str]) -> int:
    """Run the suites that are named, or add a row; the exit code is 1 if a suite failed."""
    collected = os.environ.get("TESTBED_SUITES")
    rows = Path(collected).read_text(encoding="utf-8").splitlines() if collected else []
    failed = False
    if arguments[0] == "--row":
        name, seconds, words = arguments[1:]
        rows.append(row(name, float(seconds), words))
    else:
        adopt_orphans()
        for name in arguments:
            passed, line = run(name)
            failed |= not passed
            rows.append(line)
            say(f"suite {line}\n")
        say("\n".join(["suite       seconds  pytest's last line", *rows, "", total(rows)]))
    if collected:
        Path(collected).write_text("".join(f"{line}\n" for line in rows), encoding="utf-8")
    return int(failed)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
