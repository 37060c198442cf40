"""`testbed forecast` as a person uses it."""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
from pathlib import Path

import pytest

from testbed.cli.forecast import forecast
from tests.cli.runs import run

STORY = "scenarios/zozomat"
GIBIBYTE = 1 << 30


def test_a_forecast_is_printed_for_a_person_and_as_json(capsys: pytest.CaptureFixture[str]) -> None:
    assert forecast.name == "forecast"
    done = run(capsys, "forecast", STORY, "--clients", "2_000_000")
    assert (done.code, done.err) == (0, "")
    assert "The old balancer: half leave within" in done.out
    found = json.loads(run(capsys, "forecast", STORY, "--clients", "2,000,000", "-o", "json").out)
    assert found["clients"] == 2_000_000
    assert found["assumed"]["connection_age"] == 300


def test_a_file_says_who_calls(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "clients.toml"
    path.write_text("clients = {php-curl = 1}", encoding="utf-8")
    done = run(capsys, "forecast", STORY, "--population", str(path))
    assert "1,000,000 clients: 100 % php-curl" in done.out


@pytest.mark.parametrize(
    ("options", "text"),
    [
        (["--clients", "2k"], "'2k' is not a whole number such as 2_000_000"),
        (["--clients", "0"], "0 clients cannot be forecast"),
        (["--clients", "9" * 18], "clients cannot be forecast"),
        (["--clients", "9" * 5000], "is not a whole number"),
        (["--clients", "²"], "is not a whole number"),
        (["--clients", "-5"], "is not a whole number"),
        (["--requests-every", "0"], "--requests-every"),
        (["--bytes", "nan"], "--bytes"),
        (["--rules", "-1"], "--rules"),
        (["--population", "nowhere.toml"], "nowhere.toml"),
    ],
)
def test_what_cannot_be_forecast_is_refused_in_one_line(
    options: list[str], text: str, capsys: pytest.CaptureFixture[str]
) -> None:
    done = run(capsys, "forecast", STORY, *options)
    assert done.code == 2
    assert text in done.err
    assert done.err.count("\n") == 1


def test_ten_million_clients_for_a_day_fit_into_a_gibibyte() -> None:
    def limited() -> None:
        resource.setrlimit(resource.RLIMIT_AS, (GIBIBYTE, GIBIBYTE))

    done = subprocess.run(
        [sys.executable, "-m", "testbed", "forecast", STORY, "--clients", "10_000_000"],
        preexec_fn=limited,
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "OPENBLAS_NUM_THREADS": "1"},
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert "10,000,000 clients" in done.stdout
