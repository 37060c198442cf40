"""Whether the emulation can do what a real ExternalDNS did: one sync over the same objects and zones.

The real one walks maps, so it sees its objects in a random order. It is right if some order of the objects
sends its batches; at most `ORDERS` are tried.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson
from botocore.exceptions import BotoCoreError, ClientError

from testbed.aws.route53_names import stored_name
from testbed.clock import Clock
from testbed.dated_releases import Release
from testbed.external_dns.offline.hosted_zones_in_memory import HostedZones, InitialZone
from testbed.external_dns.offline.replay import Objects
from testbed.external_dns.process.flags import Flags
from testbed.external_dns.process.object_order import of_any_kind
from testbed.external_dns.process.sync_loop import Controller
from testbed.external_dns.provider.aws_provider import ProviderError
from testbed.external_dns.sources.source import SourceError

ORDERS = 120
Change = Mapping[str, Any]


@dataclass(frozen=True, slots=True, order=True)
class SentBatch:
    """A call of ChangeResourceRecordSets, in a form in which equal calls are equal.

    Attributes:
        changes: each as JSON with its keys in order, without an order of their own: maps are walked for it.
        refused: True if Route 53 refused it.
    """

    changes: tuple[str, ...]
    refused: bool = False


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a sync did: its batches without their order, and whether it failed."""

    batches: tuple[SentBatch, ...]
    failed: bool = False


@dataclass(frozen=True, slots=True)
class State:
    """What a sync reads.

    Attributes:
        objects: of the kinds that sources read.
        zones: of the account, with their records.
    """

    objects: tuple[Mapping[str, Any], ...]
    zones: tuple[InitialZone, ...]


def outcome(batches: Iterable[tuple[Sequence[Change], bool]], *, failed: bool) -> Outcome:
    """Return the outcome of batches, each with its changes and whether it was refused."""
    sent = (SentBatch(tuple(sorted(map(_form, changes))), refused) for changes, refused in batches)
    return Outcome(tuple(sorted(sent)), failed)


def reached(state: State, flags: Flags, release: Release, wanted: Outcome) -> tuple[Outcome, ...]:
    """Return the outcomes of the emulation in different orders of the objects, up to the wanted one.

    The last is the wanted one if some order reaches it.
    """
    found: dict[Outcome, None] = {}
    for seed in range(ORDERS):
        one = _sync(state, flags, release, seed)
        found.pop(one, None)
        found[one] = None
        if one == wanted:
            break
    return tuple(found)


def _sync(state: State, flags: Flags, release: Release, seed: int) -> Outcome:
    objects = Objects()
    for item in state.objects:
        objects.apply(item)
    zones = HostedZones(state.zones)
    controller = Controller(
        objects,
        zones,  # type: ignore[arg-type]
        flags,
        release,
        Clock(),
        lambda _: None,
        seed,
        of_any_kind,
    )
    failed = False
    try:
        controller.run_once()
    except (ProviderError, SourceError, ClientError, BotoCoreError):
        failed = True
    return outcome(((one.changes, bool(one.code)) for one in zones.batches), failed=failed)


def _form(change: Change) -> str:
    record = dict(change["ResourceRecordSet"])
    record["Name"] = stored_name(record["Name"])
    for number in ("TTL", "Weight"):
        if number in record:
            record[number] = int(record[number])
    if alias := record.get("AliasTarget"):
        record["AliasTarget"] = {**alias, "DNSName": stored_name(alias["DNSName"])}
    if not record.get("ResourceRecords"):
        record.pop("ResourceRecords", None)
    whole = {"Action": change["Action"], **record}
    return orjson.dumps(whole, option=orjson.OPT_SORT_KEYS).decode()
