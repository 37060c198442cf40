"""A resolver as a state machine in production time: question and time in, a cached answer out (pure).

```
ask ──► from the cache ─────────────────────────────► answer (and perhaps: refresh it meanwhile)
   └──► None: the caller asks the authority ──► learn ──► answer
```
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass

from testbed.resolvers.resolver_model import Outcome, ResolverModel

STALE_TTL = 30.0
"""Production seconds: TTL of an answer that is given after its end (RFC 8767, 5)."""

Question = tuple[str, str]
"""Name in lower case without its last dot, and type: `A` or `AAAA`."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What an authority or a resolver says.

    Attributes:
        addresses: of `Outcome.ADDRESSES`.
        ttl: of the addresses, or what is left of it.
        soa_ttl, soa_minimum: of the SOA record that comes with "no such name".
    """

    outcome: Outcome
    addresses: tuple[str, ...] = ()
    ttl: float = 0.0
    soa_ttl: float = 0.0
    soa_minimum: float = 0.0

    def left(self, seconds: float) -> Answer:
        """Return it with what is left of its TTL."""
        left = max(0.0, seconds)
        # A negative answer from a cache carries the SOA with the TTL that is left (RFC 2308, 5).
        return (
            dataclasses.replace(self, ttl=left) if self.addresses else dataclasses.replace(self, soa_ttl=left)
        )


@dataclass(frozen=True, slots=True)
class FromCache:
    """An answer of the cache; `refresh`: the caller asks the authority besides, and says what it learned."""

    answer: Answer
    refresh: bool = False


@dataclass(slots=True)
class _Entry:
    answer: Answer
    ttl: float
    expires: float
    is_refreshing: bool = False


class Resolver:
    """The caches of a resolver, or of the members of a fleet. Times are production seconds of one clock."""

    def __init__(self, model: ResolverModel) -> None:
        self.model = model
        self._entries: dict[tuple[int, Question], _Entry] = {}
        self._failing: dict[tuple[int, Question], float] = {}
        self._turn = -1

    def next_member(self) -> int:
        """Return the member of the fleet that takes the next question."""
        self._turn = (self._turn + 1) % self.model.members
        return self._turn

    def ask(self, question: Question, now: float, member: int = 0) -> FromCache | None:
        """Return the answer of the cache; None if the authority must be asked."""
        key = member, question
        entry = self._entries.get(key)
        if entry and now < entry.expires:
            left = entry.expires - now
            refresh = (
                not entry.is_refreshing
                and left <= self.model.refresh_within
                and entry.ttl >= self.model.refresh_least_ttl
                and (bool(entry.answer.addresses) or self.model.refreshes_negatives)
            )
            entry.is_refreshing |= refresh
            return FromCache(entry.answer.left(min(left, entry.ttl)), refresh)
        if now < self._failing.get(key, now):
            return FromCache(self._without_authority(entry, now))
        return None

    def learn(self, question: Question, now: float, heard: Answer, member: int = 0) -> Answer:
        """Take what the authority said at `now`, or that it said nothing; return what the asker gets."""
        key, model = (member, question), self.model
        entry = self._entries.get(key)
        if not heard.outcome.is_answer:
            if entry:
                entry.is_refreshing = False
            if model.failure_ttl:
                self._failing[key] = now + model.failure_ttl
            return self._without_authority(entry, now)
        self._failing.pop(key, None)
        if heard.addresses:
            ttl = model.kept_for(heard.ttl)
        else:
            ttl = model.negative_for(heard.soa_ttl, heard.soa_minimum)
        if ttl > 0 or model.sweep:
            self._entries[key] = _Entry(heard, ttl, model.expires(now, ttl))
        else:
            self._entries.pop(key, None)
        return heard.left(ttl) if model.keeps else heard

    def _without_authority(self, entry: _Entry | None, now: float) -> Answer:
        if entry and now < entry.expires + self.model.stale and entry.answer.addresses:
            return entry.answer.left(STALE_TTL)
        return Answer(self.model.failure)
