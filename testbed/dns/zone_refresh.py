"""Reads the hosted zones of a run from the Route 53 API, and reads them again after each change there."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Protocol

from testbed.clock import Clock
from testbed.dns.hosted_zone import HostedZone, RecordSet, Zones
from testbed.errors import BadInput
from testbed.settings import PATIENCE, PRODUCTION

if TYPE_CHECKING:
    from mypy_boto3_route53 import Route53Client

SERVICE = "route53"


class Feed(Protocol):
    """The part of the endpoint's change feed that this module needs."""

    def revision(self, service: str) -> int:
        """Return the number of the service's latest change."""

    def wait(self, service: str, since: int, wall_seconds: float) -> int:
        """Wait for a change after `since`, at most `wall_seconds`, and return the revision."""


def read(client: Route53Client, on_problem: Callable[[str], None]) -> Zones:
    """Read all hosted zones with all their records.

    Args:
        client: a boto3 client of Route 53.
        on_problem: called for each record that DNS cannot carry, which is left out.
    """
    zones = []
    for page in client.get_paginator("list_hosted_zones").paginate():
        for zone in page["HostedZones"]:
            records = list(_records(client, zone["Id"], on_problem))
            zones.append(HostedZone.of(zone["Id"], zone["Name"], records))
    return Zones.of(zones)


def _records(client: Route53Client, zone: str, on_problem: Callable[[str], None]) -> Iterator[RecordSet]:
    pages = client.get_paginator("list_resource_record_sets")
    for page in pages.paginate(HostedZoneId=zone):
        for item in page["ResourceRecordSets"]:
            try:
                yield RecordSet.of(item)
            except BadInput as error:
                # moto 5.2 returns the SOA of a new zone as a Python dict; `HostedZone` adds that record.
                if item["Type"] != "SOA":
                    on_problem(str(error))


class HostedZones:
    """The zones as the name servers have them. Call it for the current zones; `follow` keeps them up to date.

    Changes become visible when Route 53 reports them as INSYNC: `PRODUCTION.route53_propagation` later.
    """

    def __init__(
        self,
        client: Route53Client,
        feed: Feed,
        clock: Clock,
        on_problem: Callable[[str], None] = lambda _: None,
    ) -> None:
        self._client = client
        self._feed = feed
        self._clock = clock
        self._on_problem = on_problem
        # Before the reading: a change in between is read again, and none is missed.
        self._seen = feed.revision(SERVICE)
        self._zones = read(client, on_problem)

    def __call__(self) -> Zones:
        """Return the current zones."""
        return self._zones

    @property
    def is_current(self) -> bool:
        """True if no change of Route 53 waits to be read."""
        return self._seen >= self._feed.revision(SERVICE)

    def follow(self, stop: threading.Event) -> None:
        """Read again after each change, until `stop` is set."""
        from botocore.exceptions import BotoCoreError, ClientError

        while not stop.is_set():
            revision = self._feed.wait(SERVICE, self._seen, PATIENCE.poll)
            if revision <= self._seen:
                continue
            try:
                zones = read(self._client, self._on_problem)
            except (BotoCoreError, ClientError) as error:
                # The endpoint is stopping or throttles: keep the old zones and try again.
                self._on_problem(f"the hosted zones cannot be read: {error}")
                stop.wait(PATIENCE.poll)
                continue
            if PRODUCTION.route53_propagation:
                self._clock.wait(stop, PRODUCTION.route53_propagation)
            self._zones, self._seen = zones, revision
