"""When the alias moved, when the traffic followed, and when the NLB may go."""

from __future__ import annotations

import dataclasses
from types import ModuleType

import pytest

from testbed import journal
from testbed.journal import Event
from testbed.verdict.ending_causes import UNKNOWN_CAUSE
from testbed.verdict.moment import Moment, MomentKind
from testbed.verdict.moments import Movements
from testbed.verdict.verdict import compute


@pytest.fixture(scope="module")
def events(made: ModuleType) -> list[Event]:
    found: list[Event] = made.Story(rate=20.0).events()
    return found


def moment(movements: Movements, kind: MomentKind) -> Moment:
    return next(one for one in movements.moments if one.kind is kind)


def test_each_direction_of_the_story_is_a_move(events: list[Event], made: ModuleType) -> None:
    moves = compute(events).movements.moves
    assert [(move.title, move.origin, move.to) for move in moves] == [
        ("Forward", "nlb", "alb"),
        ("Rollback", "alb", "nlb"),
        ("Forward again", "nlb", "alb"),
    ]
    assert [move.time for move in moves] == [made.Story().moved(step) for step in (4, 5, 6)]


def test_the_gap_runs_from_the_annotation_to_the_first_request_on_the_alb(
    events: list[Event], made: ModuleType
) -> None:
    forward = compute(events).movements.moves[0]
    assert forward.action
    assert forward.action.text.endswith("hostname-")
    first = min(
        event.sent
        for event in events
        if isinstance(event, journal.Request) and event.peer in made.ADDRESSES["alb"]
    )
    assert forward.first_on_new == first
    assert forward.gap == pytest.approx(first - forward.action.time)


def test_the_drain_falls_to_nought_and_says_what_ended_the_connections(events: list[Event]) -> None:
    for move in compute(events).movements.moves:
        grpc = move.drains[0]
        assert (grpc.protocol, grpc.counts, grpc.began_with, grpc.left) == ("grpc", "connections", 6, 0)
        assert set(grpc.ended) == {"GOAWAY: maximum connection age"}
        assert grpc.empty_at
        assert move.time < grpc.empty_at <= move.until


def test_connections_are_grpc_by_the_kind_of_their_client(events: list[Event]) -> None:
    nameless = [
        dataclasses.replace(event, client="app", reason="", address=event.address.split(":")[0])
        if isinstance(event, journal.Connection) and event.client.startswith("app")
        else event
        for event in events
    ]
    grpc, rest = compute(nameless).movements.moves[0].drains
    assert (grpc.protocol, grpc.began_with, grpc.left) == ("grpc", 6, 0)
    assert (rest.protocol, rest.began_with, rest.left) == ("rest", 3, 0)
    assert set(grpc.ended) == {UNKNOWN_CAUSE}


def test_the_age_at_which_connections_end_is_reported(events: list[Event], made: ModuleType) -> None:
    ages = compute(events).movements.moves[0].drains[0].ages
    assert ages
    assert made.AGES[0] <= ages[0] <= ages[1] <= made.AGES[1] + 1


def test_without_word_of_connections_the_clients_are_counted(made: ModuleType) -> None:
    movements = compute(made.Story(rate=20.0, tells_connections=False).events()).movements
    drain = movements.moves[0].drains[0]
    assert (drain.protocol, drain.counts, drain.left) == ("grpc", "clients", 0)
    assert drain.began_with > 0
    assert movements.counts == "clients"


def test_connections_that_stay_are_left(made: ModuleType) -> None:
    made_events = made.Story(rate=20.0, steps=4).events()
    kept = [
        event
        for event in made_events
        if not (isinstance(event, journal.Connection) and event.state == "closed" and event.client == "app-0")
    ]
    movements = compute(kept).movements
    assert movements.moves[0].drains[0].left > 0
    gone = moment(movements, MomentKind.MAY_GO)
    assert gone.time is None
    assert "connections are still open on it" in gone.text


def test_connections_that_the_clients_close_at_the_end_have_stayed(made: ModuleType) -> None:
    events = [
        dataclasses.replace(event, reason=journal.CLIENTS_STOPPED)
        if isinstance(event, journal.Connection) and event.state == "closed" and event.client == "app-0"
        else event
        for event in made.Story(rate=20.0, steps=4).events()
    ]
    movements = compute(events).movements
    assert movements.moves[0].drains[0].left > 0
    assert movements.moves[0].drains[0].empty_at is None
    assert moment(movements, MomentKind.MAY_GO).time is None


def test_the_nlb_may_go_when_its_last_connection_is_closed(events: list[Event], made: ModuleType) -> None:
    movements = compute(events).movements
    closed = max(
        event.time
        for event in events
        if isinstance(event, journal.Connection)
        and event.state == "closed"
        and event.address.split(":")[0] in made.ADDRESSES["nlb"]
    )
    assert moment(movements, MomentKind.LAST_CONNECTION).time == closed
    assert moment(movements, MomentKind.MAY_GO).time == closed
    assert movements.departures[-1].time == closed


@pytest.mark.parametrize(
    ("steps", "why"), [(3, "api.example.com points to it"), (5, "api.example.com points to it")]
)
def test_the_nlb_may_not_go_while_the_name_points_to_it(made: ModuleType, steps: int, why: str) -> None:
    movements = compute(made.Story(rate=20.0, steps=steps).events()).movements
    gone = moment(movements, MomentKind.MAY_GO)
    assert gone.time is None
    assert why in gone.text


def test_the_nlb_may_not_go_before_cached_answers_expire(made: ModuleType) -> None:
    slow = made.Story(rate=20.0, steps=4, speed=1.0).events()
    gone = moment(compute(slow).movements, MomentKind.MAY_GO)
    assert gone.time is None
    assert "cached answers" in gone.text


def test_a_deleted_alias_is_a_moment_and_no_move(events: list[Event], made: ModuleType) -> None:
    deleted = made.dns_change(made.Story().start(3), "DELETE", "nlb")
    movements = compute([*events, deleted]).movements
    assert moment(movements, MomentKind.ALIAS_DELETED).time == deleted.time
    assert len(movements.moves) == 3


def test_another_name_that_moves_too_is_no_move_of_the_clients(events: list[Event], made: ModuleType) -> None:
    times = [move.time for move in compute(events).movements.moves]
    other = [
        made.dns_change(time + after, "UPSERT", to, "other.example.com")
        for time, after, to in [(times[0], -0.1, "nlb"), (times[0], 0.001, "alb")]
    ]
    assert compute([*events, *other]).movements == compute(events).movements


def test_the_nlb_may_not_go_while_another_name_points_to_it(events: list[Event], made: ModuleType) -> None:
    other = made.dns_change(made.Story().start(2), "UPSERT", "nlb", "other.example.com")
    gone = moment(compute([*events, other]).movements, MomentKind.MAY_GO)
    assert (gone.time, gone.text) == (None, "The NLB may not go yet: other.example.com points to it")


def test_the_nlb_may_not_go_before_answers_for_another_name_expire(
    events: list[Event], made: ModuleType
) -> None:
    others = [
        made.dns_change(made.Story().start(2), "UPSERT", "nlb", "other.example.com"),
        made.dns_change(compute(events).history.end - 0.1, "UPSERT", "alb", "other.example.com"),
    ]
    gone = moment(compute([*events, *others]).movements, MomentKind.MAY_GO)
    assert gone.time is None
    assert "cached answers" in gone.text


def test_a_wildcard_that_stands_for_the_host_moves_it(made: ModuleType) -> None:
    events = [
        dataclasses.replace(event, host="wild.example.com") if isinstance(event, journal.Run) else event
        for event in made.Story(rate=20.0).events()
    ]
    assert len(compute(events).movements.moves) == 3


def test_a_refused_change_moves_nothing(events: list[Event]) -> None:
    refused = [
        dataclasses.replace(event, refused="InvalidChangeBatch")
        if isinstance(event, journal.DnsChange)
        else event
        for event in events
    ]
    assert compute(refused).movements.moves == ()


def test_a_connection_to_a_cached_answer_says_nothing_of_the_age_at_which_others_end(
    events: list[Event], made: ModuleType
) -> None:
    moved = made.Story().moved(4)
    brief = [
        journal.Connection(time=time, id="app-0/9", client="app-0", state=state, address=address)
        for time, state in ((moved + 0.1, "open"), (moved + 0.2, "closed"))
        for address in [f"{made.ADDRESSES['nlb'][0]}:443"]
    ]
    drain = compute([*events, *brief]).movements.moves[0].drains[0]
    assert drain.ages == compute(events).movements.moves[0].drains[0].ages


def of_three(made: ModuleType, moves: tuple[tuple[int, str], ...]) -> Movements:
    return compute(made.Story(rate=20.0, balancers=made.THREE, moves=moves).events()).movements


def test_a_move_is_from_one_balancer_to_another_of_whatever_type(made: ModuleType) -> None:
    tree, internal = "service/shop/envoy", "service/shop/envoy-internal"
    moves = of_three(made, made.THREE_MOVES).moves
    assert [(move.title, move.origin, move.to) for move in moves] == [
        ("Forward", tree, internal),
        ("Rollback", internal, tree),
        ("Forward again", tree, internal),
        ("Forward", internal, "alb"),
    ]


@pytest.mark.parametrize("last", ["tree", "made"])
def test_back_to_any_balancer_of_before_is_a_rollback(made: ModuleType, last: str) -> None:
    moves = of_three(made, ((3, "made"), (4, "group"), (6, last))).moves
    assert [move.title for move in moves] == ["Forward", "Forward", "Rollback"]


def test_a_drain_goes_on_while_the_name_moves_further(made: ModuleType) -> None:
    story = made.Story()
    first, second = of_three(made, ((4, "made"), (5, "group"))).moves
    assert (first.until, second.until) == (story.moved(5), pytest.approx(story.end + 0.1))
    assert first.drained_until == second.drained_until == second.until


def test_a_drain_ends_when_the_name_comes_back(events: list[Event]) -> None:
    assert all(move.drained_until == move.until for move in compute(events).movements.moves)


def test_first_and_last_moments_name_their_balancers(made: ModuleType) -> None:
    found = of_three(made, made.THREE_MOVES)
    assert [(one.kind, one.balancer) for one in found.moments if one.kind is MomentKind.FIRST_REQUEST] == [
        (MomentKind.FIRST_REQUEST, "service/shop/envoy-internal"),
        (MomentKind.FIRST_REQUEST, "alb"),
    ]
    last = [one.text for one in found.moments if one.kind is MomentKind.LAST_CONNECTION]
    assert last == [
        "The last connection on service/shop/envoy was closed",
        "The last connection on service/shop/envoy-internal was closed",
    ]


def test_without_word_of_connections_a_client_counts_once_while_the_name_moves_further(
    made: ModuleType,
) -> None:
    story = made.Story(
        rate=20.0, tells_connections=False, balancers=made.THREE, moves=((4, "made"), (5, "group"))
    )
    for move in compute(story.events()).movements.moves:
        assert sum(drain.began_with for drain in move.drains) <= story.apps + story.servers
