"""Clients simulated one by one and event by event: the slow way to what a forecast computes.

It asks `ClientModel.looks_up_at`. Each client has a connection, a cache and a resolver; nothing here knows of
periods.
"""

from __future__ import annotations

import heapq
import itertools
import math
import random
from dataclasses import dataclass

from testbed.client_models import NEVER, LookUp, OnNewAnswer, Part
from testbed.forecast.leaving import Side
from testbed.resolvers.known_resolvers import resolver

OLD, NEW = "old", "new"


@dataclass
class Life:
    """What a client did: its look-ups with their answers, and when it first used the new balancer."""

    looked_up: list[tuple[float, str]]
    uses: list[tuple[float, str]]
    left: float | None = None


def live(
    part: Part,
    old: Side,
    every: float,
    ttl: float,
    until: float,
    chance: random.Random,
    age: float | None = None,
) -> Life:
    """Play one client from long before the move at 0 until it leaves, or to `until`.

    Args:
        age: of its only connection when the alias moves, made by its first look-up; None for a long life.
    """
    model = part.model
    hold = resolver(part.resolver).kept_for(ttl) if resolver(part.resolver).keeps else 0.0
    moved = chance.uniform(0, hold)
    longest = max(every, model.interval, min(model.cache.lifetime(ttl), 600.0), 60.0)
    # So long a range of starts that each phase is as likely.
    unit = old.age if old.age < NEVER else every
    longest = unit * math.ceil(longest / unit)
    # Where look-ups and connections have a period each, they need time to get out of step.
    two_periods = model.looks_up is LookUp.REQUEST and model.on_new_answer is OnNewAnswer.KEEPS
    lives = 5 if two_periods else 1
    start = -age if age is not None else -longest * chance.uniform(lives, 2 * lives)
    life = Life([], [])
    shown = ttl

    def look_up(now: float) -> str:
        nonlocal shown
        # A resolver shows what is left of the TTL.
        shown = (moved - now) % hold if hold else ttl
        life.looked_up.append((now, NEW if now >= moved else OLD))
        return life.looked_up[-1][1]

    known, last = look_up(start), start
    connection: tuple[str, float, float] | None = None  # where to, since when, last used
    events: list[tuple[float, int, str]] = [(start, 0, "request")]
    order = itertools.count(1)
    waits = False
    if model.looks_up is LookUp.INTERVAL:
        heapq.heappush(events, (start + model.interval, next(order), "timer"))
    while events:
        now, _, kind = heapq.heappop(events)
        if now > until:
            break
        if kind in ("timer", "look-up"):
            known, last, waits = look_up(now), now, False
            if kind == "timer":
                heapq.heappush(events, (now + model.interval, next(order), "timer"))
            if connection and connection[0] != known and model.on_new_answer is not OnNewAnswer.KEEPS:
                connection = None
            if connection is None and model.looks_up is LookUp.LOSS and known == NEW:
                life.left = now  # it connects at once
                return life
            continue
        heapq.heappush(events, (now + every, next(order), "request"))
        limit = min(model.max_idle, old.idle)
        if connection and (
            now - connection[1] >= min(old.age, model.max_age) - 1e-9 or now - connection[2] > limit
        ):
            connection = None
            if model.looks_up is LookUp.LOSS and not waits:
                at = model.looks_up_at(now, last, shown)
                assert at is not None
                if at <= now:
                    known, last = look_up(now), now
                else:
                    waits = True
                    heapq.heappush(events, (at, next(order), "look-up"))
        wants = model.looks_up is LookUp.REQUEST or (model.looks_up is LookUp.CONNECT and connection is None)
        if wants and now > start and model.looks_up_at(now, last, shown) is not None:
            known, last = look_up(now), now
        if connection and connection[0] != known and model.on_new_answer is not OnNewAnswer.KEEPS:
            connection = None
        if connection is None:
            connection = (known, now, now)
        connection = (connection[0], connection[1], now)
        life.uses.append((now, connection[0]))
        if connection[0] == NEW:
            life.left = now
            return life
        if not model.keeps_connection:
            connection = None
    return life


def clients(
    part: Part, number: int, old: Side, every: float, ttl: float, until: float, seed: int = 1
) -> list[Life]:
    """Play clients that know nothing of each other."""
    chance = random.Random(seed)
    ages: list[float | None] = [None] * number
    if part.ages:
        ages = [chance.uniform(*part.ages) for _ in range(number)]
    return [live(part, old, every, ttl, until, chance, age) for age in ages]
