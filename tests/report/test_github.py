from __future__ import annotations

import dataclasses
from pathlib import Path
from types import ModuleType

import pytest
from hypothesis import given
from hypothesis import strategies as st

from testbed.errors import BadInput, Location
from testbed.report import github
from testbed.verdict.findings import Finding, Reason, Result
from testbed.verdict.verdict import Verdict, compute


@pytest.fixture
def failed(made: ModuleType) -> Verdict:
    passed = compute(made.Story(rate=10.0).events())
    findings = (
        Finding(Reason.REQUEST_FAILED, "3 requests failed, 100% of them\n::error::not a command"),
        Finding(Reason.STARTED_LATE, "late"),
    )
    return dataclasses.replace(passed, result=Result.FAIL, findings=findings)


def test_reasons_become_annotations_that_no_text_can_forge(failed: Verdict) -> None:
    assert list(github.workflow_commands(failed)) == [
        "::error title=testbed%3A request failed::3 requests failed, 100%25 of them%0A::error::not a command",
        "::warning title=testbed%3A requests started late::late",
    ]


def test_an_error_of_the_command_line_names_file_and_line() -> None:
    error = BadInput("no such thing", where=Location(Path("a,b/c:d.py"), 7))
    assert github.of_error(error) == (
        "::error title=testbed,file=a%2Cb/c%3Ad.py,line=7::a,b/c:d.py:7: no such thing"
    )


@given(st.text(), st.text())
def test_a_command_is_one_line_and_can_be_read_back(message: str, title: str) -> None:
    line = github.command("error", message, title=title)
    assert "\n" not in line
    assert "\r" not in line
    head, _, data = line.removeprefix("::error title=").partition("::")

    def back(text: str) -> str:
        for code, character in (("%3A", ":"), ("%2C", ","), ("%0D", "\r"), ("%0A", "\n"), ("%25", "%")):
            text = text.replace(code, character)
        return text

    assert (back(head), back(data)) == (title, message)


def test_the_summary_is_appended_and_nothing_is_printed_elsewhere(
    failed: Verdict, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "summary.md"
    path.write_text("before\n")
    github.publish(failed, {"GITHUB_STEP_SUMMARY": str(path)})
    assert path.read_text().startswith("before\n## ❌ fail: ")
    assert capsys.readouterr().out == ""


def test_annotations_are_printed_on_github_only(failed: Verdict, capsys: pytest.CaptureFixture[str]) -> None:
    github.publish(failed, {})
    assert capsys.readouterr().out == ""
    github.publish(failed, {"GITHUB_ACTIONS": "true"})
    assert capsys.readouterr().out.count("::error title=") == 1
