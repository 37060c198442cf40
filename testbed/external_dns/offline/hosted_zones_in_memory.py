"""Hosted zones in memory, with as much of boto3's Route 53 client as ExternalDNS calls.

The judge of a batch is a parameter: it refuses what AWS refuses (`testbed.aws.route53_refusals`), or what the
zone of the recorded histories refused (`recorded_refusals`). A batch is taken whole or not at all.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ClientError

from testbed.aws import route53_refusals
from testbed.aws.answers import Refusal
from testbed.aws.route53_names import stored_name
from testbed.aws.route53_refusals import Record, State, by_name
from testbed.external_dns.offline.zone_file import ZoneFile

_ADDRESSES = ("A", "AAAA")
Judge = Callable[[route53_refusals.Zone, State, Sequence[Mapping[str, Any]]], Refusal | None]
"""Applies changes to record sets; returns what is refused, or None."""


@dataclass(frozen=True, slots=True)
class InitialZone:
    """A hosted zone as it is at the beginning, where no file lists it.

    Attributes:
        name: without its dot.
        id: as boto3 gives it: `/hostedzone/Z…`.
        records: in any order.
    """

    name: str
    id: str
    records: Sequence[Record] = ()


@dataclass(frozen=True, slots=True)
class Batch:
    """A call of ChangeResourceRecordSets.

    Attributes:
        zone: the zone's name, with its file where another zone has the same name.
        changes: as the API has them.
        code, message: of the refusal; empty if the batch was taken.
    """

    zone: str
    changes: Sequence[Mapping[str, Any]]
    code: str = ""
    message: str = ""

    @property
    def refusal(self) -> str:
        """Code and message of the refusal, or ""."""
        return f"{self.code}: {self.message}" if self.code else ""


class HostedZones:
    """The hosted zones of an account.

    Attributes:
        batches: all that were sent, refused ones too.
        throttled_calls: how many of the next change calls Route 53 throttles.
    """

    def __init__(
        self, zones: Iterable[InitialZone | ZoneFile], judge: Judge = route53_refusals.judged
    ) -> None:
        self.batches: list[Batch] = []
        self.throttled_calls = 0
        self._zones = {zone.id: _Zone(zone, judge) for zone in zones}

    def records(self, zone_id: str) -> list[Record]:
        """Return all record sets of a zone, in the order and spelling in which Route 53 lists them."""
        return self._zones[zone_id].records

    def addresses_apart(self, zone_id: str) -> list[Record]:
        """Return the A and AAAA record sets of the names whose records may lead to different places.

        A name whose records are aliases spelled alike, as most names of a large zone are, is left out. The
        order is any; the spelling is that of a listing.
        """
        return self._zones[zone_id].addresses_apart()

    def change(self, zone_id: str, changes: Sequence[Mapping[str, Any]]) -> Refusal | None:
        """Change records as somebody else would, beside ExternalDNS; return the refusal, if any."""
        return self._zones[zone_id].apply(changes)

    # --- boto3's client --------------------------------------------------------------------------------

    def get_paginator(self, operation: str) -> _Pages:
        """Return a paginator with one page, for `list_hosted_zones` or `list_resource_record_sets`."""
        return _Pages(self._zones, operation)

    def change_resource_record_sets(
        self,
        HostedZoneId: str,  # noqa: N803 as boto3 names it
        ChangeBatch: Mapping[str, Any],  # noqa: N803
    ) -> None:
        """Apply a batch, or nothing of it.

        Raises:
            ClientError: the batch is refused.
        """
        zone, changes = self._zones[HostedZoneId], ChangeBatch["Changes"]
        if self.throttled_calls > 0:
            self.throttled_calls -= 1
            refusal: Refusal | None = Refusal("Throttling", "Rate exceeded")
        else:
            refusal = zone.apply(changes)
        if refusal is None:
            self.batches.append(Batch(zone.title, changes))
            return
        self.batches.append(Batch(zone.title, changes, refusal.code, refusal.message))
        error = {"Error": {"Code": refusal.code, "Message": refusal.message}}
        raise ClientError(error, "ChangeResourceRecordSets")  # type: ignore[arg-type]


class _Zone:
    """Record sets by name, so that a batch looks at the names it changes and not at the whole zone."""

    def __init__(self, zone: InitialZone | ZoneFile, judge: Judge) -> None:
        self.name, self.id = zone.name, zone.id
        self.title = str(zone) if isinstance(zone, ZoneFile) else zone.name
        self.is_private = isinstance(zone, ZoneFile) and zone.is_private
        self._judge = judge
        self._judged_zone = route53_refusals.Zone(zone.id.rpartition("/")[2], f"{zone.name}.")
        self._by_name = by_name(zone.records)
        self._is_in_order = isinstance(zone, ZoneFile)

    @property
    def records(self) -> list[Record]:
        """All record sets, by reversed labels, then type and set identifier."""
        if not self._is_in_order:
            # Not at each read: a file is a listing already, and sorting 10,000 names takes a while.
            self._by_name = dict(sorted(self._by_name.items(), key=lambda item: _by_labels(item[0])))
            self._by_name = {
                name: dict(sorted(records.items())) if len(records) > 1 else records
                for name, records in self._by_name.items()
            }
            self._is_in_order = True
        return [
            _listed(name, record) for name, records in self._by_name.items() for record in records.values()
        ]

    def addresses_apart(self) -> list[Record]:
        apart: list[Record] = []
        for name, records in self._by_name.items():
            if len(records) < 2:
                continue
            addresses = [record for (_, kind, _), record in records.items() if kind in _ADDRESSES]
            targets = {one["AliasTarget"]["DNSName"] if "AliasTarget" in one else None for one in addresses}
            if len(targets) > 1:
                apart += [_listed(name, record) for record in addresses]
        return apart

    def apply(self, changes: Sequence[Mapping[str, Any]]) -> Refusal | None:
        records = [change["ResourceRecordSet"] for change in changes]
        names = [stored_name(record["Name"]) for record in records]
        aliases = (record["AliasTarget"]["DNSName"] for record in records if "AliasTarget" in record)
        names += [stored_name(one) for one in aliases if one.rstrip(".").lower().endswith(self.name)]
        # A copy of the names that the batch touches is enough; a refused batch leaves the zone as it was.
        state = {name: dict(self._by_name.get(name, {})) for name in names}
        refusal = self._judge(self._judged_zone, state, changes)
        if refusal is None:
            # Only now: the judge works on the copy, which a refusal leaves half changed.
            self._by_name.update(state)
            self._is_in_order = False
        return refusal


@dataclass(frozen=True, slots=True)
class _Pages:
    zones: Mapping[str, _Zone]
    operation: str

    def paginate(self, HostedZoneId: str = "") -> list[Mapping[str, Any]]:  # noqa: N803 as boto3 names it
        if self.operation == "list_hosted_zones":
            listed = [
                {"Id": zone.id, "Name": f"{zone.name}.", "Config": {"PrivateZone": zone.is_private}}
                for zone in self.zones.values()
            ]
            return [{"HostedZones": listed}]
        return [{"ResourceRecordSets": self.zones[HostedZoneId].records}]


def _by_labels(name: str) -> str:
    return ".".join(reversed(name.rstrip(".").split("."))) + "."


def _listed(name: str, record: Record) -> Record:
    """Return a record of a stored name as Route 53 lists it: its names in lower case, with their dots."""
    if record["Name"].endswith("."):
        return record  # it came from there
    alias = record.get("AliasTarget")
    more = {"AliasTarget": {**alias, "DNSName": stored_name(alias["DNSName"])}} if alias else {}
    return {**record, "Name": name, **more}
