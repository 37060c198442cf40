"""A command as a person runs it: exit code, what it prints, what it complains about."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from testbed.cli import main


@dataclass(frozen=True, slots=True)
class Done:
    """A command that has ended."""

    code: int
    out: str
    err: str


def run(capsys: pytest.CaptureFixture[str], *arguments: str) -> Done:
    """Run `testbed` in this process."""
    with pytest.raises(SystemExit) as ended:
        main(list(arguments))
    printed = capsys.readouterr()
    return Done(int(ended.value.code or 0), printed.out, printed.err)
