"""The table of who calls and how each client model left a balancer, for terminal, Markdown and HTML."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from testbed.balancer_identity import phrase
from testbed.client_models import population
from testbed.report import words
from testbed.report.words import Times
from testbed.verdict.verdict import Verdict

HEADINGS = ("client", "looks up the name", "left", "connections", "last one", "how they ended")


@dataclass(frozen=True, slots=True)
class ClientRow:
    """How the clients of a model left a balancer after a move.

    Attributes:
        move: title of the move: `Forward`.
        stays: True if connections stood at the end.
        cells: the texts below `HEADINGS`.
    """

    move: str
    stays: bool
    cells: tuple[str, ...]


def client_rows(verdict: Verdict) -> list[ClientRow]:
    """Return a row for each move and client model that had connections at the balancer that the name left."""
    times = Times(verdict.history)
    return [
        ClientRow(
            move.title,
            one.left > 0,
            (
                one.model,
                one.looks_up,
                phrase(move.origin),
                words.count(one.connections),
                "stayed"
                if one.left
                else f"{words.duration((one.last - move.time) * times.speed)} after"
                if one.last is not None
                else "-",
                one.words,
            ),
        )
        for move in verdict.movements.moves
        for one in move.leavings
    ]


def who_calls(verdict: Verdict) -> str:
    """Say which clients the run had, and whether they were assumed; "" for journals that do not say."""
    clients = verdict.history.clients
    if not clients:
        return ""
    parts = [
        f"{event.count} {event.model}{population.about(event.resolver, event.region, event.requests_every)}"
        for event in clients
    ]
    assumed = "; the scenario names none, so these are assumed" if clients[0].assumed else ""
    return f"{', '.join(parts)}{assumed}"


def extrapolated(verdict: Verdict) -> Iterator[str]:
    """Yield, for each client model, what of it was not measured."""
    for model, phrases in {event.model: event.extrapolated for event in verdict.history.clients}.items():
        if phrases:
            yield f"{model}: {'; '.join(phrases)}"
