"""Whose turn it is."""

from __future__ import annotations

from testbed.traffic import turns
from testbed.traffic.turns import Turns


def test_clients_take_turns():
    made: Turns[str] = Turns()
    for name in ("a", "b", "c"):
        made.add(name)
    assert [made.next() for _ in range(6)] == ["a", "b", "c", "a", "b", "c"]


def test_a_client_takes_turns_from_its_start_on(monkeypatch):
    now = 100.0
    monkeypatch.setattr(turns.time, "monotonic", lambda: now)
    made: Turns[str] = Turns()
    made.add("late", 5.0)
    made.add("early", 0.0)
    assert [made.next() for _ in range(2)] == ["early", "early"]
    now = 105.0
    assert {made.next() for _ in range(2)} == {"early", "late"}


def test_the_first_client_starts_with_the_first_request_however_late_it_is():
    made: Turns[str] = Turns()
    made.add("only", 1e9)
    assert made.next() == "only"


def test_a_client_with_a_pace_takes_its_turns_and_the_others_share_the_rest(monkeypatch):
    now = 100.0
    monkeypatch.setattr(turns.time, "monotonic", lambda: now)
    made: Turns[str] = Turns()
    for name in ("a", "b"):
        made.add(name)
    made.add("slow", every=10.0)
    taken = []
    for _ in range(100):
        taken.append(made.next())
        now += 1.0
    assert taken.count("slow") in (9, 10)
    assert abs(taken.count("a") - taken.count("b")) <= 1


def test_a_paced_client_does_not_make_up_for_what_it_missed_in_a_stall(monkeypatch):
    now = 100.0
    monkeypatch.setattr(turns.time, "monotonic", lambda: now)
    made: Turns[str] = Turns()
    made.add("busy")
    made.add("slow", every=10.0)
    made.next()
    now += 100.0
    assert [made.next() for _ in range(4)].count("slow") <= 2
