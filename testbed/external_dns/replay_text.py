"""Histories that were played, and comparisons of versions, as text and as JSON."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import groupby
from typing import Any

from testbed.external_dns.compare import Comparison, Parting
from testbed.external_dns.plan_text import grouped, is_foreign, why
from testbed.external_dns.record_text import batch, counted, record, wrapped
from testbed.external_dns.replay import Step, Sync, shown_sync

Scenario = Mapping[str, Any]


def history(scenario: Scenario, steps: Iterable[Step]) -> Iterator[str]:
    """A history in lines: what each sync of each step sent and why, and the records at the end."""
    yield title(scenario)
    zone: Sequence[Mapping[str, Any]] = ()
    before: set[str] = set()
    for given, step in zip(scenario["steps"], steps, strict=True):
        yield from wrapped(_label(given), 2, 4)
        number, told = 1, set[str]()
        for _, same in groupby(step.syncs, key=lambda sync: (str(sync.batches), sync.error)):
            syncs = list(same)
            last = number + len(syncs) - 1
            yield from _sync(f"sync {number}" if last == number else f"syncs {number} to {last}", syncs[0])
            number = last + 1
            for reason in dict.fromkeys(reason for sync in syncs for reason in _reasons(sync)):
                if reason not in told and reason not in before:
                    yield reason
                told.add(reason)
        before, zone = told, step.hosted_zone
    yield "  records at the end, but for TXTs"
    seen = [" ".join(record(one)) for one in zone if one["Type"] != "TXT"]
    for text in seen or ["none"]:
        yield from wrapped(text, 4, 6)


def title(scenario: Scenario) -> str:
    """Id and name."""
    return f"{scenario.get('id', '')} {scenario.get('name', '')}".strip() or "(without a name)"


def _label(step: Scenario) -> str:
    return str(step.get("label") or "(without a label)")


def _reasons(sync: Sync) -> list[str]:
    """A paragraph for each record and claim."""
    decisions = [one for one in sync.decisions if not is_foreign(one)]
    return ["\n".join(why(group, 6)) for group in grouped(decisions)]


def _sync(name: str, sync: Sync) -> Iterator[str]:
    if not sync.batches:
        yield f"    {name}: nothing is sent"
    for changes, refusal in sync.batches:
        yield f"    {name}: {counted(changes)}"
        yield from batch(changes, refusal, 6)
    if sync.error:
        yield from wrapped(f"error: {sync.error}", 6, 8)


def comparison(found: Comparison, first: str, second: str) -> Iterator[str]:
    """Where two versions part, in lines."""
    yield f"{found.id} {found.name}".strip() or "(without a name)"
    if not found.partings:
        yield f"  {first} and {second}: the same records after every step"
    for parting in found.partings:
        yield from wrapped(f"step {parting.number}, {parting.label or '(without a label)'}", 2, 4)
        yield from _parting(parting, first, second)
    yield f"  upgrade: {second} over what {first} left"
    yield from _sync("first sync", found.upgrade)


def _parting(parting: Parting, first: str, second: str) -> Iterator[str]:
    if not parting.first and not parting.second:
        yield "    from here on the same records again"
    for version, only in ((first, parting.first), (second, parting.second)):
        for text in only:
            yield from wrapped(f"only {version}: {text}", 4, 6)


def comparison_form(found: Comparison, first: str, second: str) -> dict[str, Any]:
    """Where two versions part, as JSON."""
    return {
        "id": found.id,
        "name": found.name,
        "partings": [
            {"step": one.number, "label": one.label, first: list(one.first), second: list(one.second)}
            for one in found.partings
        ],
        "upgrade": shown_sync(found.upgrade),
    }
