"""`testbed up`: what is decided before anything starts, and a topology that stands until Ctrl-C."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

import psutil
import pytest

from testbed.cli.up import up
from testbed.errors import ExitCode
from testbed.options import Options
from testbed.settings import PATIENCE
from tests.cli.runs import run

SCRIPT = """\
from testbed import Cutover, scenario

@scenario("A move", host="api.example.com", manifests=["dns.yaml"])
def move(cutover: Cutover) -> None: ...
"""
DEPLOYMENT = """\
apiVersion: apps/v1
kind: Deployment
metadata: {name: external-dns}
spec: {template: {spec: {containers: [{name: a, image: "external-dns:v0.22.0"}]}}}
"""


def test_every_option_is_one_of_a_run() -> None:
    not_of_up = {"chaos", "rate", "report", "keep", "on"}
    assert {one.name for one in up.params} == set(Options.__dataclass_fields__) - not_of_up


def test_a_scenario_that_does_not_exist_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    done = run(capsys, "up", "absent")
    assert (done.code, done.err.count("\n")) == (2, 1)
    assert "absent: no such scenario" in done.err


def until(words: str, lines: Iterable[str]) -> Iterator[str]:
    """Lines up to the one that has these words."""
    for line in lines:
        yield line
        if words in line:
            return


@pytest.mark.e2e
def test_a_topology_stands_until_ctrl_c_with_the_release_that_is_deployed(tmp_path: Path) -> None:
    (tmp_path / "cutover.py").write_text(SCRIPT)
    (tmp_path / "dns.yaml").write_text(DEPLOYMENT)
    command = [sys.executable, "-m", "testbed", "up", "cutover.py", "--empty", "--environment", "tools"]
    environment = {**os.environ, "PYTHONUNBUFFERED": "1"}
    with subprocess.Popen(
        command, cwd=tmp_path, env=environment, stdout=subprocess.PIPE, text=True
    ) as process:
        # Its files are there a moment earlier, when Ctrl-C is still an interruption of the start.
        assert process.stdout
        printed = "".join(until("Ctrl-C stops it", process.stdout))
        assert (tmp_path / "tools" / "environment").exists()
        process.send_signal(signal.SIGINT)
        printed += process.communicate(timeout=PATIENCE.process_start)[0]
    assert process.returncode == 0
    assert printed.startswith(
        f"ExternalDNS v0.22.0 (Deployment default/external-dns, {tmp_path}/dns.yaml:4)\n"
    )
    assert "Ctrl-C stops it" in printed
    assert not (tmp_path / "tools").exists()


@pytest.mark.e2e
def test_a_part_that_dies_ends_it_in_one_line_with_an_exit_code(tmp_path: Path) -> None:
    (tmp_path / "cutover.py").write_text(SCRIPT)
    (tmp_path / "dns.yaml").write_text(DEPLOYMENT)
    command = [sys.executable, "-m", "testbed", "up", "cutover.py", "--empty", "--environment", "tools"]
    with subprocess.Popen(
        command,
        cwd=tmp_path,
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout
        list(until("Ctrl-C stops it", process.stdout))
        victim = next(
            child
            for child in psutil.Process(process.pid).children(recursive=True)
            if "nlb.yaml" in " ".join(child.cmdline()) or "nlb.json" in " ".join(child.cmdline())
        )
        victim.kill()
        _, said = process.communicate(timeout=PATIENCE.process_start)
    assert process.returncode == ExitCode.MISSING
    assert said.count("\n") == 1
    assert said.startswith("testbed: nlb ended with status -9")
