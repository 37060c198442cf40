"""A sync as text for a person: the batches as they would be sent, and record by record why."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from testbed.errors import Location
from testbed.external_dns.account import Batch
from testbed.external_dns.one_sync import ORDERS, Sync
from testbed.external_dns.reasons import CLAIM_MISSING, Decision, Outcome, Reason
from testbed.external_dns.record_text import batch, counted, wrapped
from testbed.external_dns.zone_file import ZoneFile

_ADDRESS_HINT = (
    "A claim needs the load balancer's name, which the cluster writes into the object's status: give what "
    "`kubectl get service,ingress -A -o yaml` prints, or --status KIND/NAMESPACE/NAME=HOSTNAME."
)
Places = Mapping[str, Location]
"""Where each object was written, by its name in TXTs."""


def render(sync: Sync, zones: Iterable[ZoneFile], places: Places) -> str:
    """The whole sync in lines of text."""
    lines = [f"{zone.path}: hosted zone {zone.name}, {counted(zone.records, 'record')}" for zone in zones]
    missing = [one for one in sync.decisions if one.reason in CLAIM_MISSING]
    unborn = {one.claimants[0].resource for one in missing if one.reason is Reason.NO_ADDRESS}
    if unborn:
        lines += [
            "",
            *wrapped(f"Careful: without an address, and so without a claim: {', '.join(sorted(unborn))}."),
        ]
        lines += wrapped(_ADDRESS_HINT)
    lines += ["", *batches(sync)]
    foreign = [one for one in sync.decisions if is_foreign(one)]
    rest = [one for one in sync.decisions if one not in missing and one not in foreign]
    if rest:
        lines += ["", "Why"]
        for group in grouped(rest):
            lines += why(group)
    if missing:
        lines += ["", "Named, but not claimed"]
        for one in missing:
            lines += missing_claim(one, places)
    if foreign:
        names = ", ".join(one.subject for one in foreign)
        lines += ["", *wrapped(f"Left alone, claimed by nobody and not this owner's: {names}")]
    return "\n".join(lines).rstrip() + "\n"


def batches(sync: Sync) -> Iterator[str]:
    """The calls, or that there are none; a refusal; and what another order of the objects would do."""
    yield from _calls(sync.batches)
    if sync.others:
        yield ""
        yield from wrapped(
            "This depends on chance: ExternalDNS sees the objects in a random order, and equal claims hide "
            f"each other. Of {ORDERS} orders that were tried, some do otherwise:"
        )
        for other in sync.others:
            yield from (f"  {line}" if line else "" for line in _calls(other))


def _calls(sent: Sequence[Batch]) -> Iterator[str]:
    if not sent:
        yield "ExternalDNS would send nothing."
    for one in sent:
        yield f"Batch to {one.zone}, {counted(one.changes)}"
        yield from batch(one.changes, one.refusal, 2)


def is_foreign(decision: Decision) -> bool:
    """A record that nobody claims and that another, or nobody, owns: most of a zone, and of no interest."""
    return decision.outcome is Outcome.DELETE and decision.dropped in (Reason.OTHER_OWNER, Reason.NO_OWNER)


def grouped(decisions: Iterable[Decision]) -> list[list[Decision]]:
    """Decisions by name, those that differ only in the record's type together."""
    found: dict[tuple[str, str], list[Decision]] = {}
    for one in sorted(decisions, key=lambda one: one.name):
        key = one.name, str(one).replace(one.subject, "", 1) if one.type else str(one)
        found.setdefault(key, []).append(one)
    return list(found.values())


def why(group: Sequence[Decision], indent: int = 2) -> Iterator[str]:
    """The sentence of decisions that differ only in the record's type, and what would change it."""
    first = group[0]
    text = str(first)
    if len(group) > 1:
        types = "/".join(one.type for one in group)
        text = text.replace(first.subject, first.subject.replace(first.type, types, 1), 1)
    yield from wrapped(text, indent, indent + 2)
    if first.remedy:
        yield from wrapped(f"-> {first.remedy}", indent + 2, indent + 5)


def missing_claim(decision: Decision, places: Places) -> Iterator[str]:
    """Why an object does not claim its host, where it was written, and what helps."""
    where = places.get(decision.claimants[0].resource)
    yield from wrapped(f"{decision}" + (f" ({where})" if where else ""), 2, 4)
    yield from wrapped(f"-> {decision.remedy}", 4, 7)
