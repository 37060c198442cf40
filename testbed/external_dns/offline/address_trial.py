"""Records that would not follow their objects: every balancer gets another address, and ExternalDNS syncs.

What an empty zone would get is what should be there afterwards. A record that is not ExternalDNS's own, by
the TXTs that its release reads, stays where it is, and no log at level info says so.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from testbed.address_families import PartedName
from testbed.aws.route53_names import plain_name
from testbed.balancer_identity import plain_dns_name
from testbed.dated_releases import Release
from testbed.external_dns.core.endpoint import Endpoint
from testbed.external_dns.core.reasons import Decision
from testbed.external_dns.offline.repeated_syncs import Record, RepeatedSyncs
from testbed.external_dns.offline.zone_file import ZoneFile
from testbed.external_dns.process.flags import Flags

_BALANCER, _FOREIGN, _IP = (
    "moved-0123456789abcdef.elb.us-east-1.amazonaws.com",
    "moved.example.net",
    "192.0.2.254",
)
"""Another address of the kind that an object has: of a load balancer of AWS, of anything else, or an IP."""
OTHERS = (_BALANCER, _FOREIGN, _IP)
_TYPES = ("A", "AAAA", "CNAME")
_Key = tuple[str, str, str, str]


@dataclass(frozen=True, slots=True)
class AddressTrial:
    """What became of the records.

    Attributes:
        parted: names of which one family followed and the other did not.
        staying: of each name that did not follow at all, the types of its records.
        refusals: Route 53's words about batches that are refused at every sync.
        following: names that are in the zones and followed.
        owner_txts: of each name, the TXTs that would make its other records ExternalDNS's own.
    """

    parted: tuple[PartedName, ...]
    staying: Mapping[str, tuple[str, ...]]
    refusals: tuple[str, ...]
    following: frozenset[str]
    owner_txts: Mapping[str, tuple[Endpoint, ...]] = field(default_factory=dict)


def try_other_addresses(
    items: Iterable[Mapping[str, Any]], zones: Sequence[ZoneFile], flags: Flags, release: Release
) -> AddressTrial:
    """Give each Ingress and Service of type LoadBalancer another address, and sync until nothing is sent.

    Raises:
        BadInput: the template does not fit an object.
    """
    if flags.policy == "create-only":  # nothing follows, by what the flag says
        return AddressTrial((), {}, (), frozenset())
    moved = [_elsewhere(item) for item in items]
    wanted = RepeatedSyncs(moved, [replace(zone, records=()) for zone in zones])
    wanted.start(flags, release)
    wanted.first_syncs()
    cluster = RepeatedSyncs(moved, zones)
    before, was_parted = _targets(cluster), cluster.parted()
    cluster.start(flags, release)
    last = cluster.first_syncs()[-1]
    after = _targets(cluster)
    parted = tuple(one for one in cluster.parted() if one not in was_parted)
    refused = {
        plain_name(change["ResourceRecordSet"]["Name"])
        for batch in last.batches
        if batch.refusal
        for change in batch.changes
    }
    told = {one.name for one in parted} | refused
    rows = {_row(key) for key, target in _targets(wanted).items() if target in OTHERS}
    followed = {_row(key) for key, target in after.items() if target in OTHERS}
    staying: dict[str, tuple[str, ...]] = {}
    following = set()
    for zone, name, identifier in sorted(rows):
        kinds = dict.fromkeys(kind for at, one, kind, _ in before if (at, one) == (zone, name))
        if not kinds or name in told:
            continue  # it is new, or what becomes of it is said already
        if (zone, name, identifier) in followed:
            following.add(name)
        else:
            staying[name] = tuple(kinds)
    return AddressTrial(
        parted,
        staying,
        tuple(dict.fromkeys(batch.refusal for batch in last.batches if batch.refusal)),
        frozenset(following - staying.keys()),
        _owner_txts(last.decisions),
    )


def _owner_txts(decisions: Iterable[Decision]) -> Mapping[str, tuple[Endpoint, ...]]:
    txts: dict[str, dict[str, Endpoint]] = {}
    for decision in decisions:
        for one in decision.txts:
            txts.setdefault(plain_name(decision.name), {}).setdefault(one.name, one)
    return {name: tuple(named.values()) for name, named in txts.items()}


def _row(key: _Key) -> tuple[str, str, str]:
    zone, name, _, identifier = key
    return zone, name, identifier


def _elsewhere(item: Mapping[str, Any]) -> Mapping[str, Any]:
    has_balancer = item["kind"] == "Ingress" or (
        item["kind"] == "Service" and (item.get("spec") or {}).get("type") == "LoadBalancer"
    )
    if not has_balancer:
        return item
    given = ((item.get("status") or {}).get("loadBalancer") or {}).get("ingress") or [{}]
    address = given[0]
    other = {"ip": _IP} if address.get("ip") else {"hostname": _other_name(str(address.get("hostname", "")))}
    return {**item, "status": {"loadBalancer": {"ingress": [other]}}}


def _other_name(hostname: str) -> str:
    return _BALANCER if not hostname or hostname.lower().endswith(".amazonaws.com") else _FOREIGN


def _targets(cluster: RepeatedSyncs) -> dict[_Key, str]:
    return {
        (zone, plain_name(one["Name"]), one["Type"], one.get("SetIdentifier", "")): _target(one)
        for zone, records in cluster.by_zone().items()
        for one in records
        if one["Type"] in _TYPES
    }


def _target(record: Record) -> str:
    if alias := record.get("AliasTarget"):
        return plain_dns_name(alias["DNSName"])
    return ", ".join(sorted(plain_dns_name(one["Value"]) for one in record.get("ResourceRecords") or ()))
