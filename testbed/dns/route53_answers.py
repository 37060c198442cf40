"""Answers DNS questions as Route 53 does (pure): from zones, a question, health and chance.

```
name of a balancer ─► its addresses, TTL 60; NXDOMAIN if it is gone
in no zone ─────────► REFUSED
below a delegation ─► referral: NS in the authority section
name or wildcard ───► records of the type, chosen by routing policy and health; alias resolved in place
                      else CNAME, followed
                      else NODATA
otherwise ──────────► NXDOMAIN
```
Sources: Route 53 Developer Guide ("Choosing between alias and non-alias records", "How Route 53 chooses
records when health checking is configured", "Weighted routing"); RFC 1034 4.3.2, RFC 2308, RFC 4592.
"""

from __future__ import annotations

import dataclasses
import functools
import math
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from dns.rcode import Rcode
from dns.rdatatype import RdataType

from testbed.dns.domain_names import WILDCARD, Labels, balancer_name, is_below, text_of
from testbed.dns.hosted_zone import HostedZone, RecordSet, RecordSets, Value, Zones, balancer_zone
from testbed.resolvers.regions import REGIONS, Place
from testbed.settings import PRODUCTION, REGION

ALIAS_TTL = int(PRODUCTION.alias_ttl)
NAMES_IN_A_CHAIN = 16
"""Most CNAMEs and aliases followed for one question: resolvers give up at about 16, and more is a loop."""
MULTIVALUE_ANSWERS = 8
"""Multivalue routing answers with up to eight healthy records (Route 53 guide)."""
_REFUSED_TYPES = (RdataType.AXFR, RdataType.IXFR, RdataType.MAILA, RdataType.MAILB)


@dataclass(frozen=True, slots=True)
class Question:
    """A DNS question.

    `recursive` is the RD flag. A client that sets it expects the answer of the resolver in front of Route 53,
    so a CNAME is followed out of the zone, and positive answers do not list the zone's servers. `region` is
    where the resolver that asks is.
    """

    name: Labels
    type: RdataType
    recursive: bool = True
    region: str = REGION


@dataclass(frozen=True, slots=True)
class Records:
    """Records of one name and type in an answer; None as `name` is the name of the question."""

    name: Labels | None
    type: RdataType
    ttl: int
    values: tuple[Value, ...]


@dataclass(frozen=True, slots=True)
class Answer:
    """A DNS answer: rcode, AA flag and sections."""

    rcode: Rcode
    answers: tuple[Records, ...] = ()
    authority: tuple[Records, ...] = ()
    is_authoritative: bool = True


def _no_addresses(_: str) -> tuple[str, ...]:
    return ()


def _always(_: str) -> bool:
    return True


@dataclass(frozen=True, slots=True)
class Surroundings:
    """The inputs of an answer besides the zones.

    Attributes:
        balancer_addresses: addresses of a balancer by its DNS name in lower case; () if there is none.
        is_healthy: health of a balancer by its DNS name, or of a health check by its id.
        chance: chooses among weighted records and orders several values.
        place: where the resolver that asks is.
    """

    balancer_addresses: Callable[[str], Sequence[str]] = _no_addresses
    is_healthy: Callable[[str], bool] = _always
    chance: random.Random = field(default_factory=random.Random)
    place: Place = REGIONS[REGION]


def answer(zones: Zones, question: Question, surroundings: Surroundings) -> Answer:
    """Answer a question as Route 53 and the balancers' own name servers would."""
    if question.type in _REFUSED_TYPES:
        return Answer(Rcode.REFUSED, is_authoritative=False)
    if (place := REGIONS.get(question.region, surroundings.place)) != surroundings.place:
        surroundings = dataclasses.replace(surroundings, place=place)
    answers: list[Records] = []
    name = question.name
    home = zones.find(name)
    for _ in range(NAMES_IN_A_CHAIN):
        owner = None if name == question.name else name
        here = zones.find(name)
        # An authoritative server answers for one zone; a resolver follows the CNAME out of it by itself.
        if here is not home and answers and not question.recursive:
            return _chain(answers, home, question)
        step = _lookup(here, name, owner, question.type, surroundings)
        answers += step.answers
        target = _target(step, question.type)
        if target is None:
            # REFUSED: the CNAME leaves what is served here.
            if step.answers or (answers and step.rcode is Rcode.REFUSED):
                return _chain(answers, home, question)
            return Answer(step.rcode, tuple(answers), step.authority, step.is_authoritative or bool(answers))
        name = target
    return _chain(answers, home, question)


def _chain(answers: list[Records], home: HostedZone | None, question: Question) -> Answer:
    """Return a positive answer. To a resolver, Route 53 lists the zone's servers with it."""
    authority: tuple[Records, ...] = ()
    if home and not question.recursive:
        authority = (Records(home.name, RdataType.NS, home.ns.ttl, home.ns.values),)
    return Answer(Rcode.NOERROR, tuple(answers), authority)


def _target(step: Answer, qtype: RdataType) -> Labels | None:
    """Return the name to look up next, if the step ended at a CNAME and the question has another type."""
    # RFC 1034, 4.3.2: a CNAME is not followed for a question that it answers itself.
    if qtype in (RdataType.CNAME, RdataType.ANY):
        return None
    for records in step.answers:
        if records.type == RdataType.CNAME:
            return records.values[0].target
    return None


def _lookup(
    zone: HostedZone | None, name: Labels, owner: Labels | None, qtype: RdataType, surroundings: Surroundings
) -> Answer:
    if balancer := balancer_name(name):
        return _balancer(name, balancer, owner, qtype, surroundings)
    if zone is None:
        return Answer(Rcode.REFUSED, is_authoritative=False)
    if referral := _delegation(zone, name, qtype):
        return referral
    node = _node(zone, name)
    if node is None:
        return Answer(Rcode.NXDOMAIN, authority=_negative(zone))
    types = node if qtype == RdataType.ANY else {qtype: node.get(qtype, ())}
    answers = [
        records
        for sets in types.values()
        if sets and (records := _records(zone, sets, owner, surroundings, NAMES_IN_A_CHAIN))
    ]
    if not answers and (sets := node.get(RdataType.CNAME)):
        records = _records(zone, sets, owner, surroundings, NAMES_IN_A_CHAIN)
        answers = [records] if records else []
    if not answers:
        return Answer(Rcode.NOERROR, authority=_negative(zone))
    return Answer(Rcode.NOERROR, tuple(answers))


def _balancer(
    name: Labels, balancer: str, owner: Labels | None, qtype: RdataType, surroundings: Surroundings
) -> Answer:
    addresses = surroundings.balancer_addresses(balancer)
    if values := _address_values(addresses, qtype, surroundings):
        return Answer(Rcode.NOERROR, (Records(owner, qtype, ALIAS_TTL, values),))
    zone = balancer_zone(name)
    soa = (Records(zone.name, RdataType.SOA, ALIAS_TTL, zone.soa.values),)
    return Answer(Rcode.NOERROR if addresses else Rcode.NXDOMAIN, authority=soa)


def _address_values(
    addresses: Sequence[str], qtype: RdataType, surroundings: Surroundings
) -> tuple[Value, ...]:
    if qtype not in (RdataType.A, RdataType.AAAA):
        return ()
    of_type = [address for address in addresses if (":" in address) == (qtype == RdataType.AAAA)]
    return _shuffled([_address(qtype, address) for address in of_type], surroundings)


@functools.lru_cache(maxsize=4096)
def _address(kind: RdataType, address: str) -> Value:
    return Value.of(kind, address)


def _shuffled(values: Sequence[Value], surroundings: Surroundings) -> tuple[Value, ...]:
    # Route 53 answers several values in random order, so that clients that take the first one spread.
    if len(values) < 2:
        return tuple(values)
    return tuple(surroundings.chance.sample(values, len(values)))


def _delegation(zone: HostedZone, name: Labels, qtype: RdataType) -> Answer | None:
    for length in range(len(zone.name) + 1, len(name) + 1):
        cut = name[len(name) - length :]
        servers = zone.nodes.get(cut, {}).get(RdataType.NS)
        # DS records are on the parent's side of a delegation (RFC 4035, 3.1.4.1).
        if servers and not (cut == name and qtype == RdataType.DS):
            referral = Records(cut, RdataType.NS, servers[0].ttl, servers[0].values)
            return Answer(Rcode.NOERROR, authority=(referral,), is_authoritative=False)
    return None


def _node(zone: HostedZone, name: Labels) -> dict[RdataType, RecordSets] | None:
    """Return the record sets at a name: its own, {} for an empty name, a wildcard's, or None (RFC 4592)."""
    if name in zone.names:
        return dict(zone.nodes.get(name, {}))
    for index in range(1, len(name) - len(zone.name) + 1):
        encloser = name[index:]
        if encloser in zone.names:  # the closest encloser: a wildcard further up does not match below it
            wild = zone.nodes.get((WILDCARD, *encloser))
            return dict(wild) if wild is not None else None
    return None


def _records(
    zone: HostedZone, sets: RecordSets, owner: Labels | None, surroundings: Surroundings, steps: int
) -> Records | None:
    """Return the records that record sets of one name and type answer this time; None without any."""
    chosen = _chosen(zone, sets, surroundings, steps)
    if not chosen:
        return None
    values: list[Value] = []
    ttl = chosen[0].ttl
    for record in chosen:
        if record.alias is None:
            values += record.values
        elif resolved := _alias(zone, record, surroundings, steps):
            values += resolved.values
            ttl = resolved.ttl
    if not values:
        return None
    return Records(owner, chosen[0].type, ttl, _shuffled(values, surroundings))


def _alias(zone: HostedZone, record: RecordSet, surroundings: Surroundings, steps: int) -> Records | None:
    """Resolve an alias to the balancer's addresses, or to the records of the same type in the zone."""
    assert record.alias
    target = record.alias.target
    if balancer := balancer_name(target):
        addresses = surroundings.balancer_addresses(balancer)
        values = _address_values(addresses, record.type, surroundings)
        return Records(None, record.type, ALIAS_TTL, values) if values else None
    sets = (_node(zone, target) or {}).get(record.type) if is_below(target, zone.name) else None
    return _records(zone, sets, None, surroundings, steps - 1) if sets and steps else None


def _chosen(
    zone: HostedZone, sets: RecordSets, surroundings: Surroundings, steps: int
) -> Sequence[RecordSet]:
    """Choose the record sets that answer: one healthy set by the routing policy, or up to eight (multivalue).

    If none is healthy, all count as healthy. A weight of 0 answers only if all others are unhealthy. Of
    geolocation sets, none may be for the place that asks.
    """
    if len(sets) == 1 and not sets[0].location:
        return sets
    healthy = [record for record in sets if _is_healthy(zone, record, surroundings, steps)] or list(sets)
    chance = surroundings.chance
    if sets[0].is_multivalue:
        return chance.sample(healthy, min(len(healthy), MULTIVALUE_ANSWERS))
    if sets[0].failover:
        return sorted(healthy, key=lambda record: record.failover != "PRIMARY")[:1]
    if sets[0].weight is None:
        return _by_place(healthy, surroundings.place)
    weights = [record.weight or 0 for record in healthy]
    # All are 0: then each has the same chance (Route 53 guide, "Weighted routing").
    if not any(weights):
        weights = [1] * len(healthy)
    return chance.choices(healthy, weights)


def _by_place(sets: Sequence[RecordSet], place: Place) -> list[RecordSet]:
    """Return the one of some record sets that answers a resolver at a place; [] if none answers there."""
    ordered = sorted(sets, key=lambda record: record.set_identifier)
    if ordered[0].location:
        fits = [record.location.closeness(place) if record.location else 0 for record in ordered]
        return [ordered[fits.index(max(fits))]] if max(fits) else []
    return sorted(ordered, key=lambda record: _distance(record, place))[:1]


def _distance(record: RecordSet, place: Place) -> float:
    # AWS publishes no latencies: the nearest region has the lowest here.
    if record.proximity:
        return record.proximity.distance(place)
    there = REGIONS.get(record.region)
    return there.distance(place) if there else math.inf


def _is_healthy(zone: HostedZone, record: RecordSet, surroundings: Surroundings, steps: int) -> bool:
    if record.health_check and not surroundings.is_healthy(record.health_check):
        return False
    if record.alias is None or not record.alias.evaluates_health or not steps:
        return True
    target = record.alias.target
    if balancer := balancer_name(target):
        return bool(surroundings.balancer_addresses(balancer)) and surroundings.is_healthy(balancer)
    sets = (_node(zone, target) or {}).get(record.type, ())
    return any(_is_healthy(zone, other, surroundings, steps - 1) for other in sets)


def _negative(zone: HostedZone) -> tuple[Records, ...]:
    """Return the SOA, whose TTL limits the caching of a negative answer (RFC 2308 section 3)."""
    soa = zone.soa
    return (Records(zone.name, RdataType.SOA, min(soa.ttl, soa.values[0].minimum), soa.values),)


def shown(question: Question, current: Answer) -> tuple[str, str, str, tuple[str, ...], int]:
    """Return name, type, rcode, sorted values and TTL of an answer for the journal."""
    values = tuple(sorted(value.text for records in current.answers for value in records.values))
    ttls = [records.ttl for records in (current.answers or current.authority)]
    kind = RdataType.to_text(question.type)
    return text_of(question.name), kind, Rcode.to_text(current.rcode), values, min(ttls, default=0)
