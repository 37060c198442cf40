"""The moments of a cutover: when the alias moved, when traffic followed, and when the old balancer may go.

```
 action           alias moved    first request          last request    last connection
 (annotation gone)    │          on the new one         on the old one   on the old one closed
   ├──── sync ────────┼──── TTL ──────┤                       │                │
   └───────── gap ────────────────────┘     drain: connections that are still on the old one
                      └────────────────────────────────────────────────────────┘
```
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from testbed import journal
from testbed.balancer_identity import phrase
from testbed.verdict.balancer_use import BalancerUse, balancer_use
from testbed.verdict.balancers import Balancers
from testbed.verdict.client_leavings import Leaving, leavings
from testbed.verdict.departures import departure
from testbed.verdict.drains import (
    ClientConnection,
    Drain,
    client_connections,
    drains_of,
    last_closed,
    open_connections,
)
from testbed.verdict.history import AliasChange, History
from testbed.verdict.lifetimes import successions
from testbed.verdict.moment import Moment, MomentKind
from testbed.verdict.reconciliation import Ledger


@dataclass(frozen=True, slots=True)
class Move:
    """A move of the alias from one balancer to another; the next move ends it at `until`.

    The drain of the old balancer goes on until a move brings the name back to it, at `drained_until`.
    `drains` are by protocol, `leavings` by client model.
    Times are wall seconds. `first_on_new` and `last_on_old` are when requests were sent, None if none was.
    """

    title: str
    name: str
    time: float
    until: float
    drained_until: float
    origin: str
    to: str
    is_rollback: bool
    action: journal.Action | None
    first_on_new: float | None
    last_on_old: float | None
    drains: tuple[Drain, ...]
    leavings: tuple[Leaving, ...] = ()

    @property
    def gap(self) -> float | None:
        """Wall seconds from the operator's action to the first request through the new balancer, if known."""
        if self.action is None or self.first_on_new is None:
            return None
        return self.first_on_new - self.action.time


@dataclass(frozen=True, slots=True)
class Movements:
    """Moves and moments of a run, and the number of connections of each balancer over time.

    Two kinds of the moments are at hand too: `successions` are of balancers in place of another, `departures`
    are when each balancer that the name left may go. The departures are the last moments.
    """

    moves: tuple[Move, ...]
    moments: tuple[Moment, ...]
    successions: tuple[Moment, ...]
    departures: tuple[Moment, ...]
    connections: Mapping[str, tuple[tuple[float, int], ...]]
    counts: str


def movements(ledger: Ledger, history: History) -> Movements:
    """Find the moves in the alias changes, and how the traffic followed them."""
    changes = history.alias_changes()
    of_host = _of_the_host(changes, history)
    raw = _moved(of_host)
    starts = [change.time for change, _, _ in raw]
    used = balancer_use(ledger, history, starts)
    spans = client_connections(history)
    grpc_clients = {
        journal.client_model(route.client) for route in ledger.routes.rows if route.protocol == "grpc"
    }
    moves: list[Move] = []
    for index, (change, origin, is_rollback) in enumerate(raw):
        assert change.balancer is not None
        # The drain of the first of three balancers goes on while the name moves from the second to the third.
        back = next((at for at in range(index + 1, len(raw)) if raw[at][0].balancer == origin), len(raw))
        until, drained_until = (starts[at] if at < len(starts) else history.end for at in (index + 1, back))
        uses = [(key, use) for key, use in used.uses.items() if index < key[0] <= back]
        on_new = [use.first for key, use in uses if key[3] == change.balancer and key[0] == index + 1]
        on_old = [use.last_sent for key, use in uses if key[3] == origin]
        moves.append(
            Move(
                _title(change.balancer, moves, is_rollback=is_rollback),
                change.name,
                change.time,
                until,
                drained_until,
                origin,
                change.balancer,
                is_rollback,
                _action_before(history, starts[index - 1] if index else history.begin, change.time),
                min(on_new, default=None),
                max(on_old, default=None),
                drains_of(history, uses, spans, grpc_clients, origin, change.time, drained_until),
                leavings(history, spans, origin, change.time, drained_until),
            )
        )
    counts = "connections" if spans else "clients"
    lines = open_connections(spans, used.uses, history)
    balancers = history.named_balancers()
    old = _left(of_host, balancers)
    left_by = {move.origin: move.leavings for move in moves}
    departures = tuple(
        departure(name, changes, used, spans, history, balancers, left_by.get(name, ())) for name in old
    )
    anew = tuple(
        Moment(MomentKind.REPLACED, one.time, one.sentence(history.speed), one.to)
        for one in successions(history, balancers, ((move.origin, move.to) for move in moves))
    )
    moments = (*_moments(moves, changes, old, used, spans, balancers), *anew, *departures)
    return Movements(tuple(moves), moments, anew, departures, lines, counts)


def _of_the_host(changes: Sequence[AliasChange], history: History) -> Sequence[AliasChange]:
    """Return the changes of the name that the clients call, or all changes if a wildcard covers it.

    Another name that moves at the same time would end the drain at once, or look like a rollback.
    """
    hosts = {run.host.lower().rstrip(".") for run in history.runs}
    return [change for change in changes if change.name in hosts] or changes


def _moved(changes: Sequence[AliasChange]) -> list[tuple[AliasChange, str, bool]]:
    """Return the changes that moved a name to another balancer, the one before, and whether it went back.

    Forward is to a balancer that the name reached later than the one it leaves, or never before.
    """
    visited: dict[str, list[str]] = {}
    at: dict[str, str] = {}
    moved = []
    for change in changes:
        if change.balancer is None:
            continue  # deleted, or pointed elsewhere: later it comes back, or moves
        order = visited.setdefault(change.name, [])
        if change.balancer not in order:
            order.append(change.balancer)
        before = at.get(change.name)
        if before is not None and before != change.balancer:
            moved.append((change, before, order.index(change.balancer) < order.index(before)))
        at[change.name] = change.balancer
    return moved


def _left(changes: Sequence[AliasChange], balancers: Balancers) -> list[str]:
    """Return the balancers that the moves are away from: all that the name was at, but for the newest.

    A name that was at one balancer only has not left it; without any, it is the first of the run, the NLB.
    """
    visited = list(dict.fromkeys(change.balancer for change in changes if change.balancer is not None))
    return visited[:-1] or visited or list(balancers.by_name)[:1]


def _title(to: str, earlier: Sequence[Move], *, is_rollback: bool) -> str:
    again = any(move.to == to and move.is_rollback is is_rollback for move in earlier)
    return f"{'Rollback' if is_rollback else 'Forward'}{' again' if again else ''}"


def _action_before(history: History, after: float, before: float) -> journal.Action | None:
    """Return the operator's last action before the alias moved, which is what the controllers reacted to."""
    acts = [action for action in history.actions if after <= action.time <= before]
    return max(acts, key=lambda action: action.time, default=None)


def _moments(
    moves: Sequence[Move],
    changes: Sequence[AliasChange],
    old: Sequence[str],
    used: BalancerUse,
    spans: Sequence[ClientConnection],
    balancers: Balancers,
) -> Iterable[Moment]:
    for change in changes:
        if not change.target:
            text = f"The alias of {change.name} was deleted: from then on the name had no address"
            yield Moment(MomentKind.ALIAS_DELETED, change.time, text)
    for move in moves:
        text = f"{move.title}: the alias of {move.name} moved from {phrase(move.origin)} to {phrase(move.to)}"
        yield Moment(MomentKind.ALIAS_MOVED, move.time, text, move.to)
    for name in balancers.by_name:
        if name in used.first and name != old[0]:
            text = f"The first request went through {phrase(name)}"
            yield Moment(MomentKind.FIRST_REQUEST, used.first[name], text, name)
    for name in old:
        if name in used.last:
            text = f"The last request went through {phrase(name)}"
            yield Moment(MomentKind.LAST_REQUEST, used.last[name], text, name)
        closed = last_closed(spans, name)
        if closed is not None:
            text = f"The last connection on {phrase(name)} was closed"
            yield Moment(MomentKind.LAST_CONNECTION, closed, text, name)
