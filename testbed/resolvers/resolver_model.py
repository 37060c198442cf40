"""A resolver between clients and a zone, as a value: what it keeps and for how long.

Times are production seconds. The values are measured on the daemons themselves, with Debian 12's defaults.
"""

from __future__ import annotations

import enum
import math
from dataclasses import dataclass

UNLIMITED = math.inf


class Expiry(enum.Enum):
    """When an answer that came at `t` with a TTL is no longer given."""

    EXACT = "t + TTL"
    BEFORE_SECOND = "the second of t, + TTL"
    THROUGH_SECOND = "the second of t, + TTL, and through that second"


class NegativeTtl(enum.Enum):
    """For how long "no such name" is kept (RFC 2308, 5, and what daemons make of it)."""

    LEAST_OF_SOA = "the lesser of the SOA record's TTL and its MINIMUM"
    SOA_TTL = "the SOA record's TTL; MINIMUM is not looked at"
    FIXED = "a time of its own"


class Outcome(enum.Enum):
    """What an authority, or a resolver, says to a question."""

    ADDRESSES = "addresses"
    NO_NAME = "NXDOMAIN"
    NO_DATA = "no address of this family"
    FAILURE = "SERVFAIL"
    SILENCE = "no answer"

    @property
    def is_answer(self) -> bool:
        """True if the authority answered, be it that there is nothing."""
        return self in (Outcome.ADDRESSES, Outcome.NO_NAME, Outcome.NO_DATA)


@dataclass(frozen=True, slots=True, kw_only=True)
class ResolverModel:
    """What a resolver does with answers.

    Attributes:
        name: as a population names it, `unbound` or `ttl-floor:300`.
        version: the package that was measured; "" for a rule that is nobody's default.
        source: where the values come from.
        keeps: False for no cache at all.
        floor, ceiling: least and greatest time for which addresses are kept.
        expiry: how the end of that time is rounded.
        sweep: an answer that has expired is given until the next sweep, which comes at this interval; 0 for
            none.
        refresh_within: asked in so many last seconds of an answer, it gives the old one and asks for the next
            meanwhile; 0 for never.
        refresh_least_ttl: only answers of at least this TTL are refreshed so.
        refreshes_negatives: whether "no such name" is refreshed so, too.
        negative: for how long "no such name" is kept.
        negative_ceiling: at most; for `FIXED` exactly so long.
        failure: what it says while the authority is silent.
        failure_ttl: after a failure it does not ask the authority for so long.
        stale: for how long after its end an answer is given while the authority fails.
        members: the resolvers behind one address, each with a cache of its own, asked in turn.
    """

    name: str
    version: str = ""
    source: str = ""
    keeps: bool = True
    floor: float = 0.0
    ceiling: float = UNLIMITED
    expiry: Expiry = Expiry.EXACT
    sweep: float = 0.0
    refresh_within: float = 0.0
    refresh_least_ttl: float = 0.0
    refreshes_negatives: bool = False
    negative: NegativeTtl = NegativeTtl.LEAST_OF_SOA
    negative_ceiling: float = UNLIMITED
    failure: Outcome = Outcome.FAILURE
    failure_ttl: float = 0.0
    stale: float = 0.0
    members: int = 1

    def kept_for(self, ttl: float) -> float:
        """Return for how long addresses with a TTL are kept, before rounding; 0 for not at all."""
        return min(max(ttl, self.floor), self.ceiling) if self.keeps else 0.0

    def negative_for(self, soa_ttl: float, soa_minimum: float) -> float:
        """Return for how long "no such name" is kept, before rounding; 0 for not at all."""
        if not self.keeps:
            return 0.0
        match self.negative:
            case NegativeTtl.LEAST_OF_SOA:
                ttl = min(soa_ttl, soa_minimum)
            case NegativeTtl.SOA_TTL:
                ttl = soa_ttl
            case NegativeTtl.FIXED:
                ttl = self.negative_ceiling
        return min(ttl, self.negative_ceiling)

    def expires(self, came: float, ttl: float) -> float:
        """Return until when an answer that came at a time, and is kept for `ttl`, is given."""
        match self.expiry:
            case Expiry.EXACT:
                end = came + ttl
            case Expiry.BEFORE_SECOND:
                end = math.floor(came) + ttl
            case Expiry.THROUGH_SECOND:
                end = math.floor(came) + ttl + 1.0
        if self.sweep and end < UNLIMITED:
            end = math.ceil(end / self.sweep) * self.sweep
        return end
