"""The schedules that seeds draw."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from testbed.faults import KNOWN, DnsSilent, Reach, Scheduled
from testbed.rehearsal.chaos_schedule import drawn, lines
from testbed.rehearsal.scenario import Scenario, Targets
from testbed.settings import CHAOS

SCENARIO = Scenario(
    play=lambda _: None, name="s", title="s", host="api.example.com", zone="example.com", folder=Path()
)
ALL = frozenset(Reach)


@given(st.integers())
@settings(max_examples=200)
def test_a_seed_draws_the_same_schedule_again_and_no_two_faults_at_once(seed: int) -> None:
    faults = drawn(SCENARIO, seed, ALL).faults
    assert faults == drawn(SCENARIO, seed, ALL).faults
    assert len(faults) == CHAOS.faults
    for earlier, later in pairwise(faults):
        assert earlier.lasts is not None
        assert earlier.start + earlier.lasts < later.start


def test_seeds_draw_every_fault_that_the_runtime_reaches_and_no_other() -> None:
    def names(reaches: frozenset[Reach]) -> set[str]:
        return {one.fault.name for seed in range(300) for one in drawn(SCENARIO, seed, reaches).faults}

    assert names(ALL) == set(KNOWN)
    assert names(ALL - {Reach.CUT_OFF}) == set(KNOWN) - {"target-cut-off"}


@pytest.mark.parametrize(
    ("changed", "absent"),
    [
        (replace(SCENARIO, targets=(Targets(name="web"),)), "target-killed"),
        (replace(SCENARIO, traffic="traffic.toml"), "backend-killed"),
        (replace(SCENARIO, external_dns=()), "external-dns-stopped"),
    ],
)
def test_what_the_run_has_not_is_not_struck(changed: Scenario, absent: str) -> None:
    struck = {one.fault.name for seed in range(300) for one in drawn(changed, seed, ALL).faults}
    assert absent not in struck
    assert "dns-silent" in struck


def test_the_edge_to_a_users_own_servers_is_not_struck() -> None:
    own = replace(SCENARIO, traffic="traffic.toml")
    texts = {one.fault.text for seed in range(300) for one in drawn(own, seed, ALL).faults}
    assert not [text for text in texts if "targets-backends" in text]
    assert [text for text in texts if "clients-nlb" in text]


def test_the_scenarios_own_faults_stay_and_each_has_a_line() -> None:
    own = replace(SCENARIO, faults=(Scheduled(DnsSilent(), at="1m30s", for_="45s"),))
    assert drawn(own, 1, ALL).faults[0] == own.faults[0]
    assert list(lines(own)) == ["at 1:30 for 45 s: dns-silent"]
