"""Projects side by side, what they leave behind, and a LocalStack that does not come."""

from __future__ import annotations

import os
import signal
import subprocess
import threading
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from testbed.aws.localstack import LAST_FREE
from tests.compose.projects import ROOT, Project, free


@pytest.fixture
def second(tmp_path: Path) -> Iterator[Project]:
    """Another project, which is gone after the test."""
    other = free("second", tmp_path / "report")
    yield other
    other.down()


def names_of(project: Project) -> str:
    """What its DNS answers for the host, once it answers."""
    pause = threading.Event()
    for _ in range(200):
        asked = ["dig", "+short", "+tries=1", "+time=1", f"@{project.address(128, 53)}", "api.example.com"]
        done = subprocess.run(asked, capture_output=True, text=True, check=False)
        if done.returncode == 0 and done.stdout.strip():
            return done.stdout
        pause.wait(0.1)
    return ""


def test_a_second_project_stands_beside_the_first_and_leaves_nothing(
    project: Project, second: Project
) -> None:
    up = second.compose("up", "--detach")
    assert up.returncode == 0, up.stderr
    for one in (project, second):
        assert f"10.{one.subnet}." in names_of(one)
        with urllib.request.urlopen(f"http://{one.loopback}:7070/network") as answer:
            assert str(one.subnet) in answer.read().decode()
    second.down()
    assert second.left() == []
    assert names_of(project)


def test_an_interrupted_run_leaves_nothing_and_a_whole_journal(tmp_path: Path) -> None:
    other = free("interrupted", tmp_path / "report")
    run = other.start(str(ROOT / "compose" / "rehearse"))
    assert run.stdout
    said = []
    for line in run.stdout:
        said.append(line)
        if "start 500 requests" in line:
            break
    os.killpg(run.pid, signal.SIGINT)
    said += run.stdout.readlines()
    assert run.wait(60) == 130, "".join(said)
    run.stdout.close()
    assert other.left() == []
    last = (other.report / "journal.ndjson").read_text().splitlines()[-1]
    assert '"run_finished"' in last
    assert '"interrupted"' in last


@pytest.mark.parametrize(
    ("command", "problem"),
    [("exit 55", "is not running"), ("sleep 300", "is not ready within")],
    ids=["ended", "hanging"],
)
def test_a_localstack_that_does_not_come_is_told_in_one_line(
    tmp_path: Path, command: str, problem: str
) -> None:
    broken = tmp_path / "broken.yml"
    broken.write_text(
        f"services:\n"
        f"  localstack: {{entrypoint: [bash, -c, '{command}']}}\n"
        f"  aws: {{environment: {{TESTBED_LOCALSTACK_START: '8'}}}}\n"
    )
    other = free("broken", tmp_path / "report", broken)
    try:
        done = other.rehearse("scenarios/zozomat")
        told = [line for line in done.stderr.splitlines() if line.startswith("testbed:")]
        assert done.returncode == 3, done.stdout + done.stderr
        assert len(told) == 1
        assert problem in told[0]
        assert LAST_FREE in told[0]
        assert "55" in told[0]
    finally:
        other.down()
