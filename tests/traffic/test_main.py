from __future__ import annotations

import pytest

from testbed.errors import ExitCode
from testbed.traffic.__main__ import main


@pytest.mark.parametrize("arguments", [[], ["{}"], ["a", "b"]], ids=str)
def test_a_missing_or_broken_plan_is_one_line_and_exit_2(arguments, capsys):
    assert main(arguments) == ExitCode.BAD_INPUT
    assert capsys.readouterr().err.count("\n") == 1


def test_a_journal_that_cannot_be_written_is_one_line_and_exit_3(world, tmp_path, capsys):
    assert main([world.plan(tmp_path / "none" / "journal").to_json()]) == ExitCode.MISSING
    assert capsys.readouterr().err.count("\n") == 1


def test_a_plan_may_come_in_a_file(tmp_path, capsys):
    (tmp_path / "plan.json").write_text("{}")
    assert main([f"@{tmp_path}/plan.json"]) == ExitCode.BAD_INPUT
    assert main([f"@{tmp_path}/none.json"]) == ExitCode.MISSING
