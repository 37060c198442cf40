"""The comparison of two versions over one history: what would my upgrade do?

It compares what resolvers see: the records without TXTs, whose names differ between versions anyway, and the
errors. It adds what the second version would send at once over the zone that the first version leaves.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from testbed.dated_releases import Release
from testbed.external_dns.offline.record_text import record
from testbed.external_dns.offline.replay import Play, Step, Sync


@dataclass(frozen=True, slots=True)
class Parting:
    """A step after which the difference changes; both sides are empty where it ends.

    Attributes:
        number: of the step, from 1.
        first, second: records (name, type and content) and errors that only this version has.
    """

    number: int
    label: str
    first: tuple[str, ...]
    second: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Comparison:
    """A history under two versions.

    Attributes:
        partings: where the difference changes; empty if there never is one.
        upgrade: a sync of the second version over what the first version left.
    """

    id: str
    name: str
    partings: tuple[Parting, ...]
    upgrade: Sync


def compare(scenario: Mapping[str, Any], first: Release, second: Release, seed: int = 0) -> Comparison:
    """Play a history under both versions, with the same order of the objects.

    Raises:
        BadInput: one of the versions does not have the flags that the config of the history stands for.
    """
    # A step may name a release of its own; here each of the two plays the whole history.
    steps = [{key: value for key, value in step.items() if key != "release"} for step in scenario["steps"]]
    scenario = {**scenario, "steps": steps}
    old, new = Play(scenario, first, seed), Play(scenario, second, seed)
    partings: list[Parting] = []
    before: tuple[tuple[str, ...], tuple[str, ...]] = ((), ())
    pairs = zip(scenario["steps"], old.steps(), new.steps(), strict=True)
    for number, (step, one, other) in enumerate(pairs, 1):
        seen_old, seen_new = _seen(one), _seen(other)
        difference = tuple(sorted(seen_old - seen_new)), tuple(sorted(seen_new - seen_old))
        if difference != before:
            partings.append(Parting(number, str(step.get("label", "")), *difference))
            before = difference
    identity, name = str(scenario.get("id", "")), str(scenario.get("name", ""))
    return Comparison(identity, name, tuple(partings), old.upgrade(second))


def _seen(step: Step) -> set[str]:
    records = {" ".join(record(one)) for one in step.hosted_zone if one["Type"] != "TXT"}
    return records | {f"error: {sync.error}" for sync in step.syncs if sync.error}
