"""A frame: everything that the page shows at one moment, as values.

```
clients ──asks──► resolvers ──asks──► alias ──points──► balancers          how a name is found
clients ──────────────carries───────────────────────► balancers ──carries──► targets ──carries──► backends
```

An edge that carries has the requests that went over it; an edge that asks or points has none.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

import orjson


class Column(StrEnum):
    """Where a node stands, from the clients to the backends."""

    CLIENT = "client"
    RESOLVER = "resolver"
    ALIAS = "alias"
    BALANCER = "balancer"
    TARGET = "target"
    BACKEND = "backend"


class NodeState(StrEnum):
    """How a node looks."""

    PLAIN = ""
    COMING = "coming"
    GONE = "gone"
    STRUCK = "struck"
    LOST = "lost"


class EdgeKind(StrEnum):
    """What an edge means."""

    ASKS = "asks"
    POINTS = "points"
    CARRIES = "carries"


class Standing(StrEnum):
    """How a verdict stands: the first three while a run goes on, the others at its end."""

    OPEN = "open"
    LOSSES = "losses"
    NO_PASS = "no pass"  # noqa: S105 no password
    PASS = "pass"  # noqa: S105 no password
    FAIL = "fail"
    INCONCLUSIVE = "inconclusive"


@dataclass(frozen=True, slots=True)
class Node:
    """A part of the picture; `tone` is the colour of a balancer: `nlb`, `alb`, `balancer2`."""

    column: Column
    label: str
    note: str = ""
    state: NodeState = NodeState.PLAIN
    tone: str = ""


@dataclass(frozen=True, slots=True)
class Edge:
    """A line between two nodes.

    Attributes:
        start, end: the ids of the nodes.
        count: requests that went over it so far, answered or not.
        lost: of these failed or unknown.
        rate, losing: both per wall second, over the last second.
        open: connections of clients that are open.
        note: for an edge that points, the record types and weights: `A, AAAA`.
    """

    start: str
    end: str
    kind: EdgeKind
    count: int = 0
    lost: int = 0
    rate: float = 0.0
    losing: float = 0.0
    open: int = 0
    note: str = ""


@dataclass(frozen=True, slots=True)
class StepState:
    """A step of the story; `at` in production seconds; `outcome` is "" while it is played."""

    title: str
    why: str
    at: float
    outcome: str = ""


@dataclass(frozen=True, slots=True)
class Record:
    """A record of the zone: an alias or address, or who owns it by ExternalDNS's TXT.

    Attributes:
        value: where it leads: `→ NLB`, or the owner of the TXT: `service/default/envoy`.
        detail: DNS name, weight, what the name servers answer now.
    """

    name: str
    type: str
    value: str
    detail: str = ""


@dataclass(frozen=True, slots=True)
class VerdictSoFar:
    """What is known of the verdict, in words."""

    standing: Standing = Standing.OPEN
    text: str = "Nothing speaks against a pass so far."
    reasons: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Frame:
    """The picture of a run at a moment.

    Attributes:
        at: production seconds since the run began.
        wall: wall seconds since then.
        ok, failed, unknown: requests that ended so far.
        rate, losing: requests and losses per wall second, over the last second.
        step: the number of the current step, 0 before the first.
        nodes: by id. edges: by their ends, `<node>><node>`. steps: by number. records: by name and type.
        faults: those that strike now, by number.
        entries: how many entries of the log there are by now.
    """

    title: str = ""
    host: str = ""
    about: str = ""
    at: float = 0.0
    wall: float = 0.0
    ok: int = 0
    failed: int = 0
    unknown: int = 0
    rate: float = 0.0
    losing: float = 0.0
    step: int = 0
    nodes: Mapping[str, Node] = field(default_factory=dict)
    edges: Mapping[str, Edge] = field(default_factory=dict)
    steps: Mapping[str, StepState] = field(default_factory=dict)
    records: Mapping[str, Record] = field(default_factory=dict)
    faults: Mapping[str, str] = field(default_factory=dict)
    verdict: VerdictSoFar = field(default_factory=VerdictSoFar)
    entries: int = 0
    is_over: bool = False

    def plain(self) -> dict[str, Any]:
        """Return the frame as the page reads it: objects of JSON, and null nowhere."""
        plain: dict[str, Any] = orjson.loads(orjson.dumps(self))
        return plain


@dataclass(frozen=True, slots=True)
class Entry:
    """A line of the page's log; `at` in production seconds since the run began.

    Attributes:
        kind: `action`, `expectation`, `log`, `dns`, `balancer`, `fault`, `page`, `notice`.
        who: the component that says it, or "".
        level: `info`, `warning`, `error`, or `good`.
    """

    at: float
    step: int
    kind: str
    who: str
    text: str
    level: str = "info"


def difference(before: Mapping[str, Any], after: Mapping[str, Any]) -> dict[str, Any]:
    """Return the JSON merge patch (RFC 7396) that makes `after` of `before`; neither may have a null."""
    patch: dict[str, Any] = {key: None for key in before if key not in after}
    for key, value in after.items():
        old = before.get(key)
        if isinstance(value, dict) and isinstance(old, dict):
            if deeper := difference(old, value):
                patch[key] = deeper
        elif key not in before or old != value:
            patch[key] = value
    return patch
