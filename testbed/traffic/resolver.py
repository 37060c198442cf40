"""Resolves one name over one DNS server and remembers the answer for its TTL, in the time of the run."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass

import dns.asyncresolver
import dns.exception
import dns.resolver

from testbed.settings import PATIENCE, PRODUCTION
from testbed.traffic.plan import TrafficPlan


class NoAddress(Exception):
    """The name has no address, or the DNS server did not say."""


@dataclass(frozen=True, slots=True)
class Lookup:
    """What DNS said; `expires` by `time.monotonic()`. Without addresses, `problem` says why."""

    addresses: tuple[str, ...]
    expires: float
    problem: str = ""


class CachingResolver:
    """One question at a time; those who ask meanwhile wait for the same answer."""

    def __init__(self, plan: TrafficPlan) -> None:
        self._host = plan.host
        self._clock = plan.clock
        address, port = plan.dns_server
        self._resolver = dns.asyncresolver.Resolver(configure=False)
        self._resolver.nameservers = [address]
        self._resolver.port = port
        self._resolver.lifetime = self._resolver.timeout = PATIENCE.dns_query
        self._last = Lookup((), 0.0)
        self._asking: asyncio.Task[Lookup] | None = None

    async def addresses(self) -> tuple[str, ...]:
        """The addresses of the name, from an answer whose TTL has not passed.

        Raises:
            NoAddress: there is none.
        """
        lookup = self._last
        if lookup.expires <= time.monotonic():
            if self._asking is None:
                self._asking = asyncio.create_task(self._ask())
            lookup = await asyncio.shield(self._asking)
        if not lookup.addresses:
            raise NoAddress(lookup.problem)
        return lookup.addresses

    async def _ask(self) -> Lookup:
        try:
            self._last = await self._look_up()
        finally:
            self._asking = None
        return self._last

    async def _look_up(self) -> Lookup:
        name = self._host + "."
        try:
            answer = await self._resolver.resolve(name, "A", search=False)
        except (dns.resolver.NXDOMAIN, dns.resolver.NoAnswer) as error:
            remembered = self._clock.scaled(PRODUCTION.client_negative_ttl)
            kind = "NXDOMAIN" if isinstance(error, dns.resolver.NXDOMAIN) else "no A record"
            return Lookup((), time.monotonic() + remembered, f"DNS: {self._host}: {kind}")
        except (dns.exception.DNSException, OSError) as error:
            return Lookup((), 0.0, f"DNS: {self._host}: {error}")
        ttl = answer.rrset.ttl if answer.rrset is not None else 0
        addresses = tuple(record.address for record in answer)
        return Lookup(addresses, time.monotonic() + self._clock.scaled(ttl))
