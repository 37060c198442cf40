"""What Route 53 refuses of a change batch, as a function of the zone's records. A batch is all or nothing.

Sources: Route 53 API reference, ChangeResourceRecordSets and InvalidChangeBatch; Route 53 developer guide,
"Choosing between alias and non-alias records"; the texts as clients quote them in public issue reports
(external-dns #2421, #1411, #3186).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from testbed.aws.names import CANONICAL_ZONES, canonical_zone

Record = Mapping[str, Any]
"""A ResourceRecordSet as boto3 gives it."""
Key = tuple[str, str, str]
"""Name in lower case with its dot, type, set identifier."""

_BALANCER_ZONES = frozenset(zone for pair in CANONICAL_ZONES.values() for zone in pair)
_ROUTING = (
    "Weight",
    "Region",
    "Failover",
    "MultiValueAnswer",
    "GeoLocation",
    "GeoProximityLocation",
    "CidrRoutingConfig",
)


def refusals(
    zone_id: str, zone_name: str, records: Iterable[Record], changes: Sequence[Mapping[str, Any]]
) -> list[str]:
    """The messages with which Route 53 refuses a batch; none if it takes it.

    Args:
        zone_id: the hosted zone's id, for aliases within the zone.
        zone_name: its name.
        records: all its record sets.
        changes: `Action` and `ResourceRecordSet` as the API has them.
    """
    zone = _dotted(zone_name)
    state = {key_of(record): record for record in records}
    messages: list[str] = []
    seen: set[Key] = set()
    # DELETE is looked at first: a batch may take a name's record away and make another, in either order.
    for change in sorted(changes, key=lambda one: one["Action"] != "DELETE"):
        record = change["ResourceRecordSet"]
        key = key_of(record)
        told = _titled(record)
        if not (key[0] == zone or key[0].endswith("." + zone)):
            messages.append(f"RRSet with DNS name {key[0]} is not permitted in zone {zone}")
        if key in seen:
            messages.append(
                f"The request contains an invalid set of changes for a resource record set "
                f"'{key[1]} {key[0]}'"
            )
        seen.add(key)
        if change["Action"] == "DELETE":
            messages += _refused_delete(state.get(key), record, told)
            state.pop(key, None)
            continue
        if change["Action"] == "CREATE" and key in state:
            messages.append(f"Tried to create resource record set {told} but it already exists")
        messages += _refused_value(record, key, zone_id, zone)
        state[key] = record
    return messages + _conflicts(state, {key[0] for key in seen}, zone)


def key_of(record: Record) -> Key:
    """What makes a record set one of its own."""
    return _dotted(record["Name"]), record["Type"], record.get("SetIdentifier", "")


def _refused_delete(stored: Record | None, record: Record, told: str) -> list[str]:
    if stored is None:
        return [f"Tried to delete resource record set {told} but it was not found"]
    if _content(stored) != _content(record):
        return [
            f"Tried to delete resource record set {told} "
            "but the values provided do not match the current values"
        ]
    return []


def _refused_value(record: Record, key: Key, zone_id: str, zone: str) -> list[str]:
    alias = record.get("AliasTarget")
    if alias:
        target, wanted = _dotted(alias["DNSName"]), alias["HostedZoneId"]
        home = canonical_zone(target)
        if home is not None and home != wanted:
            return [
                f"Tried to create an alias that targets {target}, type {key[1]} in zone {wanted}, "
                "but the alias target name does not lie within the target zone"
            ]
        if home is None and wanted in _BALANCER_ZONES:
            return [
                f"Tried to create an alias that targets {target}, type {key[1]} in zone {wanted}, "
                "but the alias target name does not lie within the target zone"
            ]
        if (
            home is None
            and wanted.rpartition("/")[2] == zone_id.rpartition("/")[2]
            and not target.endswith(zone)
        ):
            return [
                f"Tried to create an alias that targets {target}, type {key[1]} in zone {wanted}, "
                "but that target was not found"
            ]
    elif not record.get("ResourceRecords") or "TTL" not in record:
        return [
            f"Invalid request: Expected exactly one of [AliasTarget, all of [TTL, and ResourceRecords]], "
            f"but found none in Change with [Name={key[0]}, Type={key[1]}]"
        ]
    if key[1] == "CNAME" and key[0] == zone:
        return [f"RRSet of type CNAME with DNS name {key[0]} is not permitted at apex in zone {zone}"]
    if key[1] == "TXT":
        for value in record.get("ResourceRecords", ()):
            text = value["Value"]
            if not (text.startswith('"') and text.endswith('"') and len(text) > 1):
                return [
                    f"Invalid Resource Record: 'FATAL problem: InvalidCharacterString (Value should be "
                    f"enclosed in quotation marks) encountered with '{text}''"
                ]
    return []


def _conflicts(state: Mapping[Key, Record], names: set[str], zone: str) -> list[str]:
    messages = []
    for name in sorted(names):
        here = {key: record for key, record in state.items() if key[0] == name}
        types = {key[1] for key in here}
        if "CNAME" in types and len(types) > 1:
            messages.append(
                f"RRSet of type CNAME with DNS name {name} is not permitted as it conflicts with other "
                f"records with the same DNS name in zone {zone}"
            )
        for kind in sorted(types):
            kinds = {_routing(record) for key, record in here.items() if key[1] == kind}
            if len(kinds) > 1:
                messages.append(
                    f"RRSet with DNS name {name}, type {kind} cannot be created as other RRSets exist "
                    "with the same name and type"
                )
    return messages


def _routing(record: Record) -> str:
    return next((field for field in _ROUTING if field in record), "simple")


def _content(record: Record) -> tuple[Any, ...]:
    alias = record.get("AliasTarget")
    values = tuple(sorted(value["Value"] for value in record.get("ResourceRecords", ())))
    target = (
        (_dotted(alias["DNSName"]), alias["HostedZoneId"], bool(alias["EvaluateTargetHealth"]))
        if alias
        else None
    )
    return target, record.get("TTL") if not alias else None, values, record.get("Weight")


def _titled(record: Record) -> str:
    identifier = record.get("SetIdentifier")
    more = f", set-identifier='{identifier}'" if identifier else ""
    return f"[name='{_dotted(record['Name'])}', type='{record['Type']}'{more}]"


def _dotted(name: str) -> str:
    return name.rstrip(".").lower() + "."
