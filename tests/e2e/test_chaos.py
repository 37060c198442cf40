"""Schedules of faults that seeds draw, and a judge that knows the targets' logs and the windows alone.

The judge reads neither the verdict nor how it is made. Of each request it says that it must have been lost
(its target ended it with an error, and nobody answered it again), that it cannot have been (a target answered
it whole, outside of every window), or nothing.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from math import inf
from pathlib import Path
from typing import Any

import pytest

from testbed.settings import CHAOS
from tests.e2e.test_adversary import FAIL, INCONCLUSIVE, PASS, PATIENCE, Judged, nothing, play

MARGIN = 1.0
"""Wall seconds around a window: connections that a fault has broken fail a little later."""
UNHARMFUL = (
    "change-batches-refused",
    "changes-pending",
    "changes-unfinished",
    "dns-stale",
    "dns-truncated",
    "elbv2-throttled",
    "external-dns-stopped",
    "lb-controller-stopped",
    "provisioning-stuck",
    "route53-slow",
    "route53-throttled",
)
"""What a scenario in which nothing moves does not notice."""
DELAYED = "DI"
"""Envoy's flag of a request that its fault filter has delayed, and then let pass."""
SCRIPT = Path(__file__).parent / "chaos" / "cutover.py"
SEEDS, TOGETHER = 30, 10
"""All seeds, and those that share a topology."""
FAILS = 4
"""A seed whose faults end targets under way, so that requests are lost."""

pytestmark = [pytest.mark.chaos, pytest.mark.timeout(2 * PATIENCE)]


@dataclass(frozen=True)
class Window:
    """A fault or a step in the journal, wall seconds."""

    name: str
    start: float
    end: float


def windows(events: Sequence[dict[str, Any]]) -> list[Window]:
    ends = {one["number"]: one["time"] for one in events if one["event"] == "fault_ended"}
    return [
        Window(one["name"], one["time"], ends[one["number"]])
        for one in events
        if one["event"] == "fault_started"
    ]


def steps_of(events: Sequence[dict[str, Any]]) -> dict[int, Window]:
    """The steps by their number; what is due between two steps belongs to the earlier one."""
    begun = [one for one in events if one["event"] == "step_started"]
    ends = [*(one["time"] for one in begun[1:]), inf]
    return {
        one["number"]: Window(one["title"], one["time"], end) for one, end in zip(begun, ends, strict=True)
    }


def is_whole(line: dict[str, Any]) -> bool:
    """True if the target says that it answered well."""
    flags = set((line["flags"] or "").split(",")) - {"", "-", DELAYED}
    return line["status"] < 400 and line["grpc_status"] in (None, "", "OK") and not flags


def judged(served: Sequence[dict[str, Any]], struck: Sequence[Window]) -> tuple[set[str], set[str]]:
    """The ids of requests that must have been lost, and of those that cannot have been."""
    lines = defaultdict(list)
    for line in served:
        lines[line["id"]].append(line)
    lost = {one for one, all_of_it in lines.items() if not any(map(is_whole, all_of_it))}

    def is_clear(line: dict[str, Any]) -> bool:
        start = float(line["time"]) - MARGIN
        end = float(line["time"]) + float(line["duration"]) / 1000 + MARGIN
        return all(end < one.start or start > one.end for one in struck)

    safe = {
        one
        for one, all_of_it in lines.items()
        if all(is_whole(line) and is_clear(line) for line in all_of_it)
    }
    return lost, safe


def test_the_judge_tells_what_must_and_what_cannot_be_lost() -> None:
    def line(name: str, time: float, status: int = 200) -> dict[str, Any]:
        return {"id": name, "time": time, "duration": 100, "status": status, "grpc_status": "", "flags": "-"}

    served = [
        line("a", 1),
        line("b", 10),
        line("c", 10, 503),
        line("d", 10, 503),
        line("d", 11),
        line("e", 20),
    ]
    assert judged(served, [Window("x", 9, 12)]) == ({"c"}, {"a", "e"})


@pytest.mark.parametrize(
    "seeds", [range(first, first + TOGETHER) for first in range(1, SEEDS + 1, TOGETHER)], ids=str
)
def test_what_the_verdict_counts_agrees_with_the_judge(
    tmp_path: Path, seeds: range, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Several seeds share a topology, a step for each: its start and its end cost more than a schedule."""
    monkeypatch.setenv("CHAOS_SEEDS", " ".join(map(str, seeds)))
    run: Judged = play(tmp_path, "seeds", nothing, script=SCRIPT)
    events = [json.loads(one) for one in (tmp_path / "journal.ndjson").read_text().splitlines()]
    struck = windows(events)
    assert len(struck) == CHAOS.faults * len(seeds), run.words
    requests = {one["id"]: one for one in events if one["event"] == "request"}
    lost = {name for name, one in requests.items() if one["outcome"] != "ok"}
    harmful = [one for one in struck if one.name not in UNHARMFUL]
    must, cannot = judged([one for one in run.served if one["id"] in requests], harmful)
    assert cannot, "no request was clear of all faults"
    assert must <= lost, run.words
    assert not cannot & lost, run.words
    steps = json.loads((tmp_path / "summary.json").read_text())["steps"]
    assert [one["title"] for one in steps[1:]] == [f"Seed {seed}" for seed in seeds]
    spans = steps_of(events)
    for step in steps[1:]:
        span = spans[step["number"]]
        within = {name for name, one in requests.items() if span.start <= one["intended"] < span.end}
        # The verdict is right about each seed, not only about the worst of them.
        assert step["requests"]["failed"] + step["requests"]["unknown"] == len(within & lost), run.words
        if all(one.name in UNHARMFUL for one in struck if span.start <= one.start < span.end):
            assert not within & lost, run.words
    assert run.code in (PASS, FAIL, INCONCLUSIVE), run.words
    if must:
        assert run.code == FAIL, run.words
    if run.code == PASS:
        assert not lost


def test_a_seed_of_the_command_line_is_printed_played_and_shrunk(tmp_path: Path) -> None:
    run = play(tmp_path, "nlb", nothing, "--chaos", str(FAILS))
    events = [json.loads(one) for one in (tmp_path / "journal.ndjson").read_text().splitlines()]
    assert f"chaos {FAILS}" in run.words
    struck = windows(events)
    assert len(struck) == CHAOS.faults, run.words
    assert all(one.name in run.words for one in struck), run.words
    assert run.code == FAIL, run.words
    *_, shortest = run.words.split("the shortest schedule that still fails:\n")
    lines = shortest.rstrip().splitlines()
    assert 1 <= len(lines) <= CHAOS.faults
    assert f"  fails: {'; '.join(line.strip() for line in lines)}" in run.words or len(lines) == CHAOS.faults
