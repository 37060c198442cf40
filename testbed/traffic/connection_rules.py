"""What a client model does with a connection that it has: use it, leave it alone, or close it (pure)."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from testbed.client_models.client_model import ClientModel, OnNewAnswer
from testbed.clock import Clock
from testbed.settings import PRODUCTION

IDLE = "idle for longer than the client keeps a connection"
OLD = "older than the client lets a connection get"
MOVED = "DNS no longer answers with its address"
NOT_KEPT = "the client keeps no connection"


class Kept(Protocol):
    """A connection of a client; times are `time.monotonic()`."""

    address: str
    opened: float
    idle_since: float


@dataclass(frozen=True, slots=True)
class ConnectionRules:
    """The rules of a model in the wall time of a run.

    Attributes:
        max_idle, max_age: wall seconds.
        on_new_answer: what becomes of a connection to an address that is no longer answered.
        keeps_connection: False if each request has a connection of its own.
    """

    max_idle: float
    max_age: float
    on_new_answer: OnNewAnswer
    keeps_connection: bool

    @classmethod
    def of(cls, model: ClientModel, clock: Clock) -> ConnectionRules:
        """Return the rules of a model at the speed of a run."""
        return cls(
            clock.scaled(model.max_idle),
            clock.scaled(model.max_age),
            model.on_new_answer,
            model.keeps_connection,
        )

    def ends(self, connection: Kept, addresses: Sequence[str], now: float) -> str:
        """Return why the client closes a connection that is idle now; "" if it keeps it."""
        if not self.keeps_connection:
            return NOT_KEPT
        if now - connection.idle_since > self.max_idle:
            return IDLE
        if now - connection.opened > self.max_age:
            return OLD
        if self.on_new_answer is OnNewAnswer.LEAVES and connection.address not in addresses:
            return MOVED
        return ""

    def may_use(self, connection: Kept, addresses: Sequence[str]) -> bool:
        """True if the client sends another request on a connection that it keeps."""
        return self.on_new_answer is OnNewAnswer.KEEPS or connection.address in addresses


def may_cross_after(clock: Clock) -> float:
    """Return after how much idling, in wall seconds, a request crosses a close only because the run is fast.

    A balancer's idle timeout is as many times shorter as the run is faster, and this machine is no faster.
    At the pace of production such a request is lost as in production: it is infinity.
    """
    return clock.scaled(PRODUCTION.client_keep_alive) if clock.speed > 1 else math.inf
