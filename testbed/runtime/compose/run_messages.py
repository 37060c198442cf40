"""The messages of the services as JSON: the setup and the clock of a run, and errors."""

from __future__ import annotations

import dataclasses
from typing import Any

from testbed.clock import Clock
from testbed.errors import BadInput, ExitCode, Missing, TestbedError
from testbed.rehearsal.scenario import Targets
from testbed.rehearsal.setup import ClusterSetup, Setup
from testbed.traffic import calls
from testbed.traffic.description import Backend
from testbed.traffic.traffic_plan import ClientGroup


def run(setup: Setup, clock: Clock) -> dict[str, Any]:
    """Return the order of a run as JSON values."""
    fields = dataclasses.asdict(setup) | {"calls": calls.as_json(setup.calls)}
    return {"setup": fields, "clock": dataclasses.asdict(clock)}


def read_run(document: dict[str, Any]) -> tuple[Setup, Clock]:
    """Return the values that `run` was given, equal in every field.

    Raises:
        ValueError, KeyError, TypeError: the document is no such order.
    """
    fields = document["setup"]
    parts = {
        "clusters": tuple(_cluster(one) for one in fields["clusters"]),
        "clients": tuple(ClientGroup(**one) for one in fields["clients"]),
        "calls": calls.from_json(fields["calls"]),
        "backend": Backend(**fields["backend"]),
    }
    return Setup(**{**fields, **parts}), Clock(**document["clock"])


def _cluster(fields: dict[str, Any]) -> ClusterSetup:
    targets = tuple(Targets(**_with_tuples(one)) for one in fields["targets"])
    return ClusterSetup(**{**_with_tuples(fields), "targets": targets})


def _with_tuples(fields: dict[str, Any]) -> dict[str, Any]:
    # JSON has arrays only, and a list is not equal to the tuple that it was.
    return {name: tuple(value) if isinstance(value, list) else value for name, value in fields.items()}


def error(problem: BaseException) -> dict[str, Any]:
    """Return a failure as JSON values; a bug, which is any other exception, is named by its type."""
    if isinstance(problem, TestbedError):
        return {"code": int(problem.exit_code), "text": str(problem)}
    return {"code": int(ExitCode.FAIL), "text": f"{type(problem).__name__}: {problem}"}


def raised(document: dict[str, Any]) -> TestbedError:
    """Return the failure that `error` was given, as an exception to raise here."""
    kinds = {ExitCode.BAD_INPUT: BadInput, ExitCode.MISSING: Missing}
    return kinds.get(document["code"], TestbedError)(document["text"])
