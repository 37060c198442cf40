"""Plays `forecast/`: what the forecast says of a drain is what a population of 340 clients then does."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SCENARIO = Path(__file__).parent / "forecast/cutover.py"
PATIENCE = 150
SPEED, RATE = "30", "150"

pytestmark = [pytest.mark.stories, pytest.mark.timeout(2 * PATIENCE)]


def test_the_drain_under_fleets_of_resolvers_is_as_forecast_at_each_minute(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "testbed", "rehearse", f"{SCENARIO}:fleets", "--report", str(tmp_path)]
    done = subprocess.run(
        [*command, "--speed", SPEED, "--rate", RATE],
        capture_output=True,
        text=True,
        cwd=ROOT,
        timeout=PATIENCE,
        check=False,
    )
    assert (tmp_path / "summary.json").exists(), done.stdout + done.stderr
    [drain] = json.loads((tmp_path / "summary.json").read_text())["forecast"]["drains"]
    assert drain["checked"], drain["text"]
    assert drain["held"], drain["text"]
    first, *_, last = drain["minutes"]
    assert (first["measured"], last["measured"]) == (drain["connections"], 0)  # it was a drain, and it ended
