"""A client model: when it asks for addresses, how long it keeps them, and what ends a connection.

All durations are production seconds; `NEVER` is infinity. A model has rules only, no state: whoever plays or
forecasts it keeps the time of its last look-up and of its connections.
"""

from __future__ import annotations

import enum
import math
from dataclasses import dataclass
from datetime import date
from typing import Literal

NEVER = math.inf
"""A duration without an end: an entry that is never dropped, a connection that is kept for ever."""


class LookUp(enum.Enum):
    """When a client wants the addresses of the name; its cache may answer. The value says it in words."""

    CONNECT = "when it connects"
    REQUEST = "at each request"
    LOSS = "when its connection is lost or told to go away"
    INTERVAL = "by itself, at an interval"

    # A client that looks up once, at its start, is CONNECT with a cache that never ends.


class OnNewAnswer(enum.Enum):
    """What a client does with a healthy connection once a look-up has brought another address."""

    KEEPS = "keeps the connection, and goes on using it"
    LEAVES = "closes the connection once it is free"
    ABANDONS = "sends no further request on it, and leaves it open and idle"


@dataclass(frozen=True, slots=True)
class AddressCache:
    """How long a process keeps an answer, counted from the look-up: use does not renew it.

    Attributes:
        seconds: so long, whatever the record says; with `honours_ttl` the least; `NEVER`: as long as it runs.
        honours_ttl: True if the record's TTL counts.
        extra: seconds on top of the TTL, for caches that count whole seconds.
        dropped_when_refused: True if a connection that could not be made drops the answer.
    """

    seconds: float = 0.0
    honours_ttl: bool = False
    extra: float = 0.0
    dropped_when_refused: bool = False

    def lifetime(self, ttl: float) -> float:
        """Return for how long an answer with a TTL is used."""
        return max(self.seconds, ttl + self.extra) if self.honours_ttl else self.seconds


@dataclass(frozen=True, slots=True)
class NegativeCache:
    """How long a process keeps the answer that there is no such name, or no address.

    Attributes:
        seconds: so long; 0 for not at all.
        by_soa: True for the lesser of the SOA record's TTL and its MINIMUM (RFC 2308) instead.
    """

    seconds: float = 0.0
    by_soa: bool = False

    def lifetime(self, soa_ttl: float, soa_minimum: float) -> float:
        """Return for how long a negative answer with that SOA record is kept."""
        return min(soa_ttl, soa_minimum) if self.by_soa else self.seconds


@dataclass(frozen=True, slots=True)
class Source:
    """Where the figures of a model come from.

    Attributes:
        library: what was measured, as its users name it.
        version: its release.
        measured: the day.
        experiments: their ids. A: HTTP clients and proxies, B: gRPC, R: an old side that closes its idle
            connections, X: one that is gone, XC: the same without keep-alive, N: a name that is gone for
            1 s. Over TLS with ALPN, T1: keep-alive, T2: as R, and gRPC with an age of 10 s, T3: as X,
            T4: gRPC with an age of 60 s, T5: idle limits. D: a server that closes instead of an answer.
    """

    library: str
    version: str
    measured: date
    experiments: tuple[str, ...]

    def __str__(self) -> str:
        ids = ", ".join(self.experiments)
        return f"{self.library} {self.version}, measured {self.measured:%Y-%m-%d} ({ids})"


@dataclass(frozen=True, slots=True)
class ClientModel:
    """What a library or proxy does by its defaults, with one name that moves from an address to another.

    Attributes:
        name: as people say it: `grpcio`, `java-http1`.
        family: languages and programs that belong together in the table.
        protocol: what it speaks to the balancer.
        looks_up: when it wants addresses.
        cache: how long it keeps an answer in its process.
        negative: how long it keeps the answer that there is none.
        interval: between two look-ups: the period for `LookUp.INTERVAL`, the least time after the last
            look-up for `LookUp.LOSS`. A wish that comes sooner waits for it, and counts once.
        on_new_answer: what it does with a healthy connection to an address that is no longer answered.
        keeps_connection: False if each request has a connection of its own.
        max_idle: seconds after which it closes an idle connection; `NEVER` if no limit was seen.
        max_age: seconds after which it retires a connection whatever its use.
        keeps_addresses: True if it goes on with the last addresses when a later look-up fails.
        retries: further attempts at a request that failed before an answer came.
        source: where the figures come from.
        over_tls: the same for what was measured anew over TLS with ALPN, with the figures of `source`.
        speaks_h2: True if it speaks HTTP/2 to a balancer that offers it over TLS (ALPN).
        unplayed: why a live run has no clients of it; "" if it has. The forecast has all models.
        extrapolated: what was not measured and is assumed, one phrase each; empty if all was.
        surprise: what a good engineer would not expect, in one sentence; may be empty.
    """

    name: str
    family: str
    protocol: Literal["http/1.1", "http/2", "grpc"]
    looks_up: LookUp
    source: Source
    cache: AddressCache = AddressCache()
    negative: NegativeCache = NegativeCache()
    interval: float = 0.0
    on_new_answer: OnNewAnswer = OnNewAnswer.KEEPS
    keeps_connection: bool = True
    max_idle: float = NEVER
    max_age: float = NEVER
    keeps_addresses: bool = False
    retries: int = 0
    over_tls: Source | None = None
    speaks_h2: bool = False
    unplayed: str = ""
    extrapolated: tuple[str, ...] = ()
    surprise: str = ""

    @property
    def follows_by_itself(self) -> bool:
        """True if it reaches the new address although nothing ends its connection."""
        if self.cache.seconds == NEVER:
            return False
        if not self.keeps_connection or self.max_age < NEVER:
            return True
        return (
            self.looks_up in (LookUp.REQUEST, LookUp.INTERVAL) and self.on_new_answer is not OnNewAnswer.KEEPS
        )

    @property
    def reconnects_by_cache(self) -> bool:
        """True if a connection that ends soon after a look-up is made anew to the address of that look-up.

        So a drain right after the move ties it to the old address again, without a failed request.
        """
        return self.cache.seconds > 0 or self.cache.honours_ttl or self.looks_up is LookUp.LOSS

    def looks_up_at(self, wanted: float, last: float | None, ttl: float) -> float | None:
        """Return when the next look-up happens, in the time of the arguments; None if the cache answers.

        Args:
            wanted: when the client wants addresses, by `looks_up`.
            last: when its last look-up happened; None if it had none.
            ttl: of the record that the last look-up brought.
        """
        if last is None:
            return wanted
        if self.looks_up in (LookUp.LOSS, LookUp.INTERVAL):
            return max(wanted, last + self.interval)
        return wanted if wanted >= last + self.cache.lifetime(ttl) else None
