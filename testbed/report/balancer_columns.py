"""The balancers of a run as reports show them: heading, colour, and type and scheme beside the name.

A run that has at most one balancer of each type, and gives no names, speaks of the NLB and the ALB. Any other
run has a colour for each balancer in the order in which they appeared.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from testbed.balancer_identity import NONE, UNKNOWN, BalancerIdentity, title
from testbed.network import BALANCER_TYPES
from testbed.verdict.balancers import Balancers
from testbed.verdict.verdict import Verdict

COLOURS = ("dark_orange", "dodger_blue1", "orchid", "chartreuse3", "gold3", "turquoise2")
"""Of a terminal, in the order of the columns."""
FEW = 4
"""Balancers that a table has room for. A cluster may have dozens, of which the traffic calls a few."""
OTHERS = {NONE: "not answered", UNKNOWN: "unknown balancer"}


@dataclass(frozen=True, slots=True)
class Column:
    """A balancer as a report shows it.

    Attributes:
        name: the name that is a key of the verdict.
        heading: the name for people.
        about: type and scheme, `NLB, internal`, the type only if the name is another; "" in a run of an NLB
            and an ALB.
        css: its class on the page.
        colour: its colour at a terminal.
    """

    name: str
    heading: str
    about: str
    css: str
    colour: str


def columns(balancers: Balancers, served: Collection[str] = ()) -> tuple[Column, ...]:
    """Return a column for each balancer; if they outnumber the colours, those in `served` choose first."""
    plain, names = are_short(balancers), list(balancers.by_name)
    if len(names) > len(COLOURS):
        names.sort(key=lambda name: name not in served)
    return tuple(
        Column(
            name,
            title(name),
            "" if plain else balancer.scheme if name == balancer.type else kind_and_scheme(balancer),
            name if plain else f"balancer{names.index(name) % len(COLOURS)}",
            COLOURS[names.index(name) % len(COLOURS)],
        )
        for name, balancer in balancers.by_name.items()
    )


def all_columns(verdict: Verdict) -> tuple[Column, ...]:
    """Return a column for each balancer of a run."""
    return columns(verdict.history.named_balancers(), _served(verdict))


def table_columns(verdict: Verdict) -> tuple[Column, ...]:
    """Return the columns of a table: all if they are few, else those with requests or the name."""
    every, served = all_columns(verdict), _served(verdict)
    if len(every) <= FEW:
        return every
    return tuple(column for column in every if column.name in served) or every[:FEW]


def by_name(verdict: Verdict) -> Mapping[str, Column]:
    """Return all columns by name, and one for each kind of requests that no balancer is known to have."""
    others = (Column(key, text, "", key, "white") for key, text in OTHERS.items())
    return {column.name: column for column in (*all_columns(verdict), *others)}


def _served(verdict: Verdict) -> Collection[str]:
    shares = verdict.tally.by_balancer.items()
    names = {name for name, share in shares if share.outcomes.total}
    return names.union(*((move.origin, move.to) for move in verdict.movements.moves))


def are_short(balancers: Balancers) -> bool:
    """True if every balancer is the NLB or the ALB of the run."""
    return all(name in BALANCER_TYPES for name in balancers.by_name)


def kind_and_scheme(balancer: BalancerIdentity) -> str:
    """Return `NLB, internal`, or `NLB` if the scheme is not known."""
    return ", ".join(filter(None, (balancer.type.upper(), balancer.scheme)))
