"""What can go wrong, split by what the reader can do about it.

```
TestbedError
├── BadInput       exit 2   mend the file, flag or script that the message names
├── Missing        exit 3   install or free what the message names
└── Interrupted    exit 130 nothing: the user stopped the run
```

Each carries one sentence for a person; the command line prints it and no traceback. An exception that
is none of these is a bug in the testbed. Verdicts (exit 0, 1 and 4) are values, not errors.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass
from pathlib import Path


class ExitCode(enum.IntEnum):
    """What the process tells its caller."""

    PASS = 0
    FAIL = 1
    BAD_INPUT = 2
    MISSING = 3
    INCONCLUSIVE = 4
    INTERRUPTED = 130


@dataclass(frozen=True, slots=True)
class Location:
    """A place in a file that a person wrote; `line` counts from 1."""

    path: Path
    line: int | None = None

    def __str__(self) -> str:
        return f"{self.path}:{self.line}" if self.line else str(self.path)


class TestbedError(Exception):
    """Base of the errors that are told in one line: `where: what; do`."""

    __test__ = False  # the name begins as pytest's classes do
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
    """A file, flag or script that the user can mend."""

    exit_code = ExitCode.BAD_INPUT


class Missing(TestbedError):
    """Something this machine lacks: a binary, a free port, a permission, disk space."""

    exit_code = ExitCode.MISSING


class Interrupted(TestbedError):
    """The user stopped the run."""

    exit_code = ExitCode.INTERRUPTED
