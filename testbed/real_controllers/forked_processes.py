"""The end of everything that a user's binary started: a mark in the environment outlives its parents."""

from __future__ import annotations

import itertools
import os
import shutil
from collections.abc import Iterator, Sequence
from contextlib import suppress

import psutil

MARK = "TESTBED_CONFINED"
"""A variable that a binary has, and so whatever it forks."""
_numbers = itertools.count(1)


def new_mark() -> str:
    """Return a value of `MARK` that no other child of this machine has."""
    return f"{os.getpid()}-{next(_numbers)}"


def own_processes(*, confined: bool) -> Sequence[str]:
    """Return a prefix for a command whose processes all end with it, where the kernel allows that."""
    program = shutil.which("unshare")
    # Process 1 of a namespace takes all others along when it ends, and it ends with `unshare`.
    return (program, "--pid", "--fork", "--kill-child", "--") if confined and program else ()


def end_marked(mark: str) -> None:
    """Kill every process with this mark."""
    for process in list(_marked(mark)):
        with suppress(psutil.Error):
            process.kill()


def _marked(mark: str) -> Iterator[psutil.Process]:
    for process in psutil.process_iter():
        with suppress(psutil.Error):
            if process.environ().get(MARK) == mark:
                yield process
