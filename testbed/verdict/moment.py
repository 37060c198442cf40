"""A moment of a run: what occurred, when, and in which words."""

from __future__ import annotations

import enum
from dataclasses import dataclass


class MomentKind(enum.Enum):
    """The kinds of moments."""

    ALIAS_MOVED = "alias moved"
    ALIAS_DELETED = "alias deleted"
    REPLACED = "balancer in place of another"
    FIRST_REQUEST = "first request through a balancer"
    LAST_REQUEST = "last request through a balancer"
    LAST_CONNECTION = "last connection on a balancer"
    MAY_GO = "a balancer may go"


@dataclass(frozen=True, slots=True)
class Moment:
    """A moment in one sentence; `time` in wall seconds, None if it did not occur.

    `balancer` is the name of the balancer concerned, "" if there is none.
    """

    kind: MomentKind
    time: float | None
    text: str
    balancer: str = ""
