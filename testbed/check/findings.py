"""A finding: which trap, where it is written, what will happen, and what to do about it."""

from __future__ import annotations

import enum
from dataclasses import dataclass

from testbed.errors import Location


class Severity(enum.StrEnum):
    """How bad it is; the words are SARIF's levels."""

    ERROR = "error"
    """It will not work: something is refused, lost or sent elsewhere."""
    WARNING = "warning"
    """It works until a step of the move, or for some of the clients."""
    NOTE = "note"
    """Worth knowing before the move; nothing has to be changed."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One trap that applies.

    Attributes:
        rule: id of the rule, e.g. `two-balancers-one-name`.
        where: the file and line that brings it about.
        what: what will happen, one sentence that names the objects.
        do: what to do, one sentence.
    """

    rule: str
    severity: Severity
    where: Location
    what: str
    do: str
