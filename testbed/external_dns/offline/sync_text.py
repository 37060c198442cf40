"""A sync as text for a person: the batches that it would send, and the reason for each record."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from testbed.address_families import PartedName
from testbed.aws.route53_names import plain_name
from testbed.errors import Location
from testbed.external_dns.core.reasons import CLAIM_MISSING, Decision, Outcome, Reason, is_about_owner
from testbed.external_dns.offline.hosted_zones_in_memory import Batch
from testbed.external_dns.offline.one_sync import ORDERS
from testbed.external_dns.offline.record_text import batch, counted
from testbed.external_dns.offline.repeated_syncs import Sync
from testbed.external_dns.offline.zone_file import ZoneFile
from testbed.printing import wrapped

_ADDRESS_HINT = (
    "A claim needs the load balancer's name, which the cluster writes into the object's status: pass the "
    "output of `kubectl get service,ingress -A -o yaml`, or --status KIND/NAMESPACE/NAME=HOSTNAME."
)
_GATEWAY_HINT = (
    "A route has the address of its Gateway: add gateway,httproute,grpcroute to that output, or pass "
    "--status gateway/NAMESPACE/NAME=HOSTNAME."
)
_OUTSIDE = (
    "Careful: the TXT of {name}, {txt}, lies outside the hosted zone and is not written. Without it no later "
    "sync may know the record for its own: `testbed dns explain {name}` tries whether the name can move."
)
PARTED_REMEDY = (
    "-> bring both to one balancer before you count on the move: A and AAAA each have a TXT of their own, "
    "which must name the same object and owner; or delete the AAAA record by hand and keep ExternalDNS from "
    "making it anew (--exclude-record-types=AAAA)"
)
Places = Mapping[str, Location]
"""File and line of each object, by its name in TXTs."""


def render(sync: Sync, zones: Iterable[ZoneFile], places: Places) -> str:
    """Return the whole sync as lines of text."""
    lines = list(listed(zones))
    missing = [one for one in sync.decisions if one.reason in CLAIM_MISSING]
    lines += without_address(sync.decisions)
    lines += ["", *batches(sync)]
    for name, txt in sync.outside.items():
        lines += ["", *wrapped(_OUTSIDE.format(name=name, txt=txt))]
    lines += families(sync.parted)
    foreign = [one for one in sync.decisions if is_foreign(one)]
    rest = [one for one in sync.decisions if one not in missing and one not in foreign]
    if rest:
        lines += ["", "Why"]
        for one in by_name(rest):
            lines += why(one, has_remedy=plain_name(one.name) not in sync.outside)
    if missing:
        lines += ["", "Named, but not claimed"]
        for one in missing:
            lines += missing_claim(one, places)
    if foreign:
        names = ", ".join(one.subject for one in foreign)
        lines += [
            "",
            *wrapped(f"Left alone, since no object claims them and they are not this owner's: {names}"),
        ]
    return "\n".join(lines).rstrip() + "\n"


def without_address(decisions: Iterable[Decision]) -> list[str]:
    """Return what to say of objects that claim nothing, because their status has no address."""
    found = [one for one in decisions if one.reason in (Reason.NO_ADDRESS, Reason.NO_GATEWAY)]
    unborn = {one.claimants[0].resource for one in found}
    routes = any(one.reason is Reason.NO_GATEWAY for one in found)
    if not unborn:
        return []
    return [
        "",
        *wrapped(f"Careful: without an address, and so without a claim: {', '.join(sorted(unborn))}."),
        *wrapped(_ADDRESS_HINT),
        *(wrapped(_GATEWAY_HINT) if routes else ()),
    ]


def batches(sync: Sync) -> Iterator[str]:
    """Yield the calls, a refusal, and what another order of the objects would do."""
    yield from _calls(sync.batches)
    if sync.others:
        yield ""
        yield from wrapped(
            "This depends on chance: ExternalDNS sees the objects in a random order, and equal claims hide "
            f"each other. {ORDERS} orders were tried, and some of them lead elsewhere:"
        )
        for other in sync.others:
            yield from (f"  {line}" if line else "" for line in _calls(other))


def _calls(sent: Sequence[Batch]) -> Iterator[str]:
    if not sent:
        yield "ExternalDNS would send nothing."
    for one in sent:
        yield f"Batch to {one.zone}, {counted(one.changes)}"
        yield from batch(one.changes, one.refusal, 2)


def listed(zones: Iterable[ZoneFile]) -> Iterator[str]:
    """Yield a line for each zone of a file; an empty one, which no file lists, has no SOA record."""
    for zone in zones:
        if zone.records:
            yield f"{zone.path}: hosted zone {zone.name}, {counted(zone.records, 'record')}"


def unread_prefix(read: str, unread: str, otherwise: Sync) -> str:
    """Return what to say where no annotation has the prefix that is read, and what would be sent else."""
    lines = [
        "",
        *wrapped(
            f"Careful: all annotations of the objects begin with {unread}, and ExternalDNS reads "
            f"{read} only. With --annotation-prefix={unread} it would do this:"
        ),
    ]
    lines += ["", *batches(otherwise)]
    kept = [one for one in otherwise.decisions if one.reason in (Reason.TXT_KEPT, Reason.TXT_LOST)]
    if kept:
        lines += ["", "Why"]
        for one in kept:
            lines += why(one)
    return "\n".join(lines).rstrip() + "\n"


def families(parted: Sequence[PartedName]) -> list[str]:
    """Return what to say of names whose A and AAAA lead to different balancers."""
    lines = ["", "One name, two balancers: IPv4 and IPv6 clients part"] if parted else []
    for one in parted:
        lines += wrapped(str(one), 2, 4)
        lines += wrapped(PARTED_REMEDY, 4, 7)
    return lines


def is_foreign(decision: Decision) -> bool:
    """True for a record without a claim that belongs to another owner or to none: most of a zone."""
    return decision.outcome is Outcome.DELETE and is_about_owner(decision)


def by_name(decisions: Iterable[Decision]) -> list[Decision]:
    """Return decisions in the order of their names, equal ones once; A and AAAA of a name stay two rows."""
    return list({str(one): one for one in sorted(decisions, key=lambda one: one.name)}.values())


def why(decision: Decision, indent: int = 2, *, has_remedy: bool = True) -> Iterator[str]:
    """Yield the sentence of a decision, and what would change it; without, if that is known not to work."""
    yield from wrapped(str(decision), indent, indent + 2)
    if decision.remedy and (has_remedy or decision.dropped):
        yield from wrapped(f"-> {decision.remedy}", indent + 2, indent + 5)


def missing_claim(decision: Decision, places: Places) -> Iterator[str]:
    """Yield why an object does not claim its host, its file and line, and the remedy."""
    where = places.get(decision.claimants[0].resource)
    yield from wrapped(f"{decision}" + (f" ({where})" if where else ""), 2, 4)
    yield from wrapped(f"-> {decision.remedy}", 4, 7)
