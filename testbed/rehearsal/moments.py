"""The moments of a cutover: when the alias moved, when traffic followed, and when the old balancer may go.

```
 asked            alias moved    first request          last request    last connection
 (annotation gone)    │          on the new one         on the old one   on the old one closed
   ├──── sync ────────┼──── TTL ──────┤                       │                │
   └───────── gap ────────────────────┘     drain: connections that are still on the old one
                      └────────────────────────────────────────────────────────┘
```
"""

from __future__ import annotations

import enum
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from testbed import journal
from testbed.rehearsal.ledger import Ledger
from testbed.rehearsal.phases import vias
from testbed.rehearsal.story import AliasChange, Story, Via, Windows
from testbed.settings import PRODUCTION

NOT_TOLD = "a cause that the client was not told"


class MomentKind(enum.Enum):
    """What happened at a moment."""

    ALIAS_MOVED = "alias moved"
    ALIAS_DELETED = "alias deleted"
    FIRST_ALB_REQUEST = "first request through the ALB"
    LAST_NLB_REQUEST = "last request through the NLB"
    LAST_NLB_CONNECTION = "last connection on the NLB"
    NLB_MAY_GO = "the NLB may go"


@dataclass(frozen=True, slots=True)
class Moment:
    """A moment in one sentence; `time` in wall seconds, None if it did not come."""

    kind: MomentKind
    time: float | None
    text: str


@dataclass(frozen=True, slots=True)
class Drain:
    """How connections left a balancer after the alias moved away from it.

    Attributes:
        protocol: of the clients, `grpc` or `rest`.
        counts: `connections`, or `clients` where the clients did not tell of their connections.
        points: wall time and how many are left, a step function.
        ended: what ended them, in the words of the clients.
        ages: the lowest and highest age at which connections ended that stood when the alias moved, wall
            seconds: a maximum connection age at the target shows here. One that was opened later, at a
            cached answer, may end as soon as its client hears the new one.
    """

    protocol: str
    counts: str
    points: tuple[tuple[float, int], ...]
    ended: Mapping[str, int]
    ages: tuple[float, float] | None = None

    @property
    def began_with(self) -> int:
        """How many there were when the alias moved."""
        return self.points[0][1] if self.points else 0

    @property
    def left(self) -> int:
        """How many were left at the end."""
        return self.points[-1][1] if self.points else 0

    @property
    def empty_at(self) -> float | None:
        """When none was left, for good; None if some were."""
        return self.points[-1][0] if self.points and not self.left else None


@dataclass(frozen=True, slots=True)
class Move:
    """The alias moved from one kind of balancer to the other; the next move ends it at `until`.

    Times are wall seconds. `first_on_new` and `last_on_old` are when requests were sent, None if none was.
    """

    title: str
    name: str
    time: float
    until: float
    origin: Via
    to: Via
    asked: journal.Action | None
    first_on_new: float | None
    last_on_old: float | None
    drains: tuple[Drain, ...]

    @property
    def gap(self) -> float | None:
        """Wall seconds from the operator's action to the first request through the new balancer."""
        if self.asked is None or self.first_on_new is None:
            return None
        return self.first_on_new - self.asked.time


UseKey = tuple[int, str, str, Via]
"""How many moves there were before it, client, protocol, balancer."""


@dataclass(slots=True)
class _Use:
    """What one client sent through one balancer between two moves."""

    first: float
    last_sent: float
    last: float


@dataclass(frozen=True, slots=True)
class _Span:
    """A connection of a client, from its opening to its end; `closed` None while it is open."""

    via: Via
    client: str
    opened: float
    closed: float | None
    reason: str


@dataclass(frozen=True, slots=True)
class Movements:
    """Moves and moments of a run, and how many connections each balancer had over time."""

    moves: tuple[Move, ...]
    moments: tuple[Moment, ...]
    connections: Mapping[Via, tuple[tuple[float, int], ...]]
    counts: str
    may_go: float | None = None


@dataclass(slots=True)
class _Traces:
    """Who used which balancer when; computed in one pass."""

    uses: dict[UseKey, _Use] = field(default_factory=dict)
    first: dict[Via, float] = field(default_factory=dict)
    last: dict[Via, float] = field(default_factory=dict)


def movements(ledger: Ledger, story: Story) -> Movements:
    """Find the moves in the alias changes, and what the traffic made of them."""
    changes = story.alias_changes()
    raw = _moved(_of_the_host(changes, story))
    starts = [change.time for change, _ in raw]
    traces = _trace(ledger, story, starts)
    spans = _spans(story)
    grpc_clients = {_model(route.client) for route in ledger.routes.rows if route.protocol == "grpc"}
    moves: list[Move] = []
    for index, (change, origin) in enumerate(raw):
        assert change.via is not None
        until = starts[index + 1] if index + 1 < len(starts) else story.end
        uses = [(key, use) for key, use in traces.uses.items() if key[0] == index + 1]
        on_new = [use.first for key, use in uses if key[3] is change.via]
        on_old = [use.last_sent for key, use in uses if key[3] is origin]
        drains = _drains(uses, spans, grpc_clients, origin, change.time, until)
        moves.append(
            Move(
                _title(change.via, [move.to for move in moves]),
                change.name,
                change.time,
                until,
                origin,
                change.via,
                _asked(story, starts[index - 1] if index else story.begin, change.time),
                min(on_new, default=None),
                max(on_old, default=None),
                drains,
            )
        )
    counts = "connections" if spans else "clients"
    lines = _lines(spans, traces.uses, story)
    moments = tuple(_moments(tuple(moves), changes, traces, spans, story))
    may_go = next((moment.time for moment in moments if moment.kind is MomentKind.NLB_MAY_GO), None)
    return Movements(tuple(moves), moments, lines, counts, may_go)


def _of_the_host(changes: Sequence[AliasChange], story: Story) -> Sequence[AliasChange]:
    """The changes of the name that the clients call; all, if a wildcard stands for it.

    What else moves with it would end its drain at once, or look like a way back.
    """
    hosts = {run.host.lower().rstrip(".") for run in story.runs}
    return [change for change in changes if change.name in hosts] or changes


def _moved(changes: Sequence[AliasChange]) -> list[tuple[AliasChange, Via]]:
    """The changes that led a name from one kind of balancer to the other, and where it was before."""
    at: dict[str, Via] = {}
    found = []
    for change in changes:
        if change.via is None:
            continue  # deleted, or led elsewhere: the name comes back to where it was, or moves
        before = at.get(change.name)
        if before is not None and before is not change.via:
            found.append((change, before))
        at[change.name] = change.via
    return found


def _title(to: Via, earlier: Sequence[Via]) -> str:
    if to is Via.NLB:
        return "Rollback" if earlier.count(Via.NLB) == 0 else "Rollback again"
    return "Forward" if earlier.count(Via.ALB) == 0 else "Forward again"


def _asked(story: Story, after: float, before: float) -> journal.Action | None:
    """The operator's last act before the alias moved: what the controllers answered to."""
    acts = [action for action in story.actions if after <= action.time <= before]
    return max(acts, key=lambda action: action.time, default=None)


def _trace(ledger: Ledger, story: Story, starts: Sequence[float]) -> _Traces:
    traces = _Traces()
    segments = Windows((), tuple(starts))
    uses = traces.uses
    routes = [
        (route.client, route.protocol, via)
        for route, via in zip(ledger.routes.rows, vias(ledger, story), strict=True)
    ]
    for sent, finished, route in zip(ledger.sent, ledger.finished, ledger.route, strict=True):
        who = routes[route]
        if who[2] is Via.NONE:
            continue
        key = (segments.index(sent), *who)
        use = uses.get(key)
        if use is None:
            uses[key] = _Use(sent, sent, finished)
            continue
        if sent < use.first:
            use.first = sent
        if sent > use.last_sent:
            use.last_sent = sent
        if finished > use.last:
            use.last = finished
    for (_, _, _, via), use in uses.items():
        traces.first[via] = min(use.first, traces.first.get(via, use.first))
        traces.last[via] = max(use.last_sent, traces.last.get(via, use.last_sent))
    return traces


def _spans(story: Story) -> list[_Span]:
    by_address = story.via_by_address()
    opened: dict[str, journal.Connection] = {}
    spans = []
    for event in story.connections:
        if event.state == "open":
            opened[event.id] = event
            continue
        start = opened.get(event.id)
        if event.reason == journal.CLIENTS_STOPPED:
            continue  # it stood to the end
        if start:
            del opened[event.id]
            via = by_address.get(_host(start.address), Via.UNKNOWN)
            spans.append(_Span(via, start.client, start.time, event.time, event.reason or NOT_TOLD))
    for start in opened.values():
        via = by_address.get(_host(start.address), Via.UNKNOWN)
        spans.append(_Span(via, start.client, start.time, None, ""))
    return spans


def _model(client: str) -> str:
    """The kind of client: `app` of `app-3`, as a connection may be known by its kind only."""
    return client.rstrip("0123456789").rstrip("-")


def _host(address: str) -> str:
    bare = address.removeprefix("ipv4:")
    return bare.rsplit(":", 1)[0] if bare.count(":") == 1 else bare


def _drains(
    uses: Iterable[tuple[UseKey, _Use]],
    spans: Sequence[_Span],
    grpc_clients: set[str],
    origin: Via,
    start: float,
    until: float,
) -> tuple[Drain, ...]:
    found = []
    mine = list(uses)
    for protocol in ("grpc", "rest"):
        if spans:
            relevant = [
                span
                for span in spans
                if span.via is origin
                and (_model(span.client) in grpc_clients) == (protocol == "grpc")
                and span.opened <= until
                and (span.closed is None or span.closed > start)
            ]
            intervals = [(max(span.opened, start), span.closed) for span in relevant]
            over = [span for span in relevant if span.closed is not None and span.closed <= until]
            ended = Counter(span.reason for span in over)
            stood = [span for span in over if span.opened <= start]
            lived = [span.closed - span.opened for span in stood if span.closed is not None]
            ages = (min(lived), max(lived)) if lived else None
            counts = "connections"
        else:
            # A client that kept sending to the old balancer until the next move had not left it.
            intervals = [(start, use.last) for key, use in mine if key[2] == protocol and key[3] is origin]
            ended = Counter({NOT_TOLD: len(intervals)}) if intervals else Counter()
            counts, ages = "clients", None
        if intervals:
            points = _steps(intervals, start, until)
            found.append(Drain(protocol, counts, points, dict(ended.most_common()), ages))
    return tuple(found)


def _steps(
    intervals: Iterable[tuple[float, float | None]], start: float, until: float
) -> tuple[tuple[float, int], ...]:
    """How many intervals hold at each moment of change within the window, as a step function."""
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


def _lines(
    spans: Sequence[_Span], uses: Mapping[UseKey, _Use], story: Story
) -> dict[Via, tuple[tuple[float, int], ...]]:
    found = {}
    for via in (Via.NLB, Via.ALB):
        intervals: list[tuple[float, float | None]]
        if spans:
            intervals = [(span.opened, span.closed) for span in spans if span.via is via]
        else:
            intervals = [(use.first, use.last) for key, use in uses.items() if key[3] is via]
        if intervals:
            found[via] = _steps(intervals, story.begin, story.end)
    return found


def _moments(
    moves: Sequence[Move],
    changes: Sequence[AliasChange],
    traces: _Traces,
    spans: Sequence[_Span],
    story: Story,
) -> Iterable[Moment]:
    for change in changes:
        if not change.target:
            text = f"The alias of {change.name} was deleted: the name had no address"
            yield Moment(MomentKind.ALIAS_DELETED, change.time, text)
    for move in moves:
        way = f"from the {move.origin.upper()} to the {move.to.upper()}"
        text = f"{move.title}: the alias of {move.name} moved {way}"
        yield Moment(MomentKind.ALIAS_MOVED, move.time, text)
    if Via.ALB in traces.first:
        text = "The first request went through the ALB"
        yield Moment(MomentKind.FIRST_ALB_REQUEST, traces.first[Via.ALB], text)
    if Via.NLB in traces.last:
        text = "The last request went through the NLB"
        yield Moment(MomentKind.LAST_NLB_REQUEST, traces.last[Via.NLB], text)
    closed = _last_closed(spans)
    if closed is not None:
        text = "The last connection on the NLB was closed"
        yield Moment(MomentKind.LAST_NLB_CONNECTION, closed, text)
    yield _may_go(moves, changes, traces, spans, story)


def _verb(names: Sequence[str]) -> str:
    return "points" if len(names) == 1 else "point"


def _last_closed(spans: Sequence[_Span]) -> float | None:
    on_nlb = [span.closed for span in spans if span.via is Via.NLB]
    ends = [time for time in on_nlb if time is not None]
    return max(ends) if ends and len(ends) == len(on_nlb) else None


def _may_go(
    moves: Sequence[Move],
    changes: Sequence[AliasChange],
    traces: _Traces,
    spans: Sequence[_Span],
    story: Story,
) -> Moment:
    """When nothing needs the NLB any more: no connection on it, no name at it, no cached answer with it.

    Every name counts here, not only the clients'.
    """
    kind = MomentKind.NLB_MAY_GO
    names = {change.name: change for change in changes}
    still = sorted(change.name for change in names.values() if change.via is Via.NLB)
    if still:
        return Moment(kind, None, f"The NLB may not go yet: {', '.join(still)} {_verb(still)} to it")
    if not moves:
        return Moment(kind, None, "The NLB may not go yet: no name was moved to the ALB")
    left_it = [change.time for change, origin in _moved(changes) if origin is Via.NLB]
    expired = (
        max(moves[-1].time, *left_it) + (PRODUCTION.alias_ttl + PRODUCTION.route53_propagation) / story.speed
    )
    if expired > story.end:
        return Moment(kind, None, "The NLB may not go yet: cached answers may still lead to it")
    left = sum(span.via is Via.NLB and span.closed is None for span in spans)
    if left:
        return Moment(kind, None, f"The NLB may not go yet: {left} connections are still on it")
    ends = [expired, traces.last.get(Via.NLB, expired), *filter(None, [_last_closed(spans)])]
    ends += [use.last for key, use in traces.uses.items() if key[3] is Via.NLB]
    after = max(ends)
    grace = PRODUCTION.alias_ttl / story.speed
    if not spans and after + grace > story.end:
        return Moment(kind, None, "The NLB may not go yet: requests still went through it at the end")
    return Moment(kind, after, "The NLB may go: no connection on it, no name at it, no cached answer left")
