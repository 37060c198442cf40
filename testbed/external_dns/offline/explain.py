"""One name explained: its records, owner and claimants, who gets it and why, how to move it. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from testbed.address_families import PartedName
from testbed.aws.route53_names import plain_name
from testbed.dated_releases import Release
from testbed.external_dns.core.endpoint import Endpoint
from testbed.external_dns.core.reasons import CLAIM_MISSING, Decision, Reason
from testbed.external_dns.offline import move_advice
from testbed.external_dns.offline.move_advice import Situation, Step
from testbed.external_dns.offline.repeated_syncs import RepeatedSyncs, Sync
from testbed.external_dns.offline.tried_move import Trial, try_move, txt_outside
from testbed.external_dns.offline.zone_file import ZoneFile
from testbed.external_dns.process.flags import Flags
from testbed.external_dns.registry.txt_labels import Label, Record, labels_in, labels_of
from testbed.external_dns.sources import missing_claims
from testbed.external_dns.sources.source_table import resource_of


@dataclass(frozen=True, slots=True)
class InZone:
    """What a hosted zone has about a name.

    Attributes:
        zone: its title.
        records: of that name, without TXTs of the registry.
        labels: the content of the registry's TXTs about it.
    """

    zone: str
    records: Sequence[Record]
    labels: Sequence[Label]


@dataclass(frozen=True, slots=True)
class Explanation:
    """Everything about a name.

    Attributes:
        zones: what each hosted zone has about it.
        claims: the endpoints that ask for it, equal claims too.
        missing: objects that name it and do not claim it.
        decisions: of the sync.
        refusal: why Route 53 refuses the batch with the name's changes, or "".
        parted: the name, if its A and AAAA lead to different balancers after the sync.
        there, back, cautions: what an operator can do.
        is_movable: False if a record stays although its holder lets go and another object claims the name.
    """

    name: str
    zones: Sequence[InZone]
    claims: Sequence[Endpoint]
    missing: Sequence[Decision]
    decisions: Sequence[Decision]
    refusal: str
    parted: Sequence[PartedName]
    there: Sequence[Step]
    back: Sequence[Step]
    cautions: Sequence[str]
    is_movable: bool = True

    @property
    def records(self) -> list[Record]:
        """The records of all zones."""
        return [record for zone in self.zones for record in zone.records]

    @property
    def labels(self) -> list[Label]:
        """The labels of all zones."""
        return [label for zone in self.zones for label in zone.labels]

    @property
    def is_known(self) -> bool:
        """True if any record, TXT or object mentions the name."""
        return bool(self.records or self.labels or self.claims or self.missing)


def explain(
    name: str,
    items: Iterable[Mapping[str, Any]],
    zones: Sequence[ZoneFile],
    sync: Sync,
    flags: Flags,
    release: Release,
) -> Explanation:
    """Explain what a sync means for a name.

    Args:
        name: in any case, with or without its last dot.
        items: the objects that the sync read.
        zones: the zones that it read.
        sync: what it did.
        flags: of its ExternalDNS.
        release: of its ExternalDNS.
    """
    plain = plain_name(name)
    objects = {resource_of(item): item for item in items}

    def others(kind: str) -> list[Mapping[str, Any]]:
        return [item for item in objects.values() if item["kind"] == kind]

    claimed = [
        one
        for item in objects.values()
        for one in missing_claims.claims_of(item, flags, release, others)
        if plain_name(one.name) == plain
    ]
    mine = [one for one in sync.decisions if plain_name(one.name) == plain]
    decisions = [one for one in mine if one.reason not in CLAIM_MISSING]
    situation = move_advice.Situation(plain, _holder(decisions), claimed, objects, flags, release)
    is_split = any(one.set_identifier for one in decisions)
    there = [_weights(plain)] if is_split else [*_barriers(decisions), *move_advice.there(situation)]
    back = [] if is_split else list(move_advice.back(situation))
    cautions = list(move_advice.cautions(situation))
    trial = None if is_split else _tried(situation, objects.values(), zones)
    if trial and trial.staying:
        outside = txt_outside(plain, flags, release, [zone.name for zone in zones])
        there, back = [_standing(situation, trial, outside)], []
    elif trial and trial.repeated:
        cautions.append(
            f"After the move ExternalDNS {release} sends {trial.repeated} changes again at every sync."
        )
    return Explanation(
        plain,
        [_in_zone(plain, zone, flags, release) for zone in zones],
        claimed,
        [one for one in mine if one.reason in CLAIM_MISSING],
        decisions,
        _refusal(plain, sync),
        [one for one in sync.parted if one.name == plain],
        there,
        back,
        cautions,
        not (trial and trial.staying),
    )


def _tried(
    situation: Situation, items: Iterable[Mapping[str, Any]], zones: Sequence[ZoneFile]
) -> Trial | None:
    """Let the holder go, on a copy; None if it holds nothing, or nobody else claims the name."""
    if not situation.is_held or not situation.others:
        return None
    cluster = RepeatedSyncs(items, zones)
    cluster.start(situation.flags, situation.release)
    cluster.first_syncs()
    holder = situation.items[situation.holder]
    return try_move(situation.name, cluster, holder, situation.flags.annotation_prefix)


def _standing(situation: Situation, trial: Trial, outside: str) -> Step:
    whole = " as a whole" if trial.moved else ""
    stays = f"{' and '.join(trial.staying)} stay{'' if len(trial.staying) > 1 else 's'} where it was"
    moved = f", while {' and '.join(trial.moved)} moves" if trial.moved else ""
    text = (
        f"Letting {situation.holder} go does not move the name{whole}: tried on a copy of these records with "
        f"ExternalDNS {situation.release}, {stays}{moved}."
    )
    if outside:
        text += (
            f" The TXT of the record, {outside}, lies outside the hosted zone and is not written, so no "
            "later sync knows the record for its own. A prefix that holds the type and ends in a dot keeps "
            "it inside: --txt-prefix='%{record_type}.', set before the records are made. Or move the record "
            "by hand."
        )
    return Step(text)


def _refusal(name: str, sync: Sync) -> str:
    """Return the refusal of the last batch that changes the name; v0.13.4 and later retry a record alone."""
    for batch in reversed(sync.batches):
        if any(plain_name(change["ResourceRecordSet"]["Name"]) == name for change in batch.changes):
            return batch.refusal
    return ""


def _holder(decisions: Iterable[Decision]) -> str:
    """Return the object that the TXT names after the sync; of several types the first decides."""
    for one in decisions:
        if one.have is None and one.winner is None:
            continue
        if one.is_change:
            return one.winner.resource if one.winner else ""
        return one.have.resource if one.have else ""
    return ""


def _barriers(decisions: Iterable[Decision]) -> list[Step]:
    """Return what has to be corrected before anything moves."""
    barred = [one for one in decisions if one.dropped and one.dropped is not Reason.POLICY]
    steps = [f"Before anything else: {one.remedy}." for one in barred]
    return [Step(text) for text in dict.fromkeys(steps)]


def _weights(name: str) -> Step:
    return Step(
        f"{name} has set identifiers: each object has its own record, and labels play no role. Move traffic "
        "with the aws-weight annotations; when an object lets go, its record and its share go too."
    )


def _in_zone(name: str, zone: ZoneFile, flags: Flags, release: Release) -> InZone:
    records = [
        record
        for record in zone.records
        if plain_name(record["Name"]) == name and labels_in(record, flags, release) is None
    ]
    return InZone(str(zone), records, labels_of(name, zone.records, flags, release))
