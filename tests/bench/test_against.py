"""Two builds measured in turns."""

from __future__ import annotations

from contextlib import nullcontext
from pathlib import Path

import pytest

from testbed.bench import against
from testbed.bench.against import Pairs
from testbed.bench.builds import THIS, Build
from testbed.bench.command_runs import Figures, Played
from testbed.errors import Missing

OTHER = Build("abc1234", Path("python"), Path("/other"))


def test_the_builds_take_turns() -> None:
    measured: list[str] = []

    def measure(build: Build) -> float:
        measured.append(build.name)
        return float(len(measured))

    pairs = against.in_turns(measure, OTHER, 3)
    assert measured == [THIS.name, OTHER.name] * 3
    assert pairs == Pairs((1.0, 3.0, 5.0), (2.0, 4.0, 6.0))


def test_a_ratio_has_the_spread_of_its_pairs() -> None:
    row = Pairs((1.0, 2.0, 3.0), (2.0, 2.0, 2.0)).row("the start", "s", at_most=0.5)
    assert row.measured == "1.00 (0.50 to 1.50; 2 and 2 s)"
    assert row.bound == "≤ 0.5"
    assert row.met is False
    assert Pairs((5.0,), (2.0,)).row("rate", "req/s", at_least=2.5).met is True


def held_up_to(limits: dict[str, float], monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, float]]:
    played: list[tuple[str, float]] = []

    def play(scenario: str, rate: float, build: Build) -> Played:
        assert scenario == "/other/scenarios/zozomat"
        played.append((build.name, rate))
        lost = int(rate > limits[build.name])
        return Played(0, 1.0, 1.0, 1.0, {}, 1.0, Figures(100, lost, (0.0,), 1.0, 1.0))

    monkeypatch.setattr(against, "play", play)
    monkeypatch.setattr(against, "pinned", lambda story: nullcontext(str(story)))
    return played


def test_both_builds_are_searched_in_turns_by_the_same_bisection(monkeypatch: pytest.MonkeyPatch) -> None:
    played = held_up_to({THIS.name: 2_000.0, OTHER.name: 600.0}, monkeypatch)
    (row,) = against.load_rows(OTHER)
    assert row.met is True
    assert played[:4] == [(THIS.name, 500.0), (OTHER.name, 500.0), (THIS.name, 1000.0), (OTHER.name, 1000.0)]


def test_a_build_that_holds_no_rate_gives_no_ratio(monkeypatch: pytest.MonkeyPatch) -> None:
    held_up_to({THIS.name: 600.0, OTHER.name: 0.0}, monkeypatch)
    (row,) = against.load_rows(OTHER)
    assert row.met is None
    assert "abc1234 held none" in row.measured


def test_what_cannot_be_measured_is_a_row_with_its_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise Missing("no Envoy")

    monkeypatch.setattr(against, "play", fail)
    monkeypatch.setattr(against, "pinned", lambda story: nullcontext(str(story)))
    monkeypatch.setattr(against, "_planned", fail)
    assert [row.measured for row in against.rows(OTHER)] == ["could not be measured: no Envoy"] * 4
