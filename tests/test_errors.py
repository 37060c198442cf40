from __future__ import annotations

from pathlib import Path

from testbed.errors import BadInput, ExitCode, Interrupted, Location, Missing


def test_an_error_is_one_line_with_place_reason_and_remedy() -> None:
    error = BadInput("port 81 is not\n  there", where=Location(Path("a.yaml"), 3), do="name port 80")
    assert str(error) == "a.yaml:3: port 81 is not there; name port 80"


def test_each_error_knows_its_exit_code() -> None:
    assert [error("x").exit_code for error in (BadInput, Missing, Interrupted)] == [
        ExitCode.BAD_INPUT,
        ExitCode.MISSING,
        ExitCode.INTERRUPTED,
    ]
