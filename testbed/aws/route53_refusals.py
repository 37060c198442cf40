"""The refusals of Route 53 for a change batch, given the zone's records (pure). A batch is all or nothing.

The changes are checked in their order, each against the records that the earlier ones leave: a DELETE makes
room for a later CREATE, and a CREATE that conflicts with a record of a later DELETE is refused (external-dns
#1411 shows the refusal, #1555 the order that works).

Sources: Route 53 API reference, ChangeResourceRecordSets and InvalidChangeBatch; Route 53 Developer Guide,
"Choosing between alias and non-alias records"; texts as clients quote them in public reports
(external-dns #1411, #2421, #323; aws-cdk #19643; aws-sdk-go-v2 #518; terraform-provider-aws).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from testbed.aws.answers import Refusal
from testbed.aws.balancer_names import CANONICAL_ZONES, canonical_zone
from testbed.aws.route53_names import stored_name
from testbed.aws.route53_values import name_problem, problems

Record = Mapping[str, Any]
"""A ResourceRecordSet as boto3 returns it."""
Key = tuple[str, str, str]
"""Name in lower case with its dot, type, set identifier."""
State = dict[str, dict[Key, Record]]
"""Record sets by name."""

MOST_RECORDS = 1000
"""Most ResourceRecord elements of a request; those of an UPSERT count twice (Developer Guide, "Quotas")."""
MOST_CHARACTERS = 32_000
"""Most characters in all Value elements of a request; those of an UPSERT count twice (same page)."""

_BALANCER_ZONES = frozenset(zone for pair in CANONICAL_ZONES.values() for zone in pair)
_ALIAS_TYPES = ("A", "AAAA")
_SINGLE = ("CNAME", "NS", "SOA")
"""Types without multivalue answers [Developer Guide, "Multivalue answer routing"; SOA by analogy]."""
_ROUTING = (
    "Weight",
    "Region",
    "Failover",
    "MultiValueAnswer",
    "GeoLocation",
    "GeoProximityLocation",
    "CidrRoutingConfig",
)
_HEAVIEST = 255
_LONGEST_TTL = 2**31 - 1
_EXCLUSIVE = {"Failover": "failover", "Region": "latency"}
"""Routing policies in which each value may occur once in a group; the texts are by analogy."""


@dataclass(frozen=True, slots=True)
class Zone:
    """A hosted zone: its id without `/hostedzone/`, its name with its dot."""

    id: str
    name: str


def refusal(zone: Zone, records: Iterable[Record], changes: Sequence[Mapping[str, Any]]) -> Refusal | None:
    """Return Route 53's refusal of a batch; None if it accepts it.

    Args:
        zone: the zone that is changed.
        records: all record sets of the zone.
        changes: `Action` and `ResourceRecordSet` as in the API.
    """
    return judged(zone, by_name(records), changes)


def by_name(records: Iterable[Record]) -> State:
    """Index record sets by name, so that a change is compared with those of its name only."""
    state: State = {}
    for record in records:
        key = key_of(record)
        state.setdefault(key[0], {})[key] = record
    return state


def judged(zone: Zone, state: State, changes: Sequence[Mapping[str, Any]]) -> Refusal | None:
    """Return the refusal as `refusal` does, and apply the changes to `state`.

    After a refusal `state` is unusable.

    Args:
        zone: the zone that is changed.
        state: at least the record sets of the changes' names, and those that their aliases point to.
        changes: as for `refusal`.
    """
    for change in changes:
        if message := _malformed(change):
            return Refusal("InvalidInput", f"Invalid request: {message}")
    if messages := list(_too_large(changes)):
        return Refusal("InvalidChangeBatch", f"[{', '.join(messages)}]")
    done: dict[Key, str] = {}
    for change in changes:
        record, action = change["ResourceRecordSet"], change["Action"]
        key = key_of(record)
        # A DELETE and then a CREATE replace a record set; any other repetition is an error.
        if key in done and (done[key], action) != ("DELETE", "CREATE"):
            messages.append(
                "The request contains an invalid set of changes for a resource record set "
                f"'{key[1]} {key[0]}'"
            )
            continue
        done[key] = action
        refusals = list(_refused(action, record, key, state, zone))
        messages += refusals
        if not refusals:
            _apply(state.setdefault(key[0], {}), action, record, key)
    if messages:
        return Refusal("InvalidChangeBatch", f"[{', '.join(dict.fromkeys(messages))}]")
    return None


def applied(records: Iterable[Record], changes: Sequence[Mapping[str, Any]]) -> dict[Key, Record]:
    """Return the zone's record sets after a batch that was accepted."""
    state = {key_of(record): record for record in records}
    for change in changes:
        record = change["ResourceRecordSet"]
        _apply(state, change["Action"], record, key_of(record))
    return state


def key_of(record: Record) -> Key:
    """Return the key that identifies a record set."""
    return stored_name(record["Name"]), record["Type"], record.get("SetIdentifier", "")


def _apply(state: dict[Key, Record], action: str, record: Record, key: Key) -> None:
    if action == "DELETE":
        state.pop(key, None)
    else:
        state[key] = record


def _malformed(change: Mapping[str, Any]) -> str:
    """Return the problem that the API finds before it looks at the zone; "" if there is none."""
    record = change["ResourceRecordSet"]
    has_values = bool(record.get("ResourceRecords")) and "TTL" in record
    has_some_value = bool(record.get("ResourceRecords")) or "TTL" in record
    if "AliasTarget" in record and has_some_value:
        return _one_of_contents("more than one", change)
    if "AliasTarget" not in record and not has_values:
        return _one_of_contents("none", change)
    routing = record.keys() & _ROUTING
    if routing and not record.get("SetIdentifier"):
        return f"Missing field 'SetIdentifier' in {_where(change)}"
    if record.get("SetIdentifier") and len(routing) != 1:
        number = "more than one" if routing else "none"
        fields = "[Weight, Region, Failover, GeoLocation, MultiValueAnswer, GeoProximityLocation, or Cidr]"
        return f"Expected exactly one of {fields}, but found {number} in {_where(change)}"
    if not 0 <= record.get("Weight", 0) <= _HEAVIEST:
        return f"Weight must be between 0 and {_HEAVIEST} in {_where(change)}"
    if not 0 <= record.get("TTL", 0) <= _LONGEST_TTL:
        return f"TTL must be between 0 and {_LONGEST_TTL} in {_where(change)}"
    if "MultiValueAnswer" in record and ("AliasTarget" in record or record["Type"] in _SINGLE):
        what = "an alias" if "AliasTarget" in record else f"a record of type {record['Type']}"
        return f"MultiValueAnswer is not supported for {what} in {_where(change)}"  # text by analogy
    return ""


def _where(change: Mapping[str, Any]) -> str:
    record = change["ResourceRecordSet"]
    return (
        f"Change with [Action={change['Action']}, Name={record['Name'].rstrip('.')}., Type={record['Type']}, "
        f"SetIdentifier={record.get('SetIdentifier', 'null')}]"
    )


def _one_of_contents(number: str, change: Mapping[str, Any]) -> str:
    contents = "[AliasTarget, all of [TTL, and ResourceRecords], or TrafficPolicyInstanceId]"
    return f"Expected exactly one of {contents}, but found {number} in {_where(change)}"


def _too_large(changes: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    records = characters = 0
    for change in changes:
        counts = 2 if change["Action"] == "UPSERT" else 1
        for value in change["ResourceRecordSet"].get("ResourceRecords", ()):
            records += counts
            characters += counts * len(value["Value"])
    if records > MOST_RECORDS:
        yield f"Number of records limit of {MOST_RECORDS} exceeded."
    if characters > MOST_CHARACTERS:
        yield f"RDATA character limit of {MOST_CHARACTERS} exceeded."


def _refused(action: str, record: Record, key: Key, state: State, zone: Zone) -> Iterator[str]:
    if problem := name_problem(key[0]):
        yield f"FATAL problem: {problem} encountered with '{record['Name']}'"
        return
    if not (key[0] == zone.name or key[0].endswith("." + zone.name)):
        yield f"RRSet with DNS name {key[0]} is not permitted in zone {zone.name}"
        return
    beside = state.get(key[0], {})
    if action == "DELETE":
        yield from _refused_delete(beside.get(key), record, key, zone)
        return
    if action == "CREATE" and key in beside:
        yield f"Tried to create resource record set {_titled(key)} but it already exists"
        return
    yield from _refused_content(record, key, state, zone)
    if len(beside) > (key in beside):  # other record sets have the same name
        yield from _refused_beside(record, key, beside, zone)


def _refused_delete(stored: Record | None, record: Record, key: Key, zone: Zone) -> Iterator[str]:
    if stored is None:
        yield f"Tried to delete resource record set {_titled(key)} but it was not found"
    elif _content(stored) != _content(record):
        yield (
            f"Tried to delete resource record set {_titled(key)} "
            "but the values provided do not match the current values"
        )
    elif key[0] == zone.name and key[1] == "NS":
        yield "A HostedZone must contain at least one NS record for the zone itself."
    elif key[0] == zone.name and key[1] == "SOA":
        yield "A HostedZone must contain exactly one SOA record."


def _refused_content(record: Record, key: Key, state: State, zone: Zone) -> Iterator[str]:
    if "AliasTarget" in record:
        yield from _refused_alias(record, key, state, zone)
    else:
        yield from problems(key[1], [value["Value"] for value in record["ResourceRecords"]])
    if key[1] == "CNAME" and key[0] == zone.name:
        yield f"RRSet of type CNAME with DNS name {key[0]} is not permitted at apex in zone {zone.name}"


def _refused_alias(record: Record, key: Key, state: State, zone: Zone) -> Iterator[str]:
    alias = record["AliasTarget"]
    target = stored_name(alias["DNSName"])
    target_zone = alias["HostedZoneId"].rpartition("/")[2]
    home = canonical_zone(target)
    if home is not None and home == target_zone and key[1] in _ALIAS_TYPES:
        return
    tried = f"Tried to create an alias that targets {target}, type {key[1]} in zone {target_zone}"
    outside = f"{tried}, but the alias target name does not lie within the target zone"
    missing = f"{tried}, but that target was not found"
    if home is not None or target_zone in _BALANCER_ZONES:
        # A balancer's name is in the canonical zone of its type and region; otherwise Route 53 reports both.
        if home != target_zone:
            yield from (outside, missing)
        elif key[1] not in _ALIAS_TYPES:
            yield missing
    elif target_zone != zone.id:
        # Outside its own zone, Route 53 accepts aliases to AWS services only; the testbed has balancers.
        yield from (outside, missing)
    elif not (target == zone.name or target.endswith("." + zone.name)):
        yield from (outside, missing)
    elif not any(kind == key[1] for _, kind, _ in state.get(target, {})):
        yield missing


def _refused_beside(record: Record, key: Key, beside: Mapping[Key, Record], zone: Zone) -> Iterator[str]:
    name, kind, identifier = key
    others = {other: stored for other, stored in beside.items() if other != key}
    types = {other[1] for other in others} - {kind}
    if kind == "CNAME" and types:
        yield (
            f"RRSet of type CNAME with DNS name {name} is not permitted as it conflicts with other "
            f"records with the same DNS name in zone {zone.name}"
        )
    elif "CNAME" in types:
        yield (
            f"RRSet of type {kind} with DNS name {name} is not permitted because a conflicting RRSet of "
            f"type CNAME with the same DNS name already exists in zone {zone.name}"
        )
    same = [stored for other, stored in others.items() if other[1] == kind]
    if not same:
        return
    routing = _routing(record)
    titled = f"RRSet with DNS name {name}, type {kind}"
    if routing == "simple":
        yield f"{titled} cannot be created as other RRSets exist with the same name and type."
    elif any(_routing(stored) != routing for stored in same):
        word = "weighted" if routing == "Weight" else routing.lower()
        yield (
            f"{titled}, SetIdentifier {identifier} cannot be created as a non-{word} set exists "
            "with the same name and type."
        )
    elif routing == "Weight" and any(_ttl(stored) != _ttl(record) for stored in same):
        yield (
            f"RRSet with DNS name {name} and type {kind}, SetIdentifier {identifier} cannot be created as "
            "weighted sets must contain the same TTL."
        )
    elif routing in _EXCLUSIVE and any(stored[routing] == record[routing] for stored in same):
        yield (
            f"{titled}, SetIdentifier {identifier} cannot be created as a {_EXCLUSIVE[routing]} set with "
            f"{routing} {record[routing]} exists with the same name and type."
        )


def _routing(record: Record) -> str:
    return next((field for field in _ROUTING if field in record), "simple")


def _ttl(record: Record) -> int | None:
    return None if "AliasTarget" in record else record.get("TTL")


def _content(record: Record) -> tuple[Any, ...]:
    """Return the content that a DELETE must repeat; values in any order."""
    alias = record.get("AliasTarget")
    target = alias and (
        stored_name(alias["DNSName"]),
        alias["HostedZoneId"].rpartition("/")[2],
        bool(alias["EvaluateTargetHealth"]),
    )
    values = tuple(sorted(value["Value"] for value in record.get("ResourceRecords", ())))
    routing = tuple((field, str(record[field])) for field in _ROUTING if field in record)
    return target or None, _ttl(record), values, routing, record.get("HealthCheckId")


def _titled(key: Key) -> str:
    more = f", set-identifier='{key[2]}'" if key[2] else ""
    return f"[name='{key[0]}', type='{key[1]}'{more}]"
