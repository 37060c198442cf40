"""From a population, which has shares, to the clients of a live run, which are whole (pure)."""

from __future__ import annotations

import math
from collections.abc import Sequence

from testbed.client_models.population import Part, Population
from testbed.errors import BadInput
from testbed.traffic.played_models import why_not_played
from testbed.traffic.traffic_plan import ClientGroup

CLIENTS = 10
"""Clients of a run, if the scenario does not say how many: eight channels of the app, and two servers."""
MOST_CLIENTS = 2_000
"""One process plays them all, and each has sockets of its own."""


def client_groups(population: Population, count: int = CLIENTS) -> tuple[ClientGroup, ...]:
    """Return the groups of a population of `count` clients; each part has at least one.

    Raises:
        BadInput: a live run cannot play a part, or has fewer clients than parts.
    """
    for part in population.parts:
        _check(part)
    if not len(population.parts) <= count <= MOST_CLIENTS:
        raise BadInput(
            f"client_count={count!r} is no number of clients for {len(population.parts)} parts",
            do=f"write a number from {len(population.parts)} to {MOST_CLIENTS}",
        )
    return tuple(
        ClientGroup(
            part.model.name,
            number,
            part.resolver,
            part.ages[1] - part.ages[0] if part.ages else 0.0,
        )
        for part, number in zip(population.parts, _whole(population.parts, count), strict=True)
    )


def _whole(parts: Sequence[Part], count: int) -> list[int]:
    """Return whole numbers in the proportion of the shares, at least one each, that add up to `count`."""
    exact = [part.share * count for part in parts]
    numbers = [max(1, math.floor(one)) for one in exact]
    while sum(numbers) < count:
        behind = max(range(len(parts)), key=lambda at: exact[at] - numbers[at])
        numbers[behind] += 1
    while sum(numbers) > count:
        ahead = max(
            (at for at in range(len(parts)) if numbers[at] > 1), key=lambda at: numbers[at] - exact[at]
        )
        numbers[ahead] -= 1
    return numbers


def _check(part: Part) -> None:
    if refusal := why_not_played(part.model.name):
        raise BadInput(refusal)
    for key, value in (("region", part.region), ("requests_every", part.requests_every)):
        if value:
            raise BadInput(
                f"{key}={value!r} of {part.model.name} cannot be played on one machine",
                do="leave it out; `testbed forecast` reads it from a file of its own",
            )
