"""Losses that no slow machine explains: a client that could not connect for longer than any request was late.

A machine that is late shifts what happens by as much as it is late, and no more. A connection that is refused
at once was not waited for. So a client that gets nothing else for longer has lost its way, as one that looks
up once does when its balancer goes.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from testbed.settings import PATIENCE
from testbed.verdict.outage_findings import lasted
from testbed.verdict.reconciliation import FAILED, OK, Ledger

NAMED = 5
"""How many clients a sentence lists."""
_NEVER_SENT = "UNAVAILABLE failed to connect to all addresses"
"""Cause of a gRPC call that found no connection; REST requests without one have no status."""


@dataclass(frozen=True, slots=True)
class LastingLoss:
    """Requests of a client, `count` in all, that were refused in a row, from wall time `start` to `end`."""

    client: str
    start: float
    end: float
    count: int

    @property
    def lasted(self) -> float:
        """Wall seconds."""
        return self.end - self.start


def lasting_losses(ledger: Ledger) -> list[LastingLoss]:
    """Return what lasted longer than the latest request was late and a silence of this machine may be."""
    pairs = zip(ledger.sent, ledger.intended, strict=True)
    excused = max((sent - due for sent, due in pairs), default=0.0) + PATIENCE.stall
    return [one for one in _in_a_row(ledger) if one.lasted > excused]


def in_words(lasting: Sequence[LastingLoss], speed: float) -> str:
    """Say who could not connect, and for how long."""
    clients = list(dict.fromkeys(one.client for one in lasting))
    more = f" and {len(clients) - NAMED} more" if len(clients) > NAMED else ""
    longest = lasted(max(one.lasted for one in lasting), speed)
    return f"{', '.join(clients[:NAMED])}{more} could not connect for up to {longest}"


def _in_a_row(ledger: Ledger) -> Iterator[LastingLoss]:
    so_far: dict[str, LastingLoss] = {}
    for row in sorted(range(len(ledger)), key=ledger.sent.__getitem__):
        client, sent = ledger.routes.rows[ledger.route[row]].client, ledger.sent[row]
        if _is_refused(ledger, row):
            before = so_far.get(client, LastingLoss(client, sent, sent, 0))
            so_far[client] = LastingLoss(client, before.start, sent, before.count + 1)
        # What waited, and was lost then, proves nothing either way.
        elif ledger.outcome[row] == OK and client in so_far:
            yield so_far.pop(client)
    yield from so_far.values()


def _is_refused(ledger: Ledger, row: int) -> bool:
    status = ledger.routes.rows[ledger.route[row]].status
    is_prompt = ledger.finished[row] - ledger.sent[row] <= PATIENCE.start_lag
    was_never_sent = not status or ledger.causes.get(row, "").startswith(_NEVER_SENT)
    return ledger.outcome[row] == FAILED and is_prompt and was_never_sent
