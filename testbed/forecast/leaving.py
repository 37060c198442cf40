"""When the clients of one part of a population leave the old balancer, as a distribution in closed form.

The alias moves at 0. A client looks up at `-phase + n * period`: its phase is the time since its last
look-up. The period follows from what makes its library look up. It leaves at its first look-up that the
resolver answers anew, which it does from `hold` on at the latest, when it has dropped the old answer, each
moment until then being as likely.

```
 last look-up   alias moves      resolver asks anew      first look-up after that
      ├── phase ─────┼─── 0..hold ──────┤ ┆                     ┆
      ┆←─────────────── period ──────────┤→────── period ───────┤
```

One distribution is exact for resolvers with many askers: their answers are always warm.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from testbed.client_models.client_model import NEVER, LookUp, OnNewAnswer
from testbed.client_models.population import Part
from testbed.resolvers.known_resolvers import resolver
from testbed.resolvers.resolver_model import UNLIMITED
from testbed.settings import PRODUCTION

_UNASKED = (LookUp.REQUEST, LookUp.INTERVAL)
"""It looks up although it has a connection."""
STRATA = 128
"""Into so many slices phases are cut where a resolver makes the answer depend on chance."""


@dataclass(frozen=True, slots=True)
class Side:
    """What a balancer and its targets do to a client's connections, in production seconds.

    Attributes:
        idle: an idle connection is closed after so long.
        age: a connection is told to go away at this age; `NEVER` for no limit.
    """

    idle: float
    age: float = NEVER

    @classmethod
    def nlb(cls, connection_age: float | None) -> Side:
        """An NLB: it ends idle flows; a maximum age is the targets' own."""
        return cls(PRODUCTION.nlb_idle_timeout, NEVER if connection_age is None else connection_age)

    @classmethod
    def alb(cls) -> Side:
        """An ALB with its defaults."""
        return cls(PRODUCTION.alb_idle_timeout, PRODUCTION.alb_client_keep_alive)


@dataclass(frozen=True, slots=True)
class Slice:
    """A share of clients that leave between `start` and `start + width`, each moment being as likely."""

    start: float
    width: float
    share: float


@dataclass(frozen=True, slots=True)
class Leaving:
    """When clients leave.

    Attributes:
        slices: shares of 1; what is missing never leaves.
        period: seconds between two look-ups of a client.
        hold: seconds after which the resolver between has the new address at the latest.
        open_share: mean connections that a client has open: below 1 if it closes idle ones between requests.
        lingers: seconds for which a connection stays open after its client left it.
        cause: what makes it leave, or why it never does.
    """

    slices: tuple[Slice, ...]
    period: float
    hold: float
    open_share: float
    lingers: float
    cause: str

    @property
    def leavers(self) -> float:
        """The share of the clients that leave at all."""
        return min(1.0, math.fsum(one.share for one in self.slices))

    @property
    def last(self) -> float | None:
        """The time by which all that leave have left; None if none does."""
        return max((one.start + one.width for one in self.slices), default=None)


def leaving(
    part: Part, old: Side, every: float, ttl: float = PRODUCTION.alias_ttl, ages: Sequence[float] = ()
) -> Leaving:
    """Return when the clients of a part leave.

    Args:
        part: the part; its `requests_every` wins over `every`.
        old: the balancer that they leave.
        every: seconds between two requests of a client, above 0.
        ttl: of the record.
        ages: the age of each connection when the alias moves, where they are known; else by `part.ages`.
    """
    every = part.requests_every or every
    model, between = part.model, resolver(part.resolver)
    hold = between.kept_for(ttl) + between.sweep
    if ttl >= between.refresh_least_ttl:
        hold = max(0.0, hold - between.refresh_within)
    reconnects = reconnect_period(part, old, every)
    period = period_of(part, old, every, ttl)
    if model.cache.honours_ttl and between.keeps and hold < UNLIMITED:
        # A resolver hands out what is left of the TTL, so that both drop the answer at the same moment.
        period, hold = max(period, model.cache.lifetime(hold)), 0.0
    # It knows the new address soon, and uses it for its next connection only.
    only_knows = model.looks_up in _UNASKED and model.on_new_answer is OnNewAnswer.KEEPS
    if only_knows:
        period, hold = reconnects, hold + period
    open_share = min(1.0, _longest_idle(part, old) / every) if model.keeps_connection else 0.0
    abandons = model.on_new_answer is OnNewAnswer.ABANDONS
    # The request before the one that leaves was the last on it.
    lingers = max(0.0, _longest_idle(part, old) - every) if abandons else 0.0
    cause = _cause(part, old, every, period, hold)
    if period == NEVER or hold >= UNLIMITED:
        return Leaving((), period, hold, open_share, 0.0, cause)
    is_age = only_knows or (model.looks_up in (LookUp.CONNECT, LookUp.LOSS) and period <= reconnects)
    phases = _phases(ages or None, part.ages, period) if is_age else [Slice(0.0, period, 1.0)]
    slices = tuple(one for phase in phases for one in _first_after(phase, period, hold))
    return Leaving(slices, period, hold, open_share, lingers, cause)


def reconnect_period(part: Part, side: Side, every: float) -> float:
    """Return the seconds between two connections of a client; `NEVER` if nothing ends one."""
    if not part.model.keeps_connection or every > _longest_idle(part, side):
        return every
    age = min(side.age, part.model.max_age)
    # It connects anew for its next request.
    return math.ceil(age / every) * every if age < NEVER and every > 1 else age


def period_of(part: Part, side: Side, every: float, ttl: float) -> float:
    """Return the seconds between two look-ups of a client."""
    model, reconnects = part.model, reconnect_period(part, side, every)
    match model.looks_up:
        case LookUp.INTERVAL:
            return model.interval
        case LookUp.LOSS:
            # It looks up as soon as it is told to go away, not only for its next request.
            lost = min(reconnects, side.age)
            return max(lost, model.interval)
        case LookUp.CONNECT:
            wish = reconnects
        case LookUp.REQUEST:
            wish = every
    lifetime = model.cache.lifetime(ttl)
    if NEVER in (wish, lifetime):
        return NEVER
    # The first wish that the cache no longer answers.
    return wish * max(1, math.ceil(lifetime / wish))


def _longest_idle(part: Part, side: Side) -> float:
    return min(part.model.max_idle, side.idle)


def _phases(
    known: Sequence[float] | None, assumed: tuple[float, float] | None, period: float
) -> Iterator[Slice]:
    """Yield the time since the last look-up, from 0 to `period`, as slices."""
    if known:
        for age in known:
            yield Slice(age % period, 0.0, 1 / len(known))
        return
    low, high = assumed or (0.0, period)
    if high - low >= period:
        low, high = 0.0, period
    start, width = low % period if low != period else period, high - low
    share = min(1.0, (period - start) / width) if width else 1.0
    yield Slice(start, width * share, share)
    if share < 1:
        yield Slice(0.0, width * (1 - share), 1 - share)


def _first_after(phase: Slice, period: float, hold: float) -> Iterator[Slice]:
    """Yield when clients of a phase make their first look-up that the resolver answers anew."""
    if not hold:
        yield Slice(period - phase.start - phase.width, phase.width, phase.share)
        return
    if period < hold / STRATA:
        yield Slice(period / 2, hold, phase.share)
        return
    strata = STRATA if phase.width else 1
    width = phase.width / strata
    for number in range(strata):
        at = period - phase.start - (number + 0.5) * width
        before = 0.0
        while before < 1:
            # The resolver has the new address by then: uniform from 0 to `hold`.
            now = min(1.0, at / hold)
            if now > before:
                yield Slice(at - width / 2, width, (now - before) * phase.share / strata)
            before, at = now, at + period


def _cause(part: Part, old: Side, every: float, period: float, hold: float) -> str:
    model = part.model
    if hold >= UNLIMITED:
        return "its resolver never asks again"
    if model.cache.seconds == NEVER:
        return "it looks up once, when it starts"
    if period == NEVER:
        return "nothing ends its connection, and it moves with a new one only"
    if model.looks_up in _UNASKED and model.on_new_answer is not OnNewAnswer.KEEPS:
        return f"it looks up every {period:g} s"
    if not model.keeps_connection:
        return "it connects for each request"
    if every > _longest_idle(part, old):
        return f"its connection idles out between requests, {every:g} s apart"
    if model.looks_up is LookUp.LOSS and period > old.age:
        return f"the connection age; it looks up at most every {model.interval:g} s"
    return f"the connection age of {min(old.age, model.max_age):g} s"
