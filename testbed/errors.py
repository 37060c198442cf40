"""The errors of the testbed, by what the reader can do about them.

```
TestbedError
├── BadInput       exit 2   fix the file, flag or script that the message names
├── Missing        exit 3   install or free what the message names
└── Interrupted    exit 130 nothing: the user stopped the run
```

Each has one sentence for a person, which the command line prints without a traceback. Any other exception
is a bug in the testbed (exit 70). Verdicts (exit 0, 1 and 4) are values, not errors.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass
from pathlib import Path


class ExitCode(enum.IntEnum):
    """The exit codes of the command line."""

    PASS = 0
    FAIL = 1
    BAD_INPUT = 2
    MISSING = 3
    INCONCLUSIVE = 4
    CRASH = 70
    INTERRUPTED = 130


@dataclass(frozen=True, slots=True)
class Location:
    """A place in a file that a person wrote; `line` counts from 1."""

    path: Path
    line: int | None = None

    def __str__(self) -> str:
        return f"{self.path}:{self.line}" if self.line else str(self.path)


class TestbedError(Exception):
    """Base of the errors, which are printed as one line: `where: what; do`.

    Args:
        what: what is wrong.
        where: the place in a file, if there is one.
        do: what the reader can do about it.
    """

    __test__ = False  # pytest would collect it for its name
    exit_code: ExitCode = ExitCode.FAIL

    def __init__(self, what: str, *, where: Location | None = None, do: str | None = None) -> None:
        self.what = what
        self.where = where
        self.do = do
        super().__init__(what, where, do)

    def __str__(self) -> str:
        line = f"{self.where}: {self.what}" if self.where else self.what
        if self.do:
            line = f"{line}; {self.do}"
        return " ".join(line.split())


class BadInput(TestbedError):
    """An error in a file, flag or script that the user can fix."""

    exit_code = ExitCode.BAD_INPUT


class Missing(TestbedError):
    """Something this machine lacks: a binary, a free port, a permission, disk space."""

    exit_code = ExitCode.MISSING


class Interrupted(TestbedError):
    """The user stopped the run."""

    exit_code = ExitCode.INTERRUPTED
