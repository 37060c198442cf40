"""The folders that a run needs beside the code."""

from __future__ import annotations

from pathlib import Path

import pytest

from testbed import shipped

STORY = Path("scenarios/zozomat")


def test_every_shipped_scenario_has_a_script_and_a_name() -> None:
    assert {"scenarios/zozomat", "scenarios/weighted", "scenarios/runbook"} <= set(shipped.scenarios())
    assert all(list(shipped.scenario(Path(name)).glob("*.py")) for name in shipped.scenarios())


def test_a_shipped_scenario_is_found_from_any_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert (shipped.scenario(STORY) / "cutover.py").is_file()


def test_what_stands_in_the_working_folder_wins(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / STORY).mkdir(parents=True)
    monkeypatch.chdir(tmp_path)
    assert shipped.scenario(STORY) == STORY


def test_a_path_that_names_nothing_shipped_stays_as_it_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("absent", "scenarios", "scenarios/absent", "elsewhere/zozomat"):
        assert shipped.scenario(Path(name)) == Path(name)


def test_a_wheel_has_them_inside_the_package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "envoy").mkdir()
    monkeypatch.setattr(shipped, "_IN_WHEEL", tmp_path)
    assert shipped.folder(shipped.ENVOY) == tmp_path / "envoy"
