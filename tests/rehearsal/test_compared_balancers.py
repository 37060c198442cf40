"""The moments of a story without traffic, and what there is of ELBv2 then."""

from __future__ import annotations

from typing import Any

import pytest

from testbed.options import Options
from testbed.rehearsal import balancer_model, compared_balancers, unattended
from testbed.rehearsal.balancer_model import Model
from testbed.rehearsal.compared_balancers import Moment, differences
from testbed.rehearsal.cutover import Cutover
from testbed.settings import Patience
from tests.rehearsal.still_topology import StillTopology

ONE: Model = {"a load balancer": {"Scheme": "internal"}}
TWO: Model = {"a load balancer": {"Scheme": "internet-facing"}}


@pytest.fixture
def played(still_topology: StillTopology, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Plays two acts on a topology on which nothing runs; `models` are what is read, one after another."""
    monkeypatch.setattr(unattended, "PATIENCE", Patience(settled=0.01))
    still_topology.finish = lambda: None  # type: ignore[attr-defined]

    def story(cutover: Cutover) -> None:
        with cutover.step("one", why="w"):
            cutover._act("apply a")
            cutover.hold(60)
            cutover._act("apply b")
            cutover.hold(60)

    def play(models: list[Model], *more: Any) -> list[Moment]:
        monkeypatch.setattr(
            balancer_model, "read", lambda *_: models.pop(0) if len(models) > 1 else models[0]
        )
        cutover = still_topology.cutover()
        scenario = cutover.scenario.__class__(
            play=story,
            name="s",
            title="s",
            host="a.example.com",
            zone="example.com",
            folder=still_topology.folder,
        )
        return list(compared_balancers.played(scenario, still_topology, Options(), *more).moments)  # type: ignore[arg-type]

    return play


def test_each_moment_has_its_acts_and_its_model(played: Any) -> None:
    assert played([ONE, TWO]) == [Moment(1, ("apply a",), ONE), Moment(1, ("apply b",), TWO)]


def test_a_controller_of_its_own_time_is_read_until_it_has_caught_up(played: Any) -> None:
    wanted = [TWO, TWO]
    found = played([ONE, ONE, TWO], lambda number, model: model == wanted[number])
    assert [moment.model for moment in found] == [TWO, TWO]


def test_one_that_never_catches_up_is_shown_as_it_is(played: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compared_balancers, "PATIENCE", Patience(condition=0.05, command_look=0.01))
    found = played([ONE], lambda _number, model: model == TWO)
    expected = [Moment(1, ("apply a",), TWO), Moment(1, ("apply b",), ONE)]
    first, second = differences(expected, found, ("the emulation", "./controller"))
    assert first == [
        "a load balancer: Scheme is internet-facing with the emulation, internal with ./controller"
    ]
    assert second == []
