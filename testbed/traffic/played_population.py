"""From a population, which has shares, to the clients of a live run, which are whole (pure)."""

from __future__ import annotations

import math
from collections.abc import Sequence

from testbed.client_models.population import Part, Population
from testbed.errors import BadInput
from testbed.traffic.played_models import why_not_played
from testbed.traffic.traffic_plan import ClientGroup, Mix

CLIENTS = 10
"""Clients of a run, if the scenario does not say how many: eight channels of the app, and two servers."""
MOST_CLIENTS = 2_000
"""One process plays them all, and each has sockets of its own."""


def client_groups(population: Population, count: int = CLIENTS) -> tuple[ClientGroup, ...]:
    """Return the groups of a population of `count` clients; each part has at least one.

    Raises:
        BadInput: a live run cannot play a part, or has fewer clients than parts.
    """
    _check(population.parts)
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
            part.region,
            part.requests_every,
        )
        for part, number in zip(population.parts, _whole(population.parts, count), strict=True)
    )


def check_pace(clients: Sequence[ClientGroup], speed: float, rate: float) -> None:
    """Refuse clients whose own pace asks for more than the requests of their protocol in a run.

    Args:
        clients: the groups of the run; calls of the user's own service may part the rate otherwise.
        speed: production seconds in a wall second.
        rate: requests per wall second.

    Raises:
        BadInput: it does.
    """
    grpc, rest = (any(group.is_grpc == one for group in clients) for one in (True, False))
    weights = Mix().spoken_by(grpc=grpc, rest=rest).weights()
    for protocol in ("grpc", "rest"):
        share = sum(weight for kind, weight in weights.items() if kind.protocol == protocol)
        sent = rate * share / sum(weights.values())
        paced = [group for group in clients if group.requests_every and group.is_grpc == (protocol == "grpc")]
        asked = sum(group.count * speed / group.requests_every for group in paced)
        if paced and asked >= sent:
            raise BadInput(
                f"requests_every of {paced[0].model} asks for {asked:.0f} requests a second, and the run "
                f"sends {sent:.0f} of this protocol",
                do="play it at a lower --speed or a higher --rate, or with fewer clients",
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


def _check(parts: Sequence[Part]) -> None:
    for part in parts:
        if refusal := why_not_played(part.model.name):
            raise BadInput(refusal)
    for title, is_grpc in (("gRPC", True), ("REST", False)):
        mine = [part for part in parts if (part.model.protocol == "grpc") == is_grpc]
        if mine and all(part.requests_every for part in mine):
            raise BadInput(
                f"requests_every of {mine[0].model.name} cannot be played: all clients of {title} have a "
                "pace of their own, and the rate of a run is another",
                do="leave it out of one part, whose clients share the rest of the rate",
            )
