"""One name: its records and owner, who claims it, who gets it and why, and how to move it. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from testbed.external_dns import claims, moves
from testbed.external_dns.endpoint import Endpoint
from testbed.external_dns.flags import Flags
from testbed.external_dns.moves import Step
from testbed.external_dns.one_sync import Sync
from testbed.external_dns.profile import Profile
from testbed.external_dns.reasons import CLAIM_MISSING, Decision, Reason
from testbed.external_dns.txt_labels import Label, Record, labels_in, labels_of, plain_name
from testbed.external_dns.zone_file import ZoneFile


@dataclass(frozen=True, slots=True)
class Explanation:
    """All about a name.

    Attributes:
        records: of that name, TXTs of the registry left out.
        labels: what the registry's TXTs say of it.
        claims: who wants it, equal claims too.
        missing: objects that name it and do not claim it.
        decisions: of the sync.
        refusal: why Route 53 refuses the batch in which the name's changes stand, or "".
        there, back, cautions: what an operator can do.
    """

    name: str
    records: Sequence[Record]
    labels: Sequence[Label]
    claims: Sequence[Endpoint]
    missing: Sequence[Decision]
    decisions: Sequence[Decision]
    refusal: str
    there: Sequence[Step]
    back: Sequence[Step]
    cautions: Sequence[str]

    @property
    def is_known(self) -> bool:
        """Whether anything here has to do with the name."""
        return bool(self.records or self.labels or self.claims or self.missing)


def explain(
    name: str,
    items: Iterable[Mapping[str, Any]],
    zones: Iterable[ZoneFile],
    sync: Sync,
    flags: Flags,
    profile: Profile,
) -> Explanation:
    """What a sync means for a name."""
    wanted = plain_name(name)
    objects = {claims.resource_of(item): item for item in items}

    def others(kind: str) -> list[Mapping[str, Any]]:
        return [item for item in objects.values() if item["kind"] == kind]

    claimed = [
        one
        for item in objects.values()
        for one in claims.of(item, flags, profile, others)
        if plain_name(one.name) == wanted
    ]
    mine = [one for one in sync.decisions if plain_name(one.name) == wanted]
    decisions = [one for one in mine if one.reason not in CLAIM_MISSING]
    records, labels = _of_zones(wanted, zones, flags, profile)
    situation = moves.Situation(wanted, _holder(decisions), claimed, objects, flags, profile)
    is_split = any(one.set_identifier for one in decisions)
    there = [_weights(wanted)] if is_split else [*_barriers(decisions), *moves.there(situation)]
    return Explanation(
        wanted,
        records,
        labels,
        claimed,
        [one for one in mine if one.reason in CLAIM_MISSING],
        decisions,
        _refusal(wanted, sync),
        there,
        [] if is_split else list(moves.back(situation)),
        list(moves.cautions(situation)),
    )


def _refusal(name: str, sync: Sync) -> str:
    """Of the last batch that changes the name: v0.13.4 and later try a record alone after a refusal."""
    for batch in reversed(sync.batches):
        if any(plain_name(change["ResourceRecordSet"]["Name"]) == name for change in batch.changes):
            return batch.refusal
    return ""


def _holder(decisions: Iterable[Decision]) -> str:
    """The object that the TXT names after the sync; with several types, that of the first."""
    for one in decisions:
        if one.have is None and one.winner is None:
            continue
        if one.is_change:
            return one.winner.resource if one.winner else ""
        return one.have.resource if one.have else ""
    return ""


def _barriers(decisions: Iterable[Decision]) -> list[Step]:
    """What has to be mended before anything moves."""
    barred = [one for one in decisions if one.dropped and one.dropped is not Reason.POLICY]
    found = [f"Before anything else: {one.remedy}." for one in barred]
    return [Step(text) for text in dict.fromkeys(found)]


def _weights(name: str) -> Step:
    return Step(
        f"{name} has set identifiers: each object has a record of its own, and labels play no role. Move "
        "traffic by the aws-weight annotations; an object that lets go takes its record, and its share, "
        "with it."
    )


def _of_zones(
    name: str, zones: Iterable[ZoneFile], flags: Flags, profile: Profile
) -> tuple[list[Record], list[Label]]:
    every = [record for zone in zones for record in zone.records]
    records = [
        record
        for record in every
        if plain_name(record["Name"]) == name and labels_in(record, flags, profile) is None
    ]
    return records, labels_of(name, every, flags, profile)
