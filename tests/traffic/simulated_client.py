"""One busy client of a model, from the same rules as the engine's, without sockets: when does it leave?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from testbed.client_models.client_model import ClientModel, LookUp
from testbed.clock import Clock
from testbed.resolvers.known_resolvers import resolver
from testbed.resolvers.resolver import Answer, Resolver
from testbed.resolvers.resolver_model import Outcome
from testbed.traffic.address_book import AddressBook
from testbed.traffic.connection_rules import ConnectionRules

QUESTION = ("api.example.com", "A")
OLD, NEW = "127.0.0.2", "127.0.0.3"


@dataclass
class Zone:
    """What the authority says: `old` until the flip, then `new`; nothing within the hole."""

    flip: float
    ttl: float = 0.0
    hole: tuple[float, float] = (0.0, 0.0)
    soa: tuple[float, float] = (900.0, 900.0)
    asked: list[float] = field(default_factory=list)

    def say(self, now: float) -> Answer:
        self.asked.append(now)
        if self.hole[0] <= now < self.hole[1]:
            return Answer(Outcome.NO_NAME, soa_ttl=self.soa[0], soa_minimum=self.soa[1])
        return Answer(Outcome.ADDRESSES, (OLD if now < self.flip else NEW,), self.ttl)


@dataclass
class Connection:
    address: str
    opened: float
    idle_since: float


@dataclass
class Played:
    """Each request's time and address; "" for one that failed. `looked_up`: times of look-ups."""

    requests: list[tuple[float, str]] = field(default_factory=list)
    looked_up: list[float] = field(default_factory=list)
    heard: set[str] = field(default_factory=set)

    def follows(self, flip: float) -> float | None:
        """Seconds after the flip of the first request at the new address; None for never."""
        return next((at - flip for at, address in self.requests if address == NEW and at >= flip), None)

    @property
    def failed(self) -> int:
        return sum(not address for _, address in self.requests)


def play(
    model: ClientModel,
    zone: Zone,
    *,
    start: float = 0.0,
    until: float = 0.0,
    every: float = 0.2,
    calls: Sequence[tuple[float, float]] = (),
    between: str = "direct",
    drains: tuple[float, ...] = (),
    dead: dict[str, float] | None = None,
) -> Played:
    """Play a client that sends one request at a time.

    Args:
        start, until, every: when it sends.
        calls: instead, the begin and the end of each call.
        drains: times at which the old side closes its idle connections, and goes on serving.
        dead: from when on an address takes no connection and ends those that it has.
    """
    book, rules = AddressBook(model), ConnectionRules.of(model, Clock(speed=1.0))
    caching = Resolver(resolver(between))
    played, connections = Played(), list[Connection]()
    ends = dead or {}
    ticked = -1e9
    regular = (start + number * every for number in range(int((until - start) / every)))
    spans = calls or [(at, at) for at in regular]
    before = spans[0][0] - every

    def look_up(now: float) -> None:
        played.looked_up.append(now)
        cached = caching.ask(QUESTION, now)
        answer = cached.answer if cached else caching.learn(QUESTION, now, zone.say(now))
        if cached and cached.refresh:
            caching.learn(QUESTION, now, zone.say(now))
        played.heard |= set(answer.addresses)
        book.learn(now, answer)

    for now, ended in spans:
        if any(before < drain <= now for drain in drains):
            connections = [one for one in connections if one.address != OLD]
        connections = [one for one in connections if now < ends.get(one.address, now + 1)]
        if model.looks_up is LookUp.INTERVAL and now >= ticked + model.interval - 1e-9:
            look_up(now)
            ticked = now
        if model.looks_up is LookUp.REQUEST and book.is_due(now):
            look_up(now)
        connections = [one for one in connections if not rules.ends(one, book.addresses, now)]
        usable = [one for one in connections if rules.may_use(one, book.addresses)]
        if model.looks_up is LookUp.REQUEST and not book.addresses:
            usable = []
        if not usable:
            if model.looks_up is not LookUp.REQUEST and book.is_due(now):
                look_up(now)
            takes = [one for one in book.addresses if now < ends.get(one, now + 1)]
            if not takes:
                if book.addresses:
                    book.refused()
                played.requests.append((now, ""))
                before = now
                continue
            usable = [Connection(takes[0], now, now)]
            connections.append(usable[0])
        usable[-1].idle_since = ended
        played.requests.append((now, usable[-1].address))
        before = now
    return played
