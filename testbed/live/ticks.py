"""What a journal tells between two pictures: requests as counts, everything else as events.

Requests are many and commute, so they are counted; the same for a growing journal and for a finished one,
whose access log lines stand at its end.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from testbed import journal
from testbed.journal import EVENTS, Event, client_model

_UNSEEN = frozenset(
    one.kind
    for one in (journal.Request, journal.Access, journal.Metrics, journal.ApiCall, journal.Standstill)
)


Row = tuple[int, str, Mapping[str, Any]]
"""Line, kind and fields of an event, as `journal.rows` yields them."""


class UnfitRow(Exception):
    """A row of a journal that is not an event of this version; `number` is its line."""

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.number = number


class Way(NamedTuple):
    """The way of a request, as its client knows it; `peer` and `pod` are "" if nothing there answered."""

    model: str
    peer: str
    pod: str
    outcome: str


class Served(NamedTuple):
    """A line of a target's access log: the pod, and the backend's address and port."""

    pod: str
    upstream: str


@dataclass(slots=True)
class Tick:
    """What happened in an interval.

    Attributes:
        requests: requests that ended, by their way.
        served: lines of the targets' access logs, of the run's own requests.
        events: all else that a picture shows, in the order of the journal.
    """

    requests: Counter[Way] = field(default_factory=Counter)
    served: Counter[Served] = field(default_factory=Counter)
    events: list[Event] = field(default_factory=list)

    def add(self, kind: str, fields: Mapping[str, Any]) -> None:
        """Add an event of a journal, as `journal.rows` yields it; kinds that no picture shows are left out.

        Raises:
            KeyError, TypeError: the event lacks a field, or has one too many.
        """
        if kind == journal.Request.kind:
            way = Way(client_model(fields["client"]), fields["peer"], fields["pod"], fields["outcome"])
            self.requests[way] += 1
        elif kind == journal.Access.kind:
            identity = fields["id"] or ""  # Envoy's access log has null for what it does not know
            if identity and not identity.startswith(journal.PROBE_ID_PREFIX) and fields.get("upstream"):
                self.served[Served(fields["pod"], fields["upstream"])] += 1
        elif kind not in _UNSEEN and kind in EVENTS:
            self.events.append(EVENTS[kind](**fields))


def ticks(rows: Iterable[Row], most: int, shortest: float) -> list[tuple[float, Tick]]:
    """Divide a finished journal into intervals of equal length; return each with the wall time of its end.

    Args:
        rows: line, kind and fields of each event, in any order of time.
        most: the intervals at most.
        shortest: the shortest length of an interval in wall seconds.

    Raises:
        UnfitRow: an event lacks a field, or has a value that no run writes.
    """
    fine: dict[int, Tick] = {}
    for number, kind, fields in rows:
        try:
            fine.setdefault(math.ceil(fields["time"] / shortest), Tick()).add(kind, fields)
        except (KeyError, TypeError, ValueError, OverflowError):
            raise UnfitRow(number) from None
    shown = sorted(at for at, tick in fine.items() if tick.requests or tick.served or tick.events)
    if not shown:
        return []
    first, last = shown[0], shown[-1]
    step = max(1, math.ceil((last - first + 1) / most))
    coarse = [
        (first + (index + 1) * step - 1, Tick()) for index in range(math.ceil((last - first + 1) / step))
    ]
    for at in shown:
        whole = coarse[(at - first) // step][1]
        whole.requests += fine[at].requests
        whole.served += fine[at].served
        whole.events += fine[at].events
    for _, tick in coarse:
        tick.events.sort(key=lambda event: event.time)
    return [(at * shortest, tick) for at, tick in coarse]
