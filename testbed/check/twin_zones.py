"""Traps of two hosted zones with one name, a public and a private one, where the listings of both are given.

Sources: external-dns#973, #2169, #3633, #4241; provider/aws/aws.go (suitableZones): a change goes to every
private zone around the name and to the nearest public one.
"""

from __future__ import annotations

from collections.abc import Iterator

from testbed.aws.route53_names import plain_name
from testbed.check.findings import Severity
from testbed.check.manifest_reading import Reading
from testbed.check.rule_registry import Trap, rule
from testbed.errors import Location
from testbed.external_dns.offline.zone_file import ZoneFile

_DO = "set --aws-zone-type or --zone-id-filter, and pass the listing of the zone that it chooses"


@rule("two-zones-of-one-name", Severity.WARNING)
def two_zones_of_one_name(reading: Reading) -> Iterator[Trap]:
    """Without a filter, ExternalDNS writes each record into the public and the private zone of a name."""
    twins = [zone for zone in reading.zones if zone.title]
    for zone in twins[:1]:
        both = " and ".join(str(one) for one in twins)
        names = [host for host in reading.claims if f".{host}".endswith(f".{zone.name}")]
        if names:
            yield Trap(
                Location(zone.path),
                f"ExternalDNS writes {names[0]} into {both}, as no flag chooses one of them: names of "
                f"internal "
                "load balancers become public, and both zones lose the record together",
                _DO,
            )


@rule("record-in-one-zone-only", Severity.WARNING)
def record_in_one_zone_only(reading: Reading) -> Iterator[Trap]:
    """A name that one of two zones of one name has does not come into the other until it changes."""
    twins = [zone for zone in reading.zones if zone.title]
    for host in reading.claims:
        around = [zone for zone in twins if f".{host}".endswith(f".{zone.name}")]
        without = [zone for zone in around if not _has(zone, host)]
        if without and len(without) < len(around):
            yield Trap(
                Location(without[0].path),
                f"{host} has a record in {next(one for one in around if _has(one, host))} and none in "
                f"{without[0]}: ExternalDNS sees one and makes none, and clients that use {without[0]} get "
                "NXDOMAIN until the record changes",
                f"{_DO}; or copy the record and its TXT by hand",
            )


def _has(zone: ZoneFile, host: str) -> bool:
    return any(
        plain_name(one["Name"]) == host for one in zone.records if one["Type"] in ("A", "AAAA", "CNAME")
    )
