"""`testbed report`: the reports of a journal, written again."""

from __future__ import annotations

from pathlib import Path
from types import ModuleType

import pytest

from testbed.cli.report import report
from tests.cli.runs import run


@pytest.fixture
def journal(tmp_path: Path, made: ModuleType) -> Path:
    path: Path = made.write(tmp_path / "journal.ndjson", made.Story().events())
    return path


def test_the_reports_are_written_and_the_exit_code_is_the_runs(
    journal: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "deep" / "report"
    done = run(capsys, "report", str(journal), "--report", str(folder))
    assert (done.code, done.err) == (0, "")
    assert "PASS" in done.out
    assert (folder / "report.html").is_file()


def test_they_are_written_beside_the_journal_and_leave_another_runs_report_alone(
    journal: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    elsewhere = tmp_path / "elsewhere"
    (elsewhere / "report").mkdir(parents=True)
    (elsewhere / "report" / "report.html").write_text("another run")
    monkeypatch.chdir(elsewhere)
    assert run(capsys, "report", str(journal)).code == 0
    assert (journal.parent / "report.html").is_file()
    assert (elsewhere / "report" / "report.html").read_text() == "another run"


def test_the_folder_may_stand_in_the_environment_or_in_pyproject(
    journal: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "pyproject.toml").write_text('[tool.testbed]\nreport = "table"\n')
    run(capsys, "report", str(journal))
    monkeypatch.setenv("TESTBED_REPORT", "variable")
    run(capsys, "report", str(journal))
    assert (tmp_path / "table" / "report.html").is_file()
    assert (tmp_path / "variable" / "report.html").is_file()


def test_a_journal_that_does_not_exist_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    done = run(capsys, "report", "absent.ndjson")
    assert (done.code, done.err) == (2, "testbed: absent.ndjson: no such journal\n")


def test_its_one_argument_is_the_journal() -> None:
    assert [one.name for one in report.params] == ["journal", "report"]
