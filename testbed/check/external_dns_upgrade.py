"""Traps of an upgrade of ExternalDNS over the records of hosted zones, and of the way back.

Both are played over the listings that are given, as `testbed dns upgrade` does.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

from testbed.check.findings import Severity
from testbed.check.manifest_reading import Reading
from testbed.check.rule_registry import Trap, rule
from testbed.check.zone_records import objects, restore, without_address
from testbed.dated_releases import Release
from testbed.errors import Location
from testbed.external_dns.offline.address_trial import AddressTrial, try_other_addresses
from testbed.external_dns.offline.flag_changes import Started, started
from testbed.external_dns.offline.repeated_syncs import RepeatedSyncs
from testbed.external_dns.offline.upgrade import Leg, Upgrade, upgrade


@dataclass(frozen=True, slots=True)
class _Way:
    """One direction: its leg, and what becomes of the records if balancers change before it and after it."""

    title: str
    leg: Leg
    before: AddressTrial
    after: AddressTrial


@rule("upgrade-parts-name", Severity.ERROR)
def upgrade_parts_name(reading: Reading) -> Iterator[Trap]:
    """An upgrade of ExternalDNS sends IPv4 and IPv6 clients of a name to different balancers."""
    told = {one.name for one in _played(reading).before.parted} if _ways(reading) else set()
    for way in _ways(reading):
        for one in way.leg.parted:
            if one.name in told:
                continue
            told.add(one.name)
            yield Trap(
                _image(reading),
                f"the first syncs of {way.title} part {one}: clients of the two families use different "
                "balancers then",
                "upgrade while only one object claims the name",
            )
        told |= {one.name for one in way.before.parted}
        for one in way.after.parted:
            if one.name not in told:
                told.add(one.name)
                yield Trap(
                    _image(reading),
                    f"after {way.title}, a change of its load balancer parts {one.name}: only one of its A "
                    "and AAAA records follows",
                    restore(way.after, one.name),
                )


@rule("upgrade-freezes-record", Severity.ERROR)
def upgrade_freezes_record(reading: Reading) -> Iterator[Trap]:
    """After an upgrade of ExternalDNS a record no longer follows its object, and the log is silent."""
    for way in _ways(reading):
        for name, kinds in way.after.staying.items():
            if name not in way.before.staying:
                is_one = len(kinds) == 1
                follow, own = ("follows", "it is") if is_one else ("follow", "they are")
                yield Trap(
                    _image(reading),
                    f"after {way.title}, {' and '.join(kinds)} of {name} no longer {follow} its load "
                    f"balancer: no TXT that this release reads says that {own} its own",
                    restore(way.after, name),
                )


@rule("upgrade-is-refused", Severity.ERROR)
def upgrade_is_refused(reading: Reading) -> Iterator[Trap]:
    """Another release of ExternalDNS does not start with these flags, or Route 53 refuses what it sends."""
    for way in _ways(reading):
        for refusal in way.leg.refusals:
            yield Trap(_image(reading), f"{way.title}: {refusal}", "correct the flags in the same change")
        sent = [one.refusal for one in way.leg.syncs[-1].batches if one.refusal]
        for refusal in dict.fromkeys([*sent, *way.after.refusals]):
            if refusal not in way.before.refusals:
                yield Trap(
                    _image(reading),
                    f"{way.title}: Route 53 refuses its batch at every sync: {refusal}",
                    "bring the record that it names into the form that this release expects, before",
                )


@rule("upgrade-cannot-delete", Severity.WARNING)
def upgrade_cannot_delete(reading: Reading) -> Iterator[Trap]:
    """After an upgrade or a rollback, ExternalDNS no longer deletes records that it could delete before."""
    for way in _ways(reading):
        at_once = [one for one in way.leg.undeletable_at_once if one not in way.leg.undeletable]
        if way.leg.undeletable:
            yield Trap(
                _image(reading),
                f"after {way.title}, it can no longer delete {', '.join(way.leg.undeletable)} when the "
                "claims end: no TXT that it reads says that they are its own",
                "delete them by hand when their objects go",
            )
        if at_once:
            yield Trap(
                _image(reading),
                f"after {way.title}, it deletes nothing of {', '.join(at_once)} if the claims end before its "
                "first sync",
                "let it sync once before you delete an object",
            )


@rule("upgrade-reads-no-annotation", Severity.ERROR)
def upgrade_reads_no_annotation(reading: Reading) -> Iterator[Trap]:
    """Another release of ExternalDNS does not read annotations of before, and deletes their records."""
    for way in _ways(reading):
        for unread in way.leg.unread:
            yield Trap(
                _image(reading),
                f"{way.title} does not read {unread}",
                "set --annotation-prefix to the prefix of the manifests in the same change",
            )


@lru_cache(maxsize=1)
def _ways(reading: Reading) -> list[_Way]:
    """There and back, where an upgrade is asked for and all that it needs is known."""
    old, new = reading.release, reading.upgrade_to
    if new is None or not reading.zones or reading.emulated is None or without_address(reading):
        return []
    played = _played(reading)
    arguments = reading.emulated.arguments
    first = started(arguments, old)
    second = started(arguments, new, first.flags.policy)
    before = _trial(reading, RepeatedSyncs(objects(reading), reading.zones), first, old)
    cluster = RepeatedSyncs(objects(reading), reading.zones)
    ways = []
    for title, leg, own, release in (
        (f"the upgrade to ExternalDNS {new}", played.there, second, new),
        (f"the way back to ExternalDNS {old}", played.back, first, old),
    ):
        cluster.start(own.flags, release)
        cluster.first_syncs()
        ways.append(_Way(title, leg, before, _trial(reading, cluster, own, release)))
    return ways


def _trial(reading: Reading, cluster: RepeatedSyncs, own: Started, release: Release) -> AddressTrial:
    return try_other_addresses(objects(reading), cluster.zones(), own.flags, release)


@lru_cache(maxsize=1)
def _played(reading: Reading) -> Upgrade:
    assert reading.emulated
    assert reading.upgrade_to
    return upgrade(
        objects(reading), reading.zones, reading.emulated.arguments, reading.release, reading.upgrade_to
    )


def _image(reading: Reading) -> Location:
    assert reading.external_dns
    return reading.external_dns.image
