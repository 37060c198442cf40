"""A script may not end the testbed's process: its exit code would be taken for the verdict.

`sys.exit` raises, and the run ends with an error. `os._exit` and `os.exec…` leave no chance for that, so they
raise instead while a script is loaded and played. Children that a script forks are their own masters.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, NoReturn

from testbed.errors import BadInput
from testbed.rehearsal import conditions

_NAMES = ("_exit", "execv", "execve")  # the other functions of `os` call these


@contextmanager
def refused_exits() -> Iterator[None]:
    """Refuse to end this process while the block runs; refusals are kept with those of conditions.

    Whoever took such a function out of `os` meanwhile keeps one that refuses as long as a block runs.
    """
    before = {name: getattr(os, name) for name in _NAMES}
    for name, real in before.items():
        setattr(os, name, real if real in _guards else _guarded(name, real))
    _owners.append(os.getpid())
    try:
        yield
    finally:
        _owners.pop()
        for name, real in before.items():
            setattr(os, name, real)


_owners: list[int] = []
_guards: set[Callable[..., NoReturn]] = set()


def _guarded(name: str, real: Callable[..., NoReturn]) -> Callable[..., NoReturn]:
    def guard(*arguments: Any) -> NoReturn:
        if os.getpid() not in _owners:
            real(*arguments)
        error = BadInput(
            f"the script ends the process by os.{name}, so that its run would have no verdict",
            do="return, or raise an exception",
        )
        conditions.refusals.append(error)
        raise error

    _guards.add(guard)
    return guard
