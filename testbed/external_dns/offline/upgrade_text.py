"""An upgrade and the way back as text and as JSON."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import asdict
from itertools import groupby
from typing import Any

from testbed.external_dns.core.known_deaths import known_deaths
from testbed.external_dns.offline import sync_json
from testbed.external_dns.offline.record_text import batch, counted, heading
from testbed.external_dns.offline.repeated_syncs import Sync
from testbed.external_dns.offline.sync_text import families, listed, why, without_address
from testbed.external_dns.offline.upgrade import Leg, Upgrade
from testbed.external_dns.offline.zone_file import ZoneFile
from testbed.printing import wrapped

_CHANCE = (
    "Equal claims hide each other, and ExternalDNS sees them in a random order at each sync: another order "
    "may lead elsewhere."
)

_DELETED_FOR_WANT = "A record of theirs that is deleted below may be deleted for that reason alone."


def render(
    of: Upgrade, zones: Iterable[ZoneFile], arguments: Iterable[str], origins: Iterable[str] = ()
) -> str:
    """Return the upgrade as lines of text; `origins` say where the flags and the zones come from."""
    old, new = of.before.release, of.there.release
    lines = [heading(f"{old} to {new}, and back", tuple(arguments))]
    lines += [line for text in origins for line in wrapped(text)]
    lines += listed(zones)
    if careful := without_address([*of.before.missing, *of.there.missing]):
        lines += [*careful, *wrapped(_DELETED_FOR_WANT)]
    for title, leg in (
        (f"Without an upgrade: {old} over the zone as it is", of.before),
        (f"The upgrade: {new} over the zone as it is", of.there),
        (f"The way back: {old} over what {new} leaves", of.back),
    ):
        lines += ["", title, *_leg(leg)]
    return "\n".join(lines) + "\n"


def _leg(leg: Leg) -> Iterator[str]:
    for text in leg.refusals:
        yield from wrapped(text, 2, 4)
    for death in known_deaths(leg.release):
        yield from wrapped(f"{death.what}; {death.do}", 2, 4)
    if leg.defaults:
        yield "  flags that now mean something else"
        for text in leg.defaults:
            yield from wrapped(text, 4, 6)
    for text in leg.unread:
        yield from wrapped(f"no longer read: {text}", 2, 4)
    yield from _syncs(leg)
    if leg.by_chance:
        yield from wrapped(_CHANCE, 2, 4)
    yield from (f"  {line}" for line in families(leg.parted)[1:])
    if leg.frozen:
        yield "  not its own, so neither moved nor deleted"
        for one in leg.frozen:
            yield from why(one, 4)
    if set(leg.undeletable_at_once) - set(leg.undeletable):
        yield from wrapped(
            "If the claims end before its first sync, it deletes nothing of "
            f"{', '.join(leg.undeletable_at_once)}: let it sync once before you delete an object.",
            2,
            4,
        )
    if leg.undeletable:
        yield from wrapped(
            f"It can no longer delete, when the claims end: {', '.join(leg.undeletable)}. No TXT that it "
            "reads says that they are its own.",
            2,
            4,
        )


def _syncs(leg: Leg) -> Iterator[str]:
    number = 1
    for _, same in groupby(leg.syncs, key=lambda sync: (str(sync.batches), sync.error)):
        syncs = list(same)
        last = number + len(syncs) - 1
        named = f"sync {number}" if last == number else f"syncs {number} to {last}"
        yield from _sync(named, syncs[0])
        number = last + 1
    if leg.repeats:
        yield from wrapped(
            f"and so on: {counted(leg.syncs[-1].batches[0].changes)} again at every sync", 2, 4
        )


def _sync(name: str, sync: Sync) -> Iterator[str]:
    if not sync.batches:
        yield f"  {name}: nothing is sent"
    for sent in sync.batches:
        yield f"  {name}, to {sent.zone}: {counted(sent.changes)}"
        yield from batch(sent.changes, sent.refusal, 4)


def document(of: Upgrade, arguments: Iterable[str]) -> dict[str, Any]:
    """Return the upgrade as JSON."""
    return {
        "from": str(of.before.release),
        "to": str(of.there.release),
        "flags": list(arguments),
        "before": _form(of.before),
        "upgrade": _form(of.there),
        "back": _form(of.back),
    }


def _form(leg: Leg) -> dict[str, Any]:
    return {
        "release": str(leg.release),
        "known_deaths": [death.what for death in known_deaths(leg.release)],
        "refused_flags": list(leg.refusals),
        "changed_defaults": list(leg.defaults),
        "no_longer_read": list(leg.unread),
        "syncs": [
            {"batches": [sync_json.batch(one) for one in sync.batches], "error": sync.error}
            for sync in leg.syncs
        ],
        "repeats": leg.repeats,
        "by_chance": leg.by_chance,
        "not_claiming": [sync_json.decision(one) for one in leg.missing],
        "two_balancers": [asdict(one) for one in leg.parted],
        "frozen": [sync_json.decision(one) for one in leg.frozen],
        "undeletable": list(leg.undeletable),
        "undeletable_at_once": list(leg.undeletable_at_once),
    }
