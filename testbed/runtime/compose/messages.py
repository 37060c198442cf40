"""What the services of the composed topology send each other as JSON: a run's setup, its clock, errors."""

from __future__ import annotations

import dataclasses
from typing import Any

from testbed.clock import Clock
from testbed.errors import BadInput, ExitCode, Missing, TestbedError
from testbed.runtime.setup import Setup


def run(setup: Setup, clock: Clock) -> dict[str, Any]:
    """A run as it is ordered."""
    return {"setup": dataclasses.asdict(setup), "clock": dataclasses.asdict(clock)}


def read_run(document: dict[str, Any]) -> tuple[Setup, Clock]:
    """What `run` wrote."""
    return Setup(**document["setup"]), Clock(**document["clock"])


def error(problem: BaseException) -> dict[str, Any]:
    """A failure; what is none of ours is a bug, told by its type."""
    if isinstance(problem, TestbedError):
        return {"code": int(problem.exit_code), "text": str(problem)}
    return {"code": int(ExitCode.FAIL), "text": f"{type(problem).__name__}: {problem}"}


def raised(document: dict[str, Any]) -> TestbedError:
    """The failure that `error` wrote, to be raised here."""
    kinds = {ExitCode.BAD_INPUT: BadInput, ExitCode.MISSING: Missing}
    return kinds.get(document["code"], TestbedError)(document["text"])
