"""An upgrade of ExternalDNS over manifests and zones, and the way back: what the first syncs would do."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from testbed.address_families import PartedName
from testbed.aws.route53_names import plain_name
from testbed.dated_releases import Release
from testbed.external_dns.core.reasons import Decision, Reason, is_about_owner
from testbed.external_dns.offline.flag_changes import Started, changed_defaults, started
from testbed.external_dns.offline.repeated_syncs import FIRST_SYNCS, RepeatedSyncs, Sync
from testbed.external_dns.offline.zone_file import ZoneFile
from testbed.external_dns.sources.source_table import resource_of


@dataclass(frozen=True, slots=True)
class Leg:
    """The first syncs of a release over what another one left.

    Attributes:
        refusals: flags that keep it from starting as it is.
        defaults: what the flags mean to it and did not mean to the one before.
        unread: annotations that it does not read any more, with their objects.
        syncs: until nothing is sent, at most `FIRST_SYNCS`.
        parted: names whose A and AAAA lead to different balancers afterwards.
        frozen: claimed records that it does not change, since no TXT says that they are its own.
        undeletable: records that the old release could delete when their claims end, and this one cannot.
        undeletable_at_once: the same, where the claims end before its first sync.
        by_chance: True if equal claims hide each other, so that another order of objects may lead elsewhere.
        missing: what hosts of objects lack that the release does not take for claims.
    """

    release: Release
    refusals: tuple[str, ...]
    defaults: tuple[str, ...]
    unread: tuple[str, ...]
    syncs: tuple[Sync, ...]
    parted: tuple[PartedName, ...]
    frozen: tuple[Decision, ...]
    undeletable: tuple[str, ...]
    undeletable_at_once: tuple[str, ...]
    by_chance: bool
    missing: tuple[Decision, ...]

    @property
    def repeats(self) -> bool:
        """True if it sends the same at every sync."""
        return len(self.syncs) == FIRST_SYNCS and bool(self.syncs[-1].batches)


@dataclass(frozen=True, slots=True)
class Upgrade:
    """An upgrade, and the way back.

    Attributes:
        before: the old release over the zone as it is, if it stayed.
        there: the new release over the zone as it is.
        back: the old one over what the new one leaves.
    """

    before: Leg
    there: Leg
    back: Leg


def upgrade(
    items: Sequence[Mapping[str, Any]],
    zones: Sequence[ZoneFile],
    arguments: Sequence[str],
    old: Release,
    new: Release,
    variables: Mapping[str, str] | None = None,
) -> Upgrade:
    """Play an upgrade from one release to another, and back.

    Args:
        items: the objects of the cluster.
        zones: the hosted zones as they are.
        arguments: the flags of the Deployment.
        old, new: the releases; the old one need not be the older one.
        variables: of the environment, for flags that are no arguments.

    Raises:
        BadInput: a flag is not emulated, or the template does not fit an object.
    """
    first = started(arguments, old, variables=variables)
    second = started(arguments, new, first.flags.policy, variables)
    cluster = RepeatedSyncs(items, zones)
    # On a copy: an upgrade may come with an edit of the objects, and then the old release never sees that.
    before = _leg(cluster.copy(), old, first, None, frozenset())
    kept_by_old = _kept(cluster, old, first)
    there = _leg(cluster, new, second, first, kept_by_old)
    back = _leg(cluster, old, first, second, kept_by_old)
    return Upgrade(before, there, back)


def _leg(
    cluster: RepeatedSyncs, release: Release, own: Started, other: Started | None, kept: frozenset[str]
) -> Leg:
    at_once = _kept(cluster, release, own) - kept
    cluster.start(own.flags, release)
    syncs = cluster.first_syncs()
    decisions = syncs[-1].decisions
    return Leg(
        release,
        own.refusals,
        tuple(changed_defaults(other.flags, own.flags)) if other else (),
        tuple(_unread(cluster.objects.items.values(), own, other)) if other else (),
        syncs,
        cluster.parted(),
        tuple(one for one in decisions if is_about_owner(one) and one.claimants),
        tuple(sorted(_kept(cluster, release, own) - kept)) if other else (),
        tuple(sorted(at_once)) if other else (),
        any(one.reason in (Reason.DUPLICATE, Reason.MERGED) for one in decisions),
        cluster.missing(syncs[0], own.flags, release),
    )


def _kept(cluster: RepeatedSyncs, release: Release, own: Started) -> frozenset[str]:
    """The records that stay when every claim ends, under the policy that deletes: tried on a copy."""
    copy = cluster.copy()
    copy.objects.items.clear()
    copy.start(replace(own.flags, policy="sync"), release)
    copy.first_syncs()
    return frozenset(f"{plain_name(one['Name'])} {one['Type']}" for one in copy.records() if _is_planned(one))


def _is_planned(record: Mapping[str, Any]) -> bool:
    return record["Type"] in ("A", "AAAA", "CNAME")


def _unread(items: Iterable[Mapping[str, Any]], own: Started, other: Started) -> Iterable[str]:
    """Yield what objects have under a prefix that the other release reads and this one does not."""
    before, after = other.flags.annotation_prefix, own.flags.annotation_prefix
    if before == after:
        return
    for item in items:
        annotations = item["metadata"].get("annotations") or {}
        for key in sorted(annotations):
            name = key.removeprefix(before)
            if key.startswith(before) and f"{after}{name}" not in annotations:
                yield f"{key} of {resource_of(item)}"
