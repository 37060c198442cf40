"""Played histories and comparisons of versions, as text and as JSON."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import groupby
from typing import Any

from testbed.external_dns.offline.record_text import batch, counted, record
from testbed.external_dns.offline.replay import Step, Sync, rejection, shown_sync
from testbed.external_dns.offline.sync_text import by_name, is_foreign, why
from testbed.external_dns.offline.version_comparison import Comparison, Parting
from testbed.printing import wrapped

Scenario = Mapping[str, Any]


def history(scenario: Scenario, steps: Iterable[Step]) -> Iterator[str]:
    """Yield a history in lines: what each sync of each step sends and why, and the records at the end."""
    yield title(scenario)
    zone: Sequence[Mapping[str, Any]] = ()
    before: set[str] = set()
    release: Any = None
    for scripted, step in zip(scenario["steps"], steps, strict=True):
        named = scripted.get("release")
        if named != release:
            yield f"  ExternalDNS {named} from here on"
        release = named
        yield from wrapped(_label(scripted), 2, 4)
        number, printed = 1, set[str]()
        for _, same in groupby(step.syncs, key=lambda sync: (str(sync.batches), sync.error)):
            syncs = list(same)
            last = number + len(syncs) - 1
            yield from _sync(f"sync {number}" if last == number else f"syncs {number} to {last}", syncs[0])
            number = last + 1
            for reason in dict.fromkeys(reason for sync in syncs for reason in _reasons(sync)):
                if reason not in printed and reason not in before:
                    yield reason
                printed.add(reason)
        before, zone = printed, step.hosted_zone
    yield "  records at the end, without TXTs"
    seen = [" ".join(record(one)) for one in zone if one["Type"] != "TXT"]
    for text in seen or ["none"]:
        yield from wrapped(text, 4, 6)


def title(scenario: Scenario) -> str:
    """Return id and name of a history."""
    return f"{scenario.get('id', '')} {scenario.get('name', '')}".strip() or "(without a name)"


def _label(step: Scenario) -> str:
    return str(step.get("label") or "(without a label)")


def _reasons(sync: Sync) -> list[str]:
    """Return a paragraph for each record and claim."""
    decisions = [one for one in sync.decisions if not is_foreign(one)]
    return ["\n".join(why(one, 6)) for one in by_name(decisions)]


def _sync(name: str, sync: Sync) -> Iterator[str]:
    if not sync.batches:
        yield f"    {name}: nothing is sent"
    for sent in sync.batches:
        yield f"    {name}: {counted(sent.changes)}"
        yield from batch(sent.changes, rejection(sent), 6)
    if sync.error:
        yield from wrapped(f"error: {sync.error}", 6, 8)


def comparison(found: Comparison, first: str, second: str) -> Iterator[str]:
    """Yield the steps where two versions part, in lines."""
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
        yield "    the same records again from here on"
    for version, only in ((first, parting.first), (second, parting.second)):
        for text in only:
            yield from wrapped(f"only {version}: {text}", 4, 6)


def comparison_form(found: Comparison, first: str, second: str) -> dict[str, Any]:
    """Return the steps where two versions part, as JSON."""
    return {
        "id": found.id,
        "name": found.name,
        "partings": [
            {"step": one.number, "label": one.label, first: list(one.first), second: list(one.second)}
            for one in found.partings
        ],
        "upgrade": shown_sync(found.upgrade),
    }
