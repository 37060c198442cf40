"""The forecast on its page is what the command prints for the population on the page."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.cli.runs import run

PAGE = Path(__file__).resolve().parents[2] / "docs" / "how-to" / "forecast.md"


def test_the_page_shows_what_the_command_prints(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    text = PAGE.read_text(encoding="utf-8")
    population = re.search(r"```toml\n(.*?)```", text, re.DOTALL)
    shown = re.search(r"```console\n\$ testbed (forecast .*?)\n(.*?)```", text, re.DOTALL)
    assert population
    assert shown
    (tmp_path / "clients.toml").write_text(population[1], encoding="utf-8")
    words = [str(PAGE.parents[2] / one) if one.startswith("scenarios/") else one for one in shown[1].split()]
    monkeypatch.chdir(tmp_path)
    assert run(capsys, *words).out == shown[2]
