"""What a real ExternalDNS sent to Route 53, and what the emulation sends instead, as lines of text."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import orjson

from testbed.external_dns.offline.reached_sync import Outcome

SHOWN = 3
"""How many outcomes of the emulation are shown beside one that it does not reach."""


def agreement(real: Outcome) -> Iterator[str]:
    """Lines of a sync that both do alike."""
    if not real.batches and not real.failed:
        yield "    = both send nothing"
        return
    yield "    = both send"
    yield from _changes(real, "      ")


def difference(real: Outcome, emulated: Sequence[Outcome]) -> Iterator[str]:
    """Lines of a sync that the emulation does not reach in any order of the objects."""
    yield "    ! the real one sends"
    yield from _changes(real, "      ")
    for number, one in enumerate(emulated[:SHOWN], start=1):
        order = f" (order {number} of {len(emulated)})" if len(emulated) > 1 else ""
        yield f"    ! the emulation sends{order}"
        yield from _changes(one, "      ")


def _changes(outcome: Outcome, indent: str) -> Iterator[str]:
    for batch in outcome.batches:
        for change in batch.changes:
            refused = ", refused" if batch.refused else ""
            yield f"{indent}{_change(orjson.loads(change))}{refused}"
    if not outcome.batches:
        yield f"{indent}nothing"
    if outcome.failed:
        yield f"{indent}and the sync fails"


def _change(change: dict[str, Any]) -> str:
    alias = change.get("AliasTarget")
    if alias:
        checked = "" if alias.get("EvaluateTargetHealth") in (True, "true") else ", health not evaluated"
        target = f"alias {alias['DNSName']} in {alias['HostedZoneId']}{checked}"
    else:
        values = ", ".join(one["Value"] for one in change.get("ResourceRecords", ()))
        target = f"{values} (TTL {change.get('TTL')})"
    known = {"Action", "Name", "Type", "AliasTarget", "ResourceRecords", "TTL"}
    more = "".join(f" {key}={value}" for key, value in change.items() if key not in known)
    return f"{change['Action']} {change['Name']} {change['Type']} {target}{more}"
