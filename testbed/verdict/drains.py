"""How client connections leave a balancer: the drain after a move of the alias, and the number over time."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from testbed import journal
from testbed.balancer_identity import UNKNOWN
from testbed.verdict.balancer_use import Use, UseKey
from testbed.verdict.ending_causes import UNKNOWN_CAUSE, cause_of, in_words
from testbed.verdict.history import History


@dataclass(frozen=True, slots=True)
class Drain:
    """How connections left a balancer after the alias moved away from it.

    Attributes:
        protocol: of the clients, `grpc` or `rest`.
        counts: `connections`, or `clients` if the clients did not report their connections.
        points: a step function: wall time, and how many are left.
        opened_later: how many were opened after the alias had moved, from a cached answer.
        ended: how many ended for each cause, in words.
        ages: lowest and highest age, in wall seconds, at the end of the connections that were open when the
            alias moved: a maximum connection age at the target shows here. Connections opened later,
            from a cached answer, are left out: they may end as soon as the client gets the new answer.
    """

    protocol: str
    counts: str
    points: tuple[tuple[float, int], ...]
    ended: Mapping[str, int]
    ages: tuple[float, float] | None = None
    opened_later: int = 0

    @property
    def began_with(self) -> int:
        """The number when the alias moved."""
        return self.points[0][1] if self.points else 0

    @property
    def left(self) -> int:
        """The number at the end."""
        return self.points[-1][1] if self.points else 0

    @property
    def empty_at(self) -> float | None:
        """The wall time from which none was left; None if some stayed."""
        return self.points[-1][0] if self.points and not self.left else None


@dataclass(frozen=True, slots=True)
class ClientConnection:
    """A client's connection from its opening to its end; `closed` is None while it is open."""

    balancer: str
    client: str
    opened: float
    closed: float | None
    reason: str


def client_connections(history: History) -> list[ClientConnection]:
    """Return the connections that the clients reported, with the balancer that each led to."""
    by_address = history.balancer_by_address()
    opened: dict[str, journal.Connection] = {}
    spans = []

    def at(start: journal.Connection) -> str:
        return by_address.get(_host(start.address), UNKNOWN)

    for event in history.connections:
        if event.state == "open":
            opened[event.id] = event
            continue
        start = opened.get(event.id)
        # Counted as closed, the end of the traffic would look like a drain.
        if event.reason == journal.CLIENTS_STOPPED:
            continue  # it was open until the end
        if start:
            del opened[event.id]
            balancer, reason = at(start), event.reason or UNKNOWN_CAUSE
            spans.append(ClientConnection(balancer, start.client, start.time, event.time, reason))
    spans += [ClientConnection(at(start), start.client, start.time, None, "") for start in opened.values()]
    return spans


def _host(address: str) -> str:
    # gRPC writes a peer as `ipv4:10.0.0.1:443`; an IPv6 address has more colons, and none to cut.
    bare = address.removeprefix("ipv4:")
    return bare.rsplit(":", 1)[0] if bare.count(":") == 1 else bare


def on_balancer(
    spans: Iterable[ClientConnection], origin: str, start: float, until: float
) -> list[ClientConnection]:
    """Return the connections that a balancer had when the alias moved away, or got before it came back."""
    return [
        span
        for span in spans
        if span.balancer == origin and span.opened <= until and (span.closed is None or span.closed > start)
    ]


def drains_of(
    history: History,
    uses: Iterable[tuple[UseKey, Use]],
    spans: Sequence[ClientConnection],
    grpc_clients: set[str],
    origin: str,
    start: float,
    until: float,
) -> tuple[Drain, ...]:
    """Return how the connections of each protocol left a balancer, `origin`, between two moments."""
    drains = []
    mine = list(uses)
    speed, age = history.speed, history.connection_age
    for protocol in ("grpc", "rest"):
        if spans:
            relevant = [
                span
                for span in on_balancer(spans, origin, start, until)
                if (journal.client_model(span.client) in grpc_clients) == (protocol == "grpc")
            ]
            intervals = [(max(span.opened, start), span.closed) for span in relevant]
            over = [
                (span, span.closed) for span in relevant if span.closed is not None and span.closed <= until
            ]
            causes = [
                (span.reason, cause_of(span.reason, (end - span.opened) * speed, age)) for span, end in over
            ]
            ended = Counter(in_words(*one) for one in causes)
            lived = [end - span.opened for span, end in over if span.opened <= start]
            later = sum(span.opened > start for span in relevant)
            ages = (min(lived), max(lived)) if lived else None
            counts = "connections"
        else:
            # A client that still sent to the old balancer until the name came back had not left it.
            last: dict[str, float] = {}
            for (_, client, its, balancer), use in mine:
                if its == protocol and balancer == origin:
                    last[client] = max(use.last, last.get(client, use.last))
            intervals = [(start, end) for end in last.values()]
            ended = Counter({UNKNOWN_CAUSE: len(intervals)}) if intervals else Counter()
            counts, ages, later = "clients", None, 0
        if intervals:
            points = step_function(intervals, start, until)
            drains.append(Drain(protocol, counts, points, dict(ended.most_common()), ages, later))
    return tuple(drains)


def step_function(
    intervals: Iterable[tuple[float, float | None]], start: float, until: float
) -> tuple[tuple[float, int], ...]:
    """Return how many intervals are open after each change within the window, as a step function."""
    changes: Counter[float] = Counter()
    for opened, closed in intervals:
        changes[max(opened, start)] += 1
        if closed is not None and closed <= until:
            changes[max(closed, start)] -= 1
    level, points = 0, []
    for time in sorted(changes):
        level += changes[time]
        points.append((time, level))
    if not points or points[0][0] > start:
        points.insert(0, (start, 0))
    return tuple(points)


def open_connections(
    spans: Sequence[ClientConnection], uses: Mapping[UseKey, Use], history: History
) -> dict[str, tuple[tuple[float, int], ...]]:
    """Return the number of connections, or of clients, that each balancer had over time."""
    lines = {}
    for name in history.named_balancers().by_name:
        intervals: list[tuple[float, float | None]]
        if spans:
            intervals = [(span.opened, span.closed) for span in spans if span.balancer == name]
        else:
            intervals = [(use.first, use.last) for key, use in uses.items() if key[3] == name]
        if intervals:
            lines[name] = step_function(intervals, history.begin, history.end)
    return lines


def last_closed(spans: Sequence[ClientConnection], balancer: str) -> float | None:
    """Return when a balancer's last connection was closed, or None if one is open or there was none."""
    closed = [span.closed for span in spans if span.balancer == balancer]
    ends = [time for time in closed if time is not None]
    return max(ends) if ends and len(ends) == len(closed) else None
