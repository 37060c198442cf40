"""The hosted zones of a run, read from the Route 53 API and read again when something changed there."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Protocol

from testbed.clock import Clock
from testbed.dns.zones import HostedZone, RecordSet, Zones
from testbed.errors import BadInput
from testbed.settings import PATIENCE, PRODUCTION

if TYPE_CHECKING:
    from mypy_boto3_route53 import Route53Client

SERVICE = "route53"


class Feed(Protocol):
    """What is needed of the endpoint's change feed."""

    def revision(self, service: str) -> int:
        """The number of the service's latest change."""

    def wait(self, service: str, since: int, wall_seconds: float) -> int:
        """Wait for a change after `since`; the revision then, or at the timeout."""


def read(client: Route53Client, on_problem: Callable[[str], None]) -> Zones:
    """All hosted zones with all their records.

    Args:
        client: a boto3 client of Route 53.
        on_problem: told of each record that DNS cannot carry; it is left out.
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
                # moto 5.2 shows the SOA of a new zone as a Python dict; `HostedZone` knows that record.
                if item["Type"] != "SOA":
                    on_problem(str(error))


class HostedZones:
    """The zones as the name servers have them now. Calling it gives them; `follow` keeps them up to date.

    Changes are visible when Route 53 would call them INSYNC: `PRODUCTION.route53_propagation` later.
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
        self._seen = feed.revision(SERVICE)
        self._zones = read(client, on_problem)

    def __call__(self) -> Zones:
        """The zones now."""
        return self._zones

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
                # The endpoint is stopping or throttles: what was read before stays, and is read again.
                self._on_problem(f"the hosted zones cannot be read: {error}")
                stop.wait(PATIENCE.poll)
                continue
            if PRODUCTION.route53_propagation:
                self._clock.wait(stop, PRODUCTION.route53_propagation)
            self._zones, self._seen = zones, revision
