"""A move of a name that is tried: one object lets go while another claims the name.

Whether a record moves depends on its TXT, the flags and the release. So nothing is promised that was not
played.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from testbed.aws.route53_names import plain_name
from testbed.balancer_identity import plain_dns_name
from testbed.dated_releases import Release
from testbed.external_dns.offline.repeated_syncs import FIRST_SYNCS, Record, RepeatedSyncs
from testbed.external_dns.offline.zone_file import ZoneFile
from testbed.external_dns.process.flags import Flags
from testbed.external_dns.registry.txt_registry import TxtRegistry

_MOVED = ("A", "AAAA", "CNAME")


@dataclass(frozen=True, slots=True)
class Trial:
    """What became of a name when its holder let go.

    Attributes:
        staying: types of the records that still lead to the old place, of several zones with the zone.
        moved: types of those that lead elsewhere.
        repeated: changes that are sent again at every sync afterwards.
    """

    staying: tuple[str, ...]
    moved: tuple[str, ...]
    repeated: int


def letting_go(item: Mapping[str, Any], prefix: str) -> Mapping[str, Any]:
    """Return an object that claims no name any more: its hostnames gone, and another controller named."""
    metadata = item["metadata"]
    kept = {
        key: value
        for key, value in (metadata.get("annotations") or {}).items()
        if key not in (f"{prefix}hostname", f"{prefix}internal-hostname")
    }
    return {**item, "metadata": {**metadata, "annotations": {**kept, f"{prefix}controller": "none"}}}


def try_move(name: str, cluster: RepeatedSyncs, holder: Mapping[str, Any], prefix: str) -> Trial:
    """Let an object go of its names, and look where a name leads after the next syncs.

    Args:
        name: plain.
        cluster: an ExternalDNS that has settled; it is changed.
        holder: the object that lets go.
        prefix: of the annotations.
    """
    before = _targets(name, cluster.by_zone())
    cluster.objects.apply(letting_go(holder, prefix))
    syncs = cluster.first_syncs()
    after = _targets(name, cluster.by_zone())
    repeated = syncs[-1].batches if len(syncs) == FIRST_SYNCS else ()
    return Trial(
        tuple(sorted(kind for kind, target in after.items() if before.get(kind) == target)),
        tuple(sorted(kind for kind, target in after.items() if before.get(kind) != target)),
        sum(len(batch.changes) for batch in repeated),
    )


def try_on_empty_zone(
    name: str,
    zone: str,
    holder: Mapping[str, Any],
    others: Iterable[Mapping[str, Any]],
    flags: Flags,
    release: Release,
) -> Trial | None:
    """Let a holder make a name in an empty zone, then others claim it, then the holder lets go.

    Args:
        name: plain.
        zone: the name of the hosted zone.
        holder, others: objects with addresses.

    Returns:
        What became of it; None if the holder makes no record.
    """
    cluster = RepeatedSyncs([holder], [ZoneFile(Path(zone), zone, "/hostedzone/ZTRIED", ())])
    cluster.start(flags, release)
    cluster.first_syncs()
    if not _targets(name, cluster.by_zone()):
        return None
    for item in others:
        cluster.objects.apply(item)
    cluster.first_syncs()
    return try_move(name, cluster, holder, flags.annotation_prefix)


def txt_outside(name: str, flags: Flags, release: Release, zones: Sequence[str]) -> str:
    """Return the name of the TXT of a name's A record, if it lies in no zone that holds the name; else ""."""
    return txts_outside([name], flags, release, zones).get(name, "")


def txts_outside(
    names: Iterable[str], flags: Flags, release: Release, zones: Sequence[str]
) -> Mapping[str, str]:
    """Return the names whose TXT `txt_outside` returns, with that TXT."""
    if flags.registry != "txt":
        return {}
    txt_name = TxtRegistry.of(flags, release).names.of
    outside = {}
    for name in names:
        txt = txt_name(name, "A")
        holding = [zone for zone in zones if _within(name, zone)]
        if holding and not any(_within(txt, zone) for zone in holding):
            outside[name] = txt
    return outside


def _within(name: str, zone: str) -> bool:
    return name == zone or name.endswith(f".{zone}")


def _targets(name: str, zones: Mapping[str, Iterable[Record]]) -> dict[str, str]:
    """Where the records of a name lead, by their type; with several zones, also by the zone."""
    return {
        (f"{one['Type']} in {zone}" if len(zones) > 1 else one["Type"]): plain_dns_name(
            one["AliasTarget"]["DNSName"]
        )
        if "AliasTarget" in one
        else str(sorted(value["Value"] for value in one.get("ResourceRecords") or ()))
        for zone, records in zones.items()
        for one in records
        if plain_name(one["Name"]) == name and one["Type"] in _MOVED
    }
