"""A finding: the rule, the line, what will happen, and what to do about it; and that somebody accepts it."""

from __future__ import annotations

import enum
from dataclasses import dataclass

from testbed.errors import Location


class Severity(enum.StrEnum):
    """The severity of a finding; the words are SARIF's levels."""

    ERROR = "error"
    """The move fails: something is refused, lost or sent elsewhere."""
    WARNING = "warning"
    """The move works up to a step, or for some of the clients."""
    NOTE = "note"
    """A fact to know before the move; nothing has to be changed."""

    def reaches(self, least: Severity) -> bool:
        """True if it is as severe as another, or more."""
        order = list(Severity)
        return order.index(self) <= order.index(least)


@dataclass(frozen=True, slots=True)
class Acceptance:
    """A finding that somebody knows of and takes, with the reason.

    Attributes:
        rule: the id of the rule.
        reason: in the words of the one who accepts it.
        where: the line of the comment, or of the entry in a file of acceptances.
        files: the files in which it counts, a pattern as in a shell; of a comment the file it stands in.
        line: the line that a comment is about; None for every line, as an entry in a file says.
    """

    rule: str
    reason: str
    where: Location
    files: str
    line: int | None = None


@dataclass(frozen=True, slots=True)
class Finding:
    """One occurrence of a trap.

    Attributes:
        rule: the id of the rule, e.g. `two-balancers-one-name`.
        where: the file and line that causes it.
        what: what will happen, one sentence that names the objects.
        do: what to do, one sentence.
        accepted: by whom it is accepted; None if it counts.
    """

    rule: str
    severity: Severity
    where: Location
    what: str
    do: str
    accepted: Acceptance | None = None
