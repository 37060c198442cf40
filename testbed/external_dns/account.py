"""Hosted zones of an account in memory: Route 53's rules, and as much of boto3 as ExternalDNS calls.

The zones of recorded histories (`zone.py`) refuse what the recording refused; these refuse what AWS refuses.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ClientError

from testbed.aws.route53_rules import Record, Zone, by_name, judged, stored_name
from testbed.external_dns.zone_file import ZoneFile


@dataclass(frozen=True, slots=True)
class Batch:
    """A call of ChangeResourceRecordSets.

    Attributes:
        changes: as the API has them.
        refusal: code and text of Route 53's refusal, or "".
    """

    zone: str
    changes: Sequence[Mapping[str, Any]]
    refusal: str


class Account:
    """The zones.

    Attributes:
        batches: all that were sent, refused ones too.
    """

    def __init__(self, zones: Iterable[ZoneFile]) -> None:
        self.batches: list[Batch] = []
        self._zones = {zone.id: _Zone(zone.name, zone.id, zone.records) for zone in zones}

    def get_paginator(self, operation: str) -> _Pages:
        """A paginator with one page for `list_hosted_zones` or `list_resource_record_sets`."""
        return _Pages(self._zones, operation)

    def change_resource_record_sets(
        self,
        HostedZoneId: str,  # noqa: N803 as boto3 names it
        ChangeBatch: Mapping[str, Any],  # noqa: N803
    ) -> None:
        """Apply a batch or nothing of it.

        Raises:
            ClientError: Route 53 would refuse it.
        """
        zone, changes = self._zones[HostedZoneId], ChangeBatch["Changes"]
        code, text = zone.apply(changes)
        self.batches.append(Batch(zone.name, changes, f"{code}: {text}" if code else ""))
        if code:
            raise ClientError({"Error": {"Code": code, "Message": text}}, "ChangeResourceRecordSets")


class _Zone:
    """Record sets by name, so that a batch looks at the names it changes and not at the whole zone."""

    def __init__(self, name: str, zone_id: str, records: Iterable[Record]) -> None:
        self.name, self.id = name, zone_id
        self._rules_zone = Zone(zone_id.rpartition("/")[2], f"{name}.")
        self._by_name = by_name(records)

    @property
    def records(self) -> list[Record]:
        """All record sets, as Route 53 gives them back."""
        return [_stored(record) for name in self._by_name.values() for record in name.values()]

    def apply(self, changes: Sequence[Mapping[str, Any]]) -> tuple[str, str]:
        """Apply changes; code and text of the refusal, or two empty texts."""
        records = [change["ResourceRecordSet"] for change in changes]
        names = [stored_name(record["Name"]) for record in records]
        aliases = (record["AliasTarget"]["DNSName"] for record in records if "AliasTarget" in record)
        names += [stored_name(one) for one in aliases if one.rstrip(".").lower().endswith(self.name)]
        state = {name: dict(self._by_name.get(name, {})) for name in names}
        found = judged(self._rules_zone, state, changes)
        if found:
            return found.code, found.message
        self._by_name.update(state)
        return "", ""


@dataclass(frozen=True, slots=True)
class _Pages:
    zones: Mapping[str, _Zone]
    operation: str

    def paginate(self, HostedZoneId: str = "") -> list[Mapping[str, Any]]:  # noqa: N803 as boto3 names it
        if self.operation == "list_hosted_zones":
            zones = self.zones.values()
            return [{"HostedZones": [{"Id": zone.id, "Name": f"{zone.name}."} for zone in zones]}]
        return [{"ResourceRecordSets": self.zones[HostedZoneId].records}]


def _stored(record: Record) -> Record:
    """As Route 53 gives it back: the names in lower case, with their dots."""
    if record["Name"].endswith("."):
        return record  # it came from there
    alias = record.get("AliasTarget")
    more = {"AliasTarget": {**alias, "DNSName": stored_name(alias["DNSName"])}} if alias else {}
    return {**record, "Name": stored_name(record["Name"]), **more}
