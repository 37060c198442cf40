"""How long each balancer was active, and how one took the place of another.

A load balancer's scheme and group cannot be changed in AWS, so a controller deletes it and creates another:
in between, no balancer of that object serves.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from testbed import journal
from testbed.balancer_identity import phrase
from testbed.verdict.balancers import Balancers
from testbed.verdict.history import History

_DELETE = "DeleteLoadBalancer"
_REFUSED = 400
"""HTTP status from which on a call has changed nothing."""


@dataclass(frozen=True, slots=True)
class Lifetime:
    """The wall seconds in which a balancer was active; `end` is None if it was so at the end of the run."""

    start: float
    end: float | None


@dataclass(frozen=True, slots=True)
class Succession:
    """A balancer that took the place of another: `gap` wall seconds from `time` neither was active.

    `owner` is the object that made both; "" if a name moved from one to the other. `gap` is None if none was
    active for the rest of the run, and 0 if the two overlapped.
    """

    owner: str
    origin: str
    to: str
    time: float
    gap: float | None

    def sentence(self, speed: float) -> str:
        """Say it in one sentence; `speed` is production seconds in a wall second."""
        made = f"{phrase(self.to)} took the place of {phrase(self.origin)}"
        if self.owner:
            made = f"{self.owner} made {phrase(self.to)} in place of {phrase(self.origin)}"
        if self.gap is None:
            return f"{made}: from then on neither was active"
        if not self.gap:
            return f"{made}: at any time one of them was active"
        return f"{made}: for {self.gap * speed:.0f} s neither was active"


def lifetimes(history: History, balancers: Balancers) -> Mapping[str, Sequence[Lifetime]]:
    """Return when each balancer was active, in the order of time; a balancer that never was has none."""
    spans: dict[str, list[Lifetime]] = {}
    since: dict[str, float] = {}
    over: set[str] = set()
    for time, name, state in _states(history, balancers):
        # `active_impaired` is active too. Source: ELBv2 API, LoadBalancerState.
        if state.startswith("active") and name not in over:
            since.setdefault(name, time)
        elif name in since:
            spans.setdefault(name, []).append(Lifetime(since.pop(name), time))
        if state == _DELETE:
            over.add(name)
    for name, start in since.items():
        spans.setdefault(name, []).append(Lifetime(start, None))
    return spans


def _states(history: History, balancers: Balancers) -> Iterator[tuple[float, str, str]]:
    """Yield the time, the name and the new state of each change, in the order of time."""
    named: dict[str, str] = {}
    deleted = [call for call in history.api_calls if call.operation == _DELETE and call.status < _REFUSED]
    events: list[journal.Balancer | journal.ApiCall] = [*history.balancers, *deleted]
    for event in sorted(events, key=lambda one: one.time):
        if isinstance(event, journal.Balancer):
            named[event.name] = balancers.name_of(event.dns_name)
            yield event.time, named[event.name], event.state
        # The balancer's own event follows a moment later, when the next one may be active already. The
        # summary of the call is the ARN, `.../app/<name>/<id>`.
        elif (parts := event.summary.split("/"))[-2:-1] and parts[-2] in named:
            yield event.time, named[parts[-2]], _DELETE


def successions(
    history: History, balancers: Balancers, moves: Iterable[tuple[str, str]]
) -> Sequence[Succession]:
    """Return each balancer that took the place of another of its type, in the order of time.

    Either the same object made both, or the name moved from one to the other with a gap between them, as when
    an Ingress joins another group.

    Args:
        history: the events of the run.
        balancers: its balancers.
        moves: from which balancer to which the name moved.
    """
    active = lifetimes(history, balancers)
    of_owner: dict[str, list[str]] = {}
    for name, balancer in balancers.by_name.items():
        if balancer.owner:
            of_owner.setdefault(balancer.owner, []).append(name)
    pairs = {pair: owner for owner, names in of_owner.items() for pair in itertools.pairwise(names)}
    found = [_succession(owner, *pair, active, history.end) for pair, owner in pairs.items()]
    moved = [
        _succession("", origin, to, active, history.end)
        for origin, to in dict.fromkeys(moves)
        if (origin, to) not in pairs and balancers.by_name[origin].type == balancers.by_name[to].type
    ]
    found += [one for one in moved if one and one.gap != 0]
    return sorted(filter(None, found), key=lambda one: one.time)


def _succession(
    owner: str, origin: str, to: str, active: Mapping[str, Sequence[Lifetime]], end: float
) -> Succession | None:
    before, after = active.get(origin), active.get(to)
    if not before:
        return None  # it never served, so nothing was missing after it
    ended = before[-1].end
    if ended is None:
        return Succession(owner, origin, to, after[0].start if after else end, 0.0)
    return Succession(owner, origin, to, ended, max(0.0, after[0].start - ended) if after else None)
