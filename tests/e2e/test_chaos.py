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
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.test_adversary import FAIL, INCONCLUSIVE, PASS, PATIENCE, Judged, nothing, play

MARGIN = 1.0
"""Wall seconds around a window: connections that a fault has broken fail a little later."""
UNHARMFUL = ("dns-truncated", "elbv2-throttled", "provisioning-stuck")
"""What a scenario in which nothing moves does not notice."""

pytestmark = [pytest.mark.chaos, pytest.mark.timeout(2 * PATIENCE)]


@dataclass(frozen=True)
class Window:
    """A fault in the journal, wall seconds."""

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


def is_whole(line: dict[str, Any]) -> bool:
    """True if the target says that it answered well."""
    return (
        line["status"] < 400 and line["grpc_status"] in (None, "", "OK") and line["flags"] in (None, "", "-")
    )


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


@pytest.mark.parametrize("seed", [1, 2, 3, 4])
def test_the_verdict_agrees_with_the_judge(tmp_path: Path, seed: int) -> None:
    run: Judged = play(tmp_path, "nlb", nothing, "--chaos", str(seed))
    events = [json.loads(one) for one in (tmp_path / "journal.ndjson").read_text().splitlines()]
    struck = windows(events)
    assert f"chaos {seed}" in run.words
    assert [one.name for one in struck], run.words
    outcomes = {one["id"]: one["outcome"] for one in events if one["event"] == "request"}
    lost = {one for one, outcome in outcomes.items() if outcome != "ok"}
    must, cannot = judged([one for one in run.served if one["id"] in outcomes], struck)
    assert cannot, "no request was clear of all faults"
    assert must <= lost, run.words
    assert not cannot & lost, run.words
    assert run.code in (PASS, FAIL, INCONCLUSIVE), run.words
    if must:
        assert run.code == FAIL, run.words
    if run.code == PASS:
        assert not lost
    if all(one.name in UNHARMFUL for one in struck):
        assert run.code == PASS, run.words
