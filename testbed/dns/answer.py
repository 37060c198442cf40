"""What Route 53 would answer. Pure: zones and a question in, an answer out; chance and health are given.

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

import functools
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from dns.rcode import Rcode
from dns.rdatatype import RdataType

from testbed.dns.names import WILDCARD, Labels, balancer_name, is_below, text_of
from testbed.dns.zones import HostedZone, RecordSet, RecordSets, Value, Zones, balancer_zone
from testbed.settings import PRODUCTION

ALIAS_TTL = int(PRODUCTION.alias_ttl)
NAMES_IN_A_CHAIN = 16
"""CNAMEs and aliases followed for one question; longer ones are loops. Resolvers give up at about 16."""
MULTIVALUE_ANSWERS = 8
"""Multivalue routing answers with up to eight healthy records (Route 53 guide)."""
_REFUSED_TYPES = (RdataType.AXFR, RdataType.IXFR, RdataType.MAILA, RdataType.MAILB)


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked.

    `recursive` is the RD flag: whoever sets it wants what the resolver in front of Route 53 would say. So a
    CNAME is followed out of the zone, and positive answers do not name the zone's servers.
    """

    name: Labels
    type: RdataType
    recursive: bool = True


@dataclass(frozen=True, slots=True)
class Records:
    """Records of one name and type in an answer; `name` None stands for the name that was asked."""

    name: Labels | None
    type: RdataType
    ttl: int
    values: tuple[Value, ...]


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer's rcode, AA flag and sections."""

    rcode: Rcode
    answers: tuple[Records, ...] = ()
    authority: tuple[Records, ...] = ()
    is_authoritative: bool = True


def _nobody(_: str) -> tuple[str, ...]:
    return ()


def _always(_: str) -> bool:
    return True


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What an answer depends on besides the zones.

    Attributes:
        balancer_addresses: a balancer's addresses by its DNS name in lower case; () if there is none.
        is_healthy: health of a balancer by its DNS name, or of a health check by its id.
        chance: chooses among weighted records and orders several values.
    """

    balancer_addresses: Callable[[str], Sequence[str]] = _nobody
    is_healthy: Callable[[str], bool] = _always
    chance: random.Random = field(default_factory=random.Random)


def answer(zones: Zones, question: Question, surroundings: Surroundings) -> Answer:
    """Answer a question as Route 53 and the balancers' own name servers would."""
    if question.type in _REFUSED_TYPES:
        return Answer(Rcode.REFUSED, is_authoritative=False)
    found: list[Records] = []
    name = question.name
    home = zones.find(name)
    for _ in range(NAMES_IN_A_CHAIN):
        owner = None if name == question.name else name
        here = zones.find(name)
        if here is not home and found and not question.recursive:
            return _chain(found, home, question)
        step = _lookup(here, name, owner, question.type, surroundings)
        found += step.answers
        target = _target(step, question.type)
        if target is None:
            # REFUSED: the CNAME leaves what is served here.
            if step.answers or (found and step.rcode is Rcode.REFUSED):
                return _chain(found, home, question)
            return Answer(step.rcode, tuple(found), step.authority, step.is_authoritative or bool(found))
        name = target
    return _chain(found, home, question)


def _chain(found: list[Records], home: HostedZone | None, question: Question) -> Answer:
    """A positive answer. To a resolver Route 53 names the zone's servers beside it."""
    authority: tuple[Records, ...] = ()
    if home and not question.recursive:
        authority = (Records(home.name, RdataType.NS, home.ns.ttl, home.ns.values),)
    return Answer(Rcode.NOERROR, tuple(found), authority)


def _target(step: Answer, wanted: RdataType) -> Labels | None:
    """Where the chain goes on, if the step found a CNAME and something else was asked."""
    if wanted in (RdataType.CNAME, RdataType.ANY):
        return None
    for records in step.answers:
        if records.type == RdataType.CNAME:
            return records.values[0].target
    return None


def _lookup(
    zone: HostedZone | None, name: Labels, owner: Labels | None, wanted: RdataType, surroundings: Surroundings
) -> Answer:
    if balancer := balancer_name(name):
        return _balancer(name, balancer, owner, wanted, surroundings)
    if zone is None:
        return Answer(Rcode.REFUSED, is_authoritative=False)
    if referral := _delegation(zone, name, wanted):
        return referral
    node = _node(zone, name)
    if node is None:
        return Answer(Rcode.NXDOMAIN, authority=_negative(zone))
    types = node if wanted == RdataType.ANY else {wanted: node.get(wanted, ())}
    found = [
        records
        for sets in types.values()
        if sets and (records := _records(zone, sets, owner, surroundings, NAMES_IN_A_CHAIN))
    ]
    if not found and (sets := node.get(RdataType.CNAME)):
        records = _records(zone, sets, owner, surroundings, NAMES_IN_A_CHAIN)
        found = [records] if records else []
    if not found:
        return Answer(Rcode.NOERROR, authority=_negative(zone))
    return Answer(Rcode.NOERROR, tuple(found))


def _balancer(
    name: Labels, balancer: str, owner: Labels | None, wanted: RdataType, surroundings: Surroundings
) -> Answer:
    addresses = surroundings.balancer_addresses(balancer)
    if values := _address_values(addresses, wanted, surroundings):
        return Answer(Rcode.NOERROR, (Records(owner, wanted, ALIAS_TTL, values),))
    zone = balancer_zone(name)
    soa = (Records(zone.name, RdataType.SOA, ALIAS_TTL, zone.soa.values),)
    return Answer(Rcode.NOERROR if addresses else Rcode.NXDOMAIN, authority=soa)


def _address_values(
    addresses: Sequence[str], wanted: RdataType, surroundings: Surroundings
) -> tuple[Value, ...]:
    is_wanted = {RdataType.A: lambda one: ":" not in one, RdataType.AAAA: lambda one: ":" in one}.get(wanted)
    if is_wanted is None:
        return ()
    return _shuffled([_address(wanted, one) for one in addresses if is_wanted(one)], surroundings)


@functools.lru_cache(maxsize=4096)
def _address(kind: RdataType, address: str) -> Value:
    return Value.of(kind, address)


def _shuffled(values: Sequence[Value], surroundings: Surroundings) -> tuple[Value, ...]:
    # Route 53 answers several values in random order, so that clients that take the first one spread.
    if len(values) < 2:
        return tuple(values)
    return tuple(surroundings.chance.sample(values, len(values)))


def _delegation(zone: HostedZone, name: Labels, wanted: RdataType) -> Answer | None:
    for length in range(len(zone.name) + 1, len(name) + 1):
        cut = name[len(name) - length :]
        servers = zone.nodes.get(cut, {}).get(RdataType.NS)
        if servers and not (cut == name and wanted == RdataType.DS):
            referral = Records(cut, RdataType.NS, servers[0].ttl, servers[0].values)
            return Answer(Rcode.NOERROR, authority=(referral,), is_authoritative=False)
    return None


def _node(zone: HostedZone, name: Labels) -> dict[RdataType, RecordSets] | None:
    """The record sets at a name: its own, {} for an empty name between, a wildcard's, or None (RFC 4592)."""
    if name in zone.names:
        return dict(zone.nodes.get(name, {}))
    for index in range(1, len(name) - len(zone.name) + 1):
        encloser = name[index:]
        if encloser in zone.names:  # the closest one: a wildcard further up does not reach below it
            wild = zone.nodes.get((WILDCARD, *encloser))
            return dict(wild) if wild is not None else None
    return None


def _records(
    zone: HostedZone, sets: RecordSets, owner: Labels | None, surroundings: Surroundings, steps: int
) -> Records | None:
    """The records that a group of record sets of one name and type gives this time; None for none."""
    chosen = _chosen(zone, sets, surroundings, steps)
    values: list[Value] = []
    ttl = chosen[0].ttl
    for one in chosen:
        if one.alias is None:
            values += one.values
        elif resolved := _alias(zone, one, surroundings, steps):
            values += resolved.values
            ttl = resolved.ttl
    if not values:
        return None
    return Records(owner, chosen[0].type, ttl, _shuffled(values, surroundings))


def _alias(zone: HostedZone, record: RecordSet, surroundings: Surroundings, steps: int) -> Records | None:
    """What an alias stands for: the balancer's addresses, or the records of the same type in the zone."""
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
    """The record sets that answer: one by the routing policy among the healthy, or up to eight (multivalue).

    If none is healthy, all count as healthy. A weight of 0 counts only when every other is out.
    """
    if len(sets) == 1:
        return sets
    healthy = [one for one in sets if _is_healthy(zone, one, surroundings, steps)] or list(sets)
    chance = surroundings.chance
    if sets[0].is_multivalue:
        return chance.sample(healthy, min(len(healthy), MULTIVALUE_ANSWERS))
    if sets[0].failover:
        return sorted(healthy, key=lambda one: one.failover != "PRIMARY")[:1]
    if sets[0].weight is None:
        # Latency and geography mean nothing on one machine: always the same one.
        return sorted(healthy, key=lambda one: one.set_identifier)[:1]
    weights = [one.weight or 0 for one in healthy]
    if not any(weights):
        weights = [1] * len(healthy)
    return chance.choices(healthy, weights)


def _is_healthy(zone: HostedZone, record: RecordSet, surroundings: Surroundings, steps: int) -> bool:
    if record.health_check and not surroundings.is_healthy(record.health_check):
        return False
    if record.alias is None or not record.alias.evaluates_health or not steps:
        return True
    target = record.alias.target
    if balancer := balancer_name(target):
        return bool(surroundings.balancer_addresses(balancer)) and surroundings.is_healthy(balancer)
    sets = (_node(zone, target) or {}).get(record.type, ())
    return any(_is_healthy(zone, one, surroundings, steps - 1) for one in sets)


def _negative(zone: HostedZone) -> tuple[Records, ...]:
    """The SOA, whose TTL says how long "there is none" may be cached (RFC 2308 section 3)."""
    soa = zone.soa
    return (Records(zone.name, RdataType.SOA, min(soa.ttl, soa.values[0].minimum), soa.values),)


def shown(question: Question, given: Answer) -> tuple[str, str, str, tuple[str, ...], int]:
    """Name, type, rcode, sorted values and TTL of an answer, as the journal shows it."""
    values = tuple(sorted(value.text for records in given.answers for value in records.values))
    ttls = [records.ttl for records in (given.answers or given.authority)]
    kind = RdataType.to_text(question.type)
    return text_of(question.name), kind, Rcode.to_text(given.rcode), values, min(ttls, default=0)
