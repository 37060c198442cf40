"""Which client used which balancer when: first and last requests, between the moves of the alias."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from testbed.balancer_identity import NONE
from testbed.verdict.history import History, StepWindows
from testbed.verdict.phases import balancer_by_route
from testbed.verdict.reconciliation import OK, Ledger

UseKey = tuple[int, str, str, str]
"""Number of moves before, client, protocol, balancer."""


LOST_AT_LEAST = 2
"""One may be lost by the end of the traffic itself."""


@dataclass(slots=True)
class Use:
    """The requests of one client through one balancer between two moves."""

    first: float
    last_sent: float
    last: float


@dataclass(slots=True)
class BalancerUse:
    """The use of each client and balancer, and the first and last request through each balancer.

    Times are wall seconds. `stranded` are the clients that each balancer answered last, and that lost every
    request after that, until the end.
    """

    uses: dict[UseKey, Use] = field(default_factory=dict)
    first: dict[str, float] = field(default_factory=dict)
    last: dict[str, float] = field(default_factory=dict)
    stranded: dict[str, list[str]] = field(default_factory=dict)


def balancer_use(ledger: Ledger, history: History, starts: Sequence[float]) -> BalancerUse:
    """Find who used which balancer; `starts` are the moments at which the alias moved."""
    found = BalancerUse()
    # The moves divide the run as steps do, so that a client which returns after a rollback counts anew.
    segments = StepWindows((), tuple(starts))
    uses = found.uses
    routes = [
        (route.client, route.protocol, balancer)
        for route, balancer in zip(ledger.routes.rows, balancer_by_route(ledger, history), strict=True)
    ]
    for sent, finished, route in zip(ledger.sent, ledger.finished, ledger.route, strict=True):
        who = routes[route]
        if who[2] == NONE:
            continue
        key = (segments.index(sent), *who)
        use = uses.get(key)
        if use is None:
            uses[key] = Use(sent, sent, finished)
            continue
        if sent < use.first:
            use.first = sent
        if sent > use.last_sent:
            use.last_sent = sent
        if finished > use.last:
            use.last = finished
    for (_, _, _, balancer), use in uses.items():
        found.first[balancer] = min(use.first, found.first.get(balancer, use.first))
        found.last[balancer] = max(use.last_sent, found.last.get(balancer, use.last_sent))
    found.stranded = _stranded(ledger, routes)
    return found


def _stranded(ledger: Ledger, routes: Sequence[tuple[str, str, str]]) -> dict[str, list[str]]:
    """Return, by the balancer that answered it last, each client that lost `LOST_AT_LEAST` requests since."""
    answered: dict[str, tuple[float, str]] = {}
    for sent, outcome, route in zip(ledger.sent, ledger.outcome, ledger.route, strict=True):
        client, _, balancer = routes[route]
        if outcome == OK and sent >= answered.get(client, (sent, ""))[0]:
            answered[client] = sent, balancer
    lost = Counter[str]()
    for sent, outcome, route in zip(ledger.sent, ledger.outcome, ledger.route, strict=True):
        client = routes[route][0]
        if outcome != OK and client in answered and sent > answered[client][0]:
            lost[client] += 1
    found: dict[str, list[str]] = {}
    for client, (_, balancer) in answered.items():
        if lost[client] >= LOST_AT_LEAST:
            found.setdefault(balancer, []).append(client)
    return found
