"""Why a connection of a client ended, from what the client reports and from how long the connection lived."""

from __future__ import annotations

import enum
from collections.abc import Mapping

UNKNOWN_CAUSE = "a cause unknown to the client"


class Cause(enum.Enum):
    """Why a connection ended; the value says it in words."""

    AGE = "at its maximum age"
    IDLE = "idle"
    FOLLOWED = "the client followed the name"
    NOT_KEPT = "after its request"
    RESET = "reset"
    CLOSED = "closed by the peer"
    UNREPORTED = "earlier"  # gRPC reports no cause
    OTHER = "for another reason"


_CAUSES: Mapping[str, Cause] = {
    "the peer sent connection: close": Cause.AGE,
    "idle for longer than the client keeps a connection": Cause.IDLE,
    "idle": Cause.IDLE,  # journals of testbed 0.2
    "DNS no longer answers with its address": Cause.FOLLOWED,
    "the client keeps no connection": Cause.NOT_KEPT,
    "closed by the peer": Cause.CLOSED,
}
_OF_AGE = 0.95
"""A connection is counted from the client's report on, which is a moment after its opening."""


def cause_of(reason: str, lived: float, age: float | None) -> Cause:
    """Return why a connection ended.

    Args:
        reason: as the client reported it; `UNKNOWN_CAUSE` for gRPC, which reports none: then it is the age
            if the connection had reached it.
        lived: production seconds from its opening to its end.
        age: the targets' maximum age of a connection in production seconds; None for no limit.
    """
    if reason in _CAUSES:
        return _CAUSES[reason]
    if reason.startswith("ConnectionResetError"):
        return Cause.RESET
    if reason == UNKNOWN_CAUSE:
        return Cause.AGE if age is not None and lived >= _OF_AGE * age else Cause.UNREPORTED
    return Cause.OTHER


def in_words(reason: str, cause: Cause) -> str:
    """Say why a connection ended: in the words of the client, where the cause has no name."""
    return reason if cause in (Cause.OTHER, Cause.UNREPORTED) else cause.value
