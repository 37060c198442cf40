"""Who left a balancer after the name had moved away: by client model, when, why, and who never would.

The journal's `clients` events say which models a run has and what each does; its connections carry the name
of the model. Journals without these events have no rows.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from testbed import journal
from testbed.verdict.drains import ClientConnection, on_balancer
from testbed.verdict.ending_causes import Cause, cause_of
from testbed.verdict.history import History

UNPROMPTED = frozenset({Cause.IDLE, Cause.FOLLOWED, Cause.NOT_KEPT})
"""Causes that lie with the client: it would leave without an end from the balancer or the target."""


@dataclass(frozen=True, slots=True)
class Leaving:
    """How the clients of one model left a balancer.

    Attributes:
        model: the client model.
        connections: how many were open when the name moved, or were opened until it came back.
        ended: how many ended for each cause.
        left: how many stood at the end.
        last: wall time of the last end; None if none ended.
        follows: True if the model reaches a new address although nothing ends its connection.
        looks_up: when the model looks up the name, in words.
        extrapolated: what of the model was not measured.
    """

    model: str
    connections: int
    ended: Mapping[Cause, int]
    left: int
    last: float | None
    follows: bool
    looks_up: str
    extrapolated: tuple[str, ...]

    @property
    def was_ended(self) -> bool:
        """True if something else than the client ended its connections."""
        return any(cause not in UNPROMPTED for cause in self.ended)

    @property
    def words(self) -> str:
        """When and why they left, without the time: `8 at its maximum age`, `2 stay`."""
        parts = [f"{count} {cause.value}" for cause, count in self.ended.items()]
        if self.left:
            parts.append(f"{self.left} stayed")
        return ", ".join(parts)


def leavings(
    history: History, spans: Sequence[ClientConnection], origin: str, start: float, until: float
) -> tuple[Leaving, ...]:
    """Return how the clients of each model left a balancer, `origin`, between two moments."""
    age = history.connection_age
    found = []
    for model in dict.fromkeys(event.model for event in history.clients):
        event = next(one for one in history.clients if one.model == model)
        mine = [
            span
            for span in on_balancer(spans, origin, start, until)
            if journal.client_model(span.client) == model
        ]
        if not mine:
            continue
        over = [(span, span.closed) for span in mine if span.closed is not None and span.closed <= until]
        ended = Counter(
            cause_of(span.reason, (closed - span.opened) * history.speed, age) for span, closed in over
        )
        found.append(
            Leaving(
                model,
                len(mine),
                dict(ended.most_common()),
                len(mine) - len(over),
                max((closed for _, closed in over), default=None),
                event.follows,
                event.looks_up,
                event.extrapolated,
            )
        )
    return tuple(found)


def who_would_stay(found: Sequence[Leaving]) -> list[str]:
    """Return the models whose clients left only because something ended their connections."""
    return [one.model for one in found if not one.follows and one.was_ended]


def listed(models: Sequence[str]) -> str:
    """Return names as a sentence has them: `a`, `a and b`, `a, b and c`."""
    return " and ".join(filter(None, (", ".join(models[:-1]), *models[-1:])))
