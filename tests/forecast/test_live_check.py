from __future__ import annotations

import dataclasses

from testbed import journal
from testbed.forecast.live_check import LiveCheck, Played, as_json, live_check, live_checks
from testbed.verdict.drains import ClientConnection
from testbed.verdict.verdict import compute
from tests.made_journals import Story

SPEED = 60.0


def played(age: float | None = 300.0, **resolvers: str) -> Played:
    clients = [
        journal.Clients(
            time=0.0,
            model=model.replace("_", "-"),
            count=300,
            protocol="",
            resolver=resolver,
            looks_up="",
            follows=False,
            source="",
        )
        for model, resolver in resolvers.items()
    ]
    return Played(clients, age, SPEED, (1.0, 1.0))


HAD = played(grpcio="direct", python_requests="direct")


def connection(
    age: float, lasts: float, *, client: str = "grpcio-1", balancer: str = "nlb"
) -> ClientConnection:
    """A connection of so many production seconds when the alias moves at 0, and so many after it."""
    return ClientConnection(balancer, client, -age / SPEED, lasts / SPEED, "aged")


def aged(number: int, *, late: float = 5.0) -> list[ClientConnection]:
    """Connections of all ages up to 300 s, each ending at its age and so many seconds."""
    ages = [300.0 * at / number for at in range(number)]
    return [connection(age, 300.0 - age + late) for age in ages]


def check(spans: list[ClientConnection], had: Played = HAD) -> LiveCheck:
    return live_check("nlb", 0.0, 600.0 / SPEED, spans, had)


def test_a_drain_that_goes_as_the_models_say_holds_at_each_minute() -> None:
    found = check(aged(300))
    assert found.connections == 300
    assert [one.minute for one in found.minutes] == list(range(11))
    assert found.holds
    assert found.largest_difference <= 0.01
    assert found.sentence.startswith("The forecast of the drain of the NLB held within")


def test_connections_that_stay_longer_are_a_miss_that_names_the_minute() -> None:
    found = check(aged(300, late=120.0))
    assert found.holds is False
    assert found.worst is not None
    assert "missed by" in found.sentence
    assert f"minute {found.worst.minute}" in found.sentence


def test_connections_that_leave_early_are_a_miss_too() -> None:
    assert check(aged(300, late=-100.0)).holds is False


def test_fewer_than_two_hundred_cannot_be_checked() -> None:
    found = check(aged(199))
    assert found.holds is None
    assert found.sentence == (
        "The forecast of the drain of the NLB cannot be checked: "
        "of fewer than 200 connections (199 here) one counts for too much"
    )
    assert check([]).holds is None


def test_clients_that_never_leave_are_forecast_to_stay() -> None:
    had = played(None, python_requests="direct")
    spans = [ClientConnection("nlb", f"python-requests-{at}", -1.0, None, "") for at in range(250)]
    assert check(spans, had).largest_difference == 0
    gone = [connection(60.0, 30.0, client=f"python-requests-{at}") for at in range(250)]
    assert check(gone, had).holds is False


def test_connections_of_other_balancers_do_not_count_and_new_ones_on_the_old_do() -> None:
    there = aged(300)
    others = [connection(10.0, 500.0, balancer="alb") for _ in range(100)]
    back = [ClientConnection("nlb", "grpcio-2", 300.0 / SPEED, None, "") for _ in range(90)]
    assert check([*there, *others]).holds
    assert check([*there, *back]).holds is False


def test_a_model_whose_name_ends_in_a_number_is_told_from_its_instances() -> None:
    had = played(java_http1="direct", boto3="direct")
    spans = [connection(10.0, 295.0, client=f"boto3-{at}") for at in range(250)]
    assert check(spans, had).holds


def test_grpc_clients_between_two_connections_come_to_the_old_balancer_yet() -> None:
    there = [connection(10.0, 295.0, client="grpcio") for _ in range(220)]
    # 80 of the 300 have looked up; they take turns, each 70 s, so they connect within the next 50.
    anew = [connection(-gap, gap + 305.0, client="grpcio") for gap in (at * 50 / 80 for at in range(80))]
    had = dataclasses.replace(HAD, every=(70.0, 1.0))
    assert check([*there, *anew], had).holds
    assert check(there, had).holds is False


def test_clients_of_one_model_may_have_resolvers_of_their_own() -> None:
    two = played(grpcio="direct").clients
    other = dataclasses.replace(two[0], resolver="forever", count=10)
    had = Played([*two, other], 300.0, SPEED, (1.0, 1.0))
    seen = [had.part_of(name) for name in ("grpcio-0", "grpcio-299", "grpcio-300", "grpcio", "app-1")]
    assert [one and one.resolver for one in seen] == ["direct", "direct", "forever", "direct", None]


def test_the_journal_of_a_run_is_checked_drain_by_drain() -> None:
    verdict = compute(Story(rate=20.0).events())
    assert live_checks(verdict.history, verdict.tally, verdict.movements.moves) == ()
    verdict.history.clients.extend(played(app="direct").clients)
    found = live_checks(verdict.history, verdict.tally, verdict.movements.moves)
    assert {one.origin for one in found} == {"nlb"}
    document = as_json(found)
    assert [one["checked"] for one in document["drains"]] == [False] * len(found)


def test_clients_with_a_pace_of_their_own_are_left_out_of_the_pace_of_the_others() -> None:
    verdict = compute(Story(rate=20.0).events())

    def every(*paced: float) -> tuple[float, float]:
        verdict.history.clients[:] = [
            dataclasses.replace(HAD.clients[0], protocol="grpc", count=10, requests_every=one)
            for one in (0.0, *paced)
        ]
        had = Played.of(verdict.history, verdict.tally)
        assert had
        part = had.part_of("grpcio-15")
        assert part
        return had.every[0], had.every_of(part)

    alone, _ = every()
    busy, slow = every(3600.0)
    assert slow == 3600.0
    assert alone < busy < 2 * alone
