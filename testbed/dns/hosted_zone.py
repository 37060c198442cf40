"""Hosted zones as values: record sets of the Route 53 API, indexed by name and type."""

from __future__ import annotations

import functools
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import dns.exception
import dns.name
import dns.rdata
import dns.rdataclass
import dns.rdatatype
from dns.rdatatype import RdataType

from testbed.aws.route53_names import decimal_escapes
from testbed.dns.domain_names import Labels, is_below, labels_of, lowered, text_of
from testbed.dns.routing_by_place import GeoLocation, GeoProximity
from testbed.errors import BadInput

SOA_TTL = 900
NS_TTL = 172800
SOA_TIMES = "1 7200 900 1209600 86400"
"""Serial, refresh, retry, expire and minimum of the SOA of every new hosted zone (Route 53 guide, SOA)."""


@dataclass(frozen=True, slots=True)
class Alias:
    """The target of an alias record: a load balancer's name, or another record of the zone."""

    target: Labels
    evaluates_health: bool = False


@dataclass(frozen=True, slots=True)
class Value:
    """One value of a record, as text and as the bytes of its uncompressed RDATA."""

    text: str
    wire: bytes

    @property
    def target(self) -> Labels:
        """The name that a CNAME points to."""
        return lowered(dns.name.from_wire(self.wire, 0)[0])

    @property
    def minimum(self) -> int:
        """The last field of an SOA: seconds for which a negative answer may be cached."""
        return int.from_bytes(self.wire[-4:], "big")

    @classmethod
    def of(cls, kind: RdataType, text: str) -> Value:
        """Read a value in Route 53's spelling; names in it are absolute with and without a last dot.

        Raises:
            dns.exception.DNSException, ValueError: the text is no value of this type.
        """
        plain = decimal_escapes(text)
        rdata = dns.rdata.from_text(dns.rdataclass.IN, kind, plain, origin=dns.name.root, relativize=False)
        return cls(rdata.to_text(), rdata.to_wire() or b"")


@dataclass(frozen=True, slots=True)
class RecordSet:
    """One record set.

    Attributes:
        ttl: seconds; 0 for an alias, which has the TTL of its target.
        values: the values of the answer; () for an alias.
        set_identifier: distinguishes record sets of one name and type; "" for a simple one.
        weight: weight of a weighted record set.
        failover: PRIMARY or SECONDARY of a failover record set.
        is_multivalue: True for a record set of a multivalue answer.
        health_check: id of its health check, "" for none.
        region: AWS region of a latency record set.
        location: of a geolocation record set.
        proximity: of a geoproximity record set.
    """

    name: Labels
    type: RdataType
    ttl: int = 0
    values: tuple[Value, ...] = ()
    alias: Alias | None = None
    set_identifier: str = ""
    weight: int | None = None
    failover: str = ""
    is_multivalue: bool = False
    health_check: str = ""
    region: str = ""
    location: GeoLocation | None = None
    proximity: GeoProximity | None = None

    @classmethod
    def of(cls, item: Mapping[str, Any]) -> RecordSet:
        """Read a `ResourceRecordSet` of the Route 53 API.

        Raises:
            BadInput: DNS cannot carry the name, type or a value.
        """
        try:
            kind = dns.rdatatype.from_text(item["Type"])
            target = item.get("AliasTarget")
            return cls(
                name=labels_of(item["Name"]),
                type=kind,
                ttl=int(item.get("TTL") or 0),
                values=tuple(Value.of(kind, value["Value"]) for value in item.get("ResourceRecords") or ()),
                alias=Alias(labels_of(target["DNSName"]), bool(target.get("EvaluateTargetHealth")))
                if target
                else None,
                set_identifier=item.get("SetIdentifier") or "",
                weight=item.get("Weight"),
                failover=item.get("Failover") or "",
                is_multivalue=bool(item.get("MultiValueAnswer")),
                health_check=item.get("HealthCheckId") or "",
                region=item.get("Region") or "",
                location=GeoLocation.of(item.get("GeoLocation")),
                proximity=GeoProximity.of(item.get("GeoProximityLocation")),
            )
        except (dns.exception.DNSException, ValueError) as error:
            raise BadInput(f"record {item['Name']} {item['Type']} cannot be served: {error}") from None


RecordSets = tuple[RecordSet, ...]


@dataclass(frozen=True, slots=True)
class HostedZone:
    """A hosted zone: its record sets by name and type, and all names, with the empty ones between."""

    id: str
    name: Labels
    nodes: Mapping[Labels, Mapping[RdataType, RecordSets]] = field(repr=False)
    names: frozenset[Labels] = field(repr=False)

    @classmethod
    def of(cls, id: str, name: str, records: Iterable[RecordSet]) -> HostedZone:  # noqa: A002
        """Index the record sets of a zone; without SOA and NS it gets those of a new zone."""
        apex = labels_of(name)
        grouped: dict[Labels, dict[RdataType, list[RecordSet]]] = {}
        for record in (*_born_with(apex), *records):
            of_name = grouped.setdefault(record.name, {})
            # The zone's own SOA and NS replace those of a new zone instead of joining them.
            if record.name == apex and record.type in (RdataType.SOA, RdataType.NS):
                of_name[record.type] = [record]
            elif is_below(record.name, apex):
                of_name.setdefault(record.type, []).append(record)
        nodes = {
            labels: {kind: tuple(sets) for kind, sets in of_name.items()}
            for labels, of_name in grouped.items()
            if of_name
        }
        names = {labels[index:] for labels in nodes for index in range(len(labels) - len(apex) + 1)}
        return cls(id, apex, nodes, frozenset(names))

    @property
    def soa(self) -> RecordSet:
        """The zone's SOA record."""
        return self.nodes[self.name][RdataType.SOA][0]

    @property
    def ns(self) -> RecordSet:
        """The zone's own NS records."""
        return self.nodes[self.name][RdataType.NS][0]


@dataclass(frozen=True, slots=True)
class Zones:
    """All hosted zones of an account, by name."""

    by_name: Mapping[Labels, HostedZone] = field(default_factory=dict)

    @classmethod
    def of(cls, zones: Iterable[HostedZone]) -> Zones:
        """Index zones by name. Of two with one name the first counts: a resolver reaches only that one."""
        by_name: dict[Labels, HostedZone] = {}
        for zone in zones:
            by_name.setdefault(zone.name, zone)
        return cls(by_name)

    def without_records(self) -> Zones:
        """Return the zones as they would be with nothing but their SOA and NS."""
        return Zones.of(HostedZone.of(zone.id, text_of(zone.name), ()) for zone in self.by_name.values())

    def find(self, name: Labels) -> HostedZone | None:
        """Return the zone with the longest name that contains a name."""
        for index in range(len(name) + 1):
            if zone := self.by_name.get(name[index:]):
                return zone
        return None


@functools.lru_cache(maxsize=256)
def balancer_zone(name: Labels) -> HostedZone:
    """Return the zone of AWS that contains a balancer's own name; only its SOA is ever answered."""
    elb = len(name) - 1 - name[::-1].index(b"elb")
    starts = elb if name[elb + 1] != b"amazonaws" else elb - 1  # NLB: elb.<region>, ALB: <region>.elb
    return HostedZone.of("", text_of(name[starts:]), ())


def _born_with(apex: Labels) -> tuple[RecordSet, RecordSet]:
    servers = tuple(
        Value.of(RdataType.NS, f"ns-{number}.awsdns-{number % 64:02d}.{suffix}.")
        for number, suffix in _SERVERS
    )
    soa = f"{servers[0].text} awsdns-hostmaster.amazon.com. {SOA_TIMES}"
    return (
        RecordSet(apex, RdataType.SOA, SOA_TTL, (Value.of(RdataType.SOA, soa),)),
        RecordSet(apex, RdataType.NS, NS_TTL, servers),
    )


_SERVERS = ((2048, "com"), (2049, "net"), (2050, "org"), (2051, "co.uk"))
