"""`testbed walk`; tests/e2e/test_walk.py plays it in a terminal."""

from __future__ import annotations

from typing import Any

import pytest

from testbed.cli import walk
from tests.cli.runs import run


def test_a_walk_is_a_rehearsal_with_its_options(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[Any] = []

    def played(options: Any, *, is_walk: bool) -> int:
        seen.append((options.scenario, options.rate, is_walk))
        return 1

    monkeypatch.setattr(walk, "rehearsed", played)
    assert run(capsys, "walk", "scenarios/weighted", "--rate", "20").code == 1
    assert seen == [("scenarios/weighted", 20.0, True)]


def test_a_scenario_that_is_not_there_is_told_in_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    done = run(capsys, "walk", "absent")
    assert done.code == 2
    assert done.err.startswith("testbed: absent: no such scenario; ")
