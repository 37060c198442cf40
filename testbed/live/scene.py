"""The state of a run, from tick to tick; `frame` is its picture. The same for a live page and a report.

Balancers have the names that they have so far: a second one of the same type gives both longer names.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Mapping
from dataclasses import dataclass, field

from testbed import journal
from testbed.balancer_identity import UNKNOWN, plain_dns_name, title
from testbed.live.frame import (
    Column,
    Edge,
    EdgeKind,
    Entry,
    Frame,
    Node,
    NodeState,
    StepState,
)
from testbed.live.narration import entry
from testbed.live.ticks import Tick
from testbed.live.verdict_so_far import VerdictSoFarOf
from testbed.live.zone_records import ZoneRecords
from testbed.network import BALANCER_TYPES
from testbed.settings import PATIENCE
from testbed.verdict.balancers import Balancers

TONES = 6
"""Colours of balancers that have names of their own."""
UNANSWERED = "balancer:unanswered"
"""Requests without an answer: nobody knows which way they took."""
BACKENDS = "backend:all"


Hop = tuple[str, str]
"""From a node to the next; a node of a balancer by its address, as long as nobody knows whose it is."""


@dataclass(frozen=True, slots=True)
class _Totals:
    """The counts as they stood at a wall time, from which the next ones are rates."""

    wall: float
    ended: int = 0
    lost: int = 0
    carried: Mapping[Hop, int] = field(default_factory=dict)
    lost_at: Mapping[Hop, int] = field(default_factory=dict)


class Scene:
    """Takes ticks in the order of time.

    Attributes:
        entries: the lines of the log so far.
        verdict: how it stands.
    """

    def __init__(self) -> None:
        self.entries: list[Entry] = []
        self.verdict = VerdictSoFarOf()
        self._run: journal.Run | None = None
        self._speed = 1.0
        self._begin = self._now = 0.0
        self._has_begun = False
        self._clients: list[journal.Clients] = []
        self._seen: dict[str, journal.Balancer] = {}
        self._given: list[journal.BalancerNamed] = []
        self._balancers = Balancers.of((), ())
        self._at_address: dict[str, str] = {}
        self._records = ZoneRecords()
        self._steps: dict[int, StepState] = {}
        self._step = 0
        self._faults: dict[int, str] = {}
        self._open: Counter[tuple[str, str]] = Counter()
        self._outcomes: Counter[str] = Counter()
        self._carried: Counter[Hop] = Counter()
        self._lost: Counter[Hop] = Counter()
        self._totals: deque[_Totals] = deque()
        self._is_over = False

    def absorb(self, tick: Tick, wall: float) -> None:
        """Take what happened until a wall time."""
        for event in tick.events:
            self._take(event)
        for way, count in tick.requests.items():
            self._count(way.model, way.peer, way.pod, way.outcome, count)
        for served, count in tick.served.items():
            self._carried[_target(served.pod), _backend(served.upstream)] += count
        self._now = max(wall, self._now)
        lost = self._outcomes.total() - self._outcomes["ok"]
        self.verdict.lost(self._outcomes["failed"], lost - self._outcomes["failed"])
        self._totals.append(
            _Totals(self._now, self._outcomes.total(), lost, self._carried.copy(), self._lost.copy())
        )
        while len(self._totals) > 2 and self._totals[1].wall <= self._now - PATIENCE.page_window:
            self._totals.popleft()

    def frame(self) -> Frame:
        """Return the picture after the last tick."""
        then = self._totals[0] if self._totals else _Totals(self._now)
        seconds = max(self._now - then.wall, PATIENCE.page_update)
        total = self._outcomes.total()
        lost = total - self._outcomes["ok"]
        edges = self._edges(then, seconds)
        return Frame(
            title=self._run.title if self._run else "",
            host=self._host,
            about=_about(self._run) if self._run else "",
            at=round(self._production(self._now), 1),
            wall=round(max(0.0, self._now - self._begin), 6),
            ok=self._outcomes["ok"],
            failed=self._outcomes["failed"],
            unknown=lost - self._outcomes["failed"],
            rate=_rounded((total - then.ended) / seconds),
            losing=_rounded((lost - then.lost) / seconds),
            step=self._step,
            nodes=self._nodes(edges),
            edges=edges,
            steps={str(number): step for number, step in self._steps.items()},
            records=self._records.shown(self._name_of),
            faults={str(number): text for number, text in self._faults.items()},
            verdict=self.verdict.words(),
            entries=len(self.entries),
            is_over=self._is_over,
        )

    # --- what happened -----------------------------------------------------------------------------

    def _take(self, event: journal.Event) -> None:
        if not self._has_begun or isinstance(event, journal.Run):
            self._has_begun, self._begin = True, event.time
        match event:
            case journal.Run():
                self._run = event
                speed = event.clock.get("speed", 1.0)
                self._speed = speed if speed > 0 else 1.0
            case journal.Clients():
                self._clients.append(event)
            case journal.Balancer():
                self._seen[plain_dns_name(event.dns_name)] = event
                for address in (*event.addresses, *event.peers):
                    owner = self._at_address.setdefault(address, plain_dns_name(event.dns_name))
                    # As the verdict has it: an address of two balancers is nobody's.
                    if owner != plain_dns_name(event.dns_name):
                        self._at_address[address] = UNKNOWN
                self._balancers = Balancers.of(self._seen.values(), self._given)
            case journal.BalancerNamed():
                self._given.append(event)
                self._balancers = Balancers.of(self._seen.values(), self._given)
            case journal.DnsChange():
                self._records.change(event)
            case journal.DnsAnswer():
                self._records.answer(event)
            case journal.StepStarted():
                self._step = event.number
                self._steps[event.number] = StepState(
                    event.title, event.why, round(self._production(event.time), 1)
                )
            case journal.StepFinished() if step := self._steps.get(event.number):
                self._steps[event.number] = StepState(step.title, step.why, step.at, event.outcome)
            case journal.FaultStarted():
                self._faults[event.number] = event.text
            case journal.FaultEnded():
                self._faults.pop(event.number, None)
            case journal.Connection():
                model = journal.client_model(event.client)
                self._open[model, event.address] += 1 if event.state == "open" else -1
            case journal.RunFinished():
                self._is_over = True
            case _:
                pass  # it has a line in the log, or nothing to show
        self.verdict.take(event, self._step)
        at = round(self._production(event.time), 1)
        if line := entry(event, at, self._step, self._name_of):
            self.entries.append(line)

    def _count(self, model: str, peer: str, pod: str, outcome: str, count: int) -> None:
        self._outcomes[outcome if outcome in ("ok", "failed") else "unknown"] += count
        # A peer that no balancer is known to have may be a node whose event is still to come: kept as it is.
        hops = [(_client(model), f"peer:{peer}" if peer else UNANSWERED)]
        if peer and pod:
            hops.append((f"peer:{peer}", _target(pod)))
        for hop in hops:
            self._carried[hop] += count
            if outcome != "ok":
                self._lost[hop] += count

    # --- the picture -------------------------------------------------------------------------------

    @property
    def _host(self) -> str:
        return self._run.host if self._run else ""

    def _production(self, wall: float) -> float:
        return max(0.0, (wall - self._begin) * self._speed)

    def _name_of(self, dns_name: str) -> str:
        return title(self._balancers.name_of(dns_name))

    def _place(self, node: str) -> str:
        """Return the node's id, that of the balancer for `peer:<address>`."""
        kind, _, address = node.partition(":")
        if kind != "peer":
            return node
        return self._balancer(self._at_address.get(address, UNKNOWN))

    def _balancer(self, dns_name: str) -> str:
        """Return the id of a balancer: its place in the order of appearance."""
        return f"balancer:{list(self._seen).index(dns_name) + 1 if dns_name in self._seen else UNKNOWN}"

    def _by_edge(self, counts: Mapping[Hop, int]) -> Counter[Hop]:
        placed: Counter[Hop] = Counter()
        for (start, end), count in counts.items():
            placed[self._place(start), self._place(end)] += count
        return placed

    def _edges(self, before: _Totals, seconds: float) -> dict[str, Edge]:
        now, then = self._by_edge(self._carried), self._by_edge(before.carried)
        lost_now, lost_then = self._by_edge(self._lost), self._by_edge(before.lost_at)
        open_now = self._by_edge(
            {
                (_client(model), f"peer:{address}"): count
                for (model, address), count in self._open.items()
                if address in self._at_address
            }
        )
        edges = {
            f"{start}>{end}": Edge(
                start,
                end,
                EdgeKind.CARRIES,
                now[start, end],
                lost_now[start, end],
                _rounded((now[start, end] - then[start, end]) / seconds),
                _rounded((lost_now[start, end] - lost_then[start, end]) / seconds),
                open_now[start, end],
            )
            for start, end in sorted({*now, *(pair for pair, count in open_now.items() if count > 0)})
        }
        if not any(end.startswith(Column.BACKEND) for _, end in now):
            edges |= _to_backends(edges)
        alias = f"alias:{self._host}"
        names: list[Edge] = []
        for group in self._clients:
            resolver = f"resolver:{group.resolver}"
            names.append(Edge(_client(group.model), resolver, EdgeKind.ASKS))
            names.append(Edge(resolver, alias, EdgeKind.ASKS))
        for dns_name, note in self._records.targets(self._host).items():
            if dns_name in self._seen:
                names.append(Edge(alias, self._balancer(dns_name), EdgeKind.POINTS, note=note))
        return edges | {f"{edge.start}>{edge.end}": edge for edge in names}

    def _nodes(self, edges: Mapping[str, Edge]) -> dict[str, Node]:
        nodes: dict[str, Node] = {}
        struck = {word for text in self._faults.values() for word in text.split()}
        for group in self._clients:
            nodes[_client(group.model)] = Node(
                Column.CLIENT, group.model, f"{group.count} by {group.protocol}"
            )
            nodes[f"resolver:{group.resolver}"] = Node(Column.RESOLVER, group.resolver, "resolver")
        if self._host:
            leads = self._records.leads(self._host, self._name_of)
            nodes[f"alias:{self._host}"] = Node(Column.ALIAS, self._host, leads)
        names = list(self._balancers.by_name)
        for dns_name, event in self._seen.items():
            name = self._balancers.name_of(dns_name)
            is_plain = name in BALANCER_TYPES
            state = {"active": NodeState.PLAIN, "deleted": NodeState.GONE}.get(event.state, NodeState.COMING)
            if event.type in struck:
                state = NodeState.STRUCK
            nodes[self._balancer(dns_name)] = Node(
                Column.BALANCER,
                title(name),
                event.state if is_plain else f"{event.type.upper()}, {event.state}",
                state,
                name if is_plain else f"balancer{names.index(name) % TONES}",
            )
        for identity in dict.fromkeys(end for edge in edges.values() for end in (edge.start, edge.end)):
            column, _, label = identity.partition(":")
            if identity in nodes:
                continue
            if identity == UNANSWERED:
                nodes[identity] = Node(Column.BALANCER, "no answer", "way not known", NodeState.LOST)
            elif column == Column.BALANCER:
                nodes[identity] = Node(Column.BALANCER, "unknown", "balancer", NodeState.LOST)
            elif identity == BACKENDS:
                nodes[identity] = Node(Column.BACKEND, "backends", "each: at the end")
            else:
                state = NodeState.STRUCK if label in struck else NodeState.PLAIN
                nodes[identity] = Node(Column(column), label, column if column != "client" else "", state)
        return nodes


def _to_backends(edges: Mapping[str, Edge]) -> dict[str, Edge]:
    """Return edges from targets to all backends together: which one serves is in access logs, at the end."""
    to_backends: dict[str, Edge] = {}
    for edge in edges.values():
        if edge.end.startswith(Column.TARGET):
            name = f"{edge.end}>{BACKENDS}"
            other = to_backends.get(name, Edge(edge.end, BACKENDS, EdgeKind.CARRIES))
            to_backends[name] = Edge(
                edge.end,
                BACKENDS,
                EdgeKind.CARRIES,
                other.count + edge.count - edge.lost,
                rate=_rounded(other.rate + edge.rate - edge.losing),
            )
    return to_backends


def _client(model: str) -> str:
    return f"client:{model}"


def _target(pod: str) -> str:
    return f"target:{pod}"


def _backend(upstream: str) -> str:
    return f"backend:{upstream.rpartition(':')[0] or upstream}"


def _rounded(rate: float) -> float:
    """Return a rate as the page shows it: whole from 10 on, so that it does not flicker."""
    return float(round(rate)) if rate >= 10 else round(rate, 1)


def _about(run: journal.Run) -> str:
    parts = [run.host, f"{run.rate:g} requests per second"]
    parts += [f"ExternalDNS {run.external_dns}"] if run.external_dns else []
    parts.append(f"{float(run.clock.get('speed', 1.0)):g} times production speed")
    return " · ".join(parts)
