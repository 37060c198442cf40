"""`none`: a person starts a controller in another terminal, by the lines that the run prints."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from testbed.errors import ExitCode
from tests.real.binaries import ROOT, external_dns_of
from tests.real_controllers.lb_controller_program import stand_in
from tests.real_controllers.lb_controller_tape import TAPE

pytestmark = [pytest.mark.real, pytest.mark.timeout(600)]


def rehearse_with_own(program: Path, folder: Path, scenario: str, *options: str) -> dict[str, object]:
    """Rehearse, and start `program`, of `folder`, by the lines that are printed; return the summary."""
    for _ in range(2):
        code, words = _rehearsed(program, folder, scenario, *options)
        if code != ExitCode.INCONCLUSIVE:  # a busy machine: neither pass nor fail, so play again
            break
    assert code == 0, words
    summary: dict[str, object] = json.loads((folder / "report" / "summary.json").read_text())
    return summary


def _rehearsed(program: Path, folder: Path, scenario: str, *options: str) -> tuple[int, str]:
    report = folder / "report"
    files = ("--environment", str(folder / "tools"), "--report", str(report))
    run = subprocess.Popen(
        [sys.executable, "-m", "testbed", "rehearse", scenario, "--rate", "40", *files, *options],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        cwd=ROOT,
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
    )
    assert run.stdout
    with run, run.stdout as printed:
        said: list[str] = []
        for line in printed:
            said.append(line)
            if line.startswith(f"  ./{program.name} "):
                break
        with subprocess.Popen(["bash", "-c", script(said)], cwd=folder, stderr=subprocess.PIPE) as own:
            said += printed.readlines()
            has_ended = own.poll() is not None
            own.terminate()
            words = own.communicate()[1].decode()
    assert not has_ended, words[-2000:]
    return run.returncode, "".join(said) + words[-2000:]


def script(said: Sequence[str]) -> str:
    """The two lines for the other terminal; the program takes the place of the shell."""
    environment, command = (line.strip() for line in said if line.startswith(("  . ", "  ./")))
    return f"{environment}\nexec {command}"


def test_an_external_dns_that_a_person_starts_writes_the_record(tmp_path: Path) -> None:
    program = tmp_path / "external-dns"
    program.symlink_to(external_dns_of("v0.21.0"))
    story = "tests/real/stories/record.py"
    summary = rehearse_with_own(program, tmp_path, story, "--external-dns", "none", "--speed", "20")
    assert summary["verdict"] == "pass"


@pytest.mark.skipif(not TAPE.exists(), reason=f"{TAPE} is not at hand")
def test_an_lb_controller_that_a_person_starts_makes_the_load_balancers(tmp_path: Path) -> None:
    program = stand_in(tmp_path)
    tape = "tests/real_controllers/tape"
    summary = rehearse_with_own(program, tmp_path, tape, "--lb-controller", "none", "--speed", "10")
    assert summary["verdict"] == "pass"
