"""When each of the balancers that a name left may go."""

from __future__ import annotations

import dataclasses
from types import ModuleType

import pytest

from testbed import journal
from testbed.journal import Event
from testbed.verdict.balancer_use import BalancerUse
from testbed.verdict.departures import departure
from testbed.verdict.drains import ClientConnection
from testbed.verdict.history import History
from testbed.verdict.moment import Moment
from testbed.verdict.verdict import compute

TREE, MADE = "service/shop/envoy", "service/shop/envoy-internal"


@pytest.fixture(scope="module")
def three(made: ModuleType) -> list[Event]:
    found: list[Event] = made.Story(rate=20.0, balancers=made.THREE, moves=made.THREE_MOVES).events()
    return found


def departures(events: list[Event]) -> list[Moment]:
    return list(compute(events).movements.departures)


def test_every_balancer_that_the_name_left_has_a_sentence_of_its_own(three: list[Event]) -> None:
    assert [one.text for one in departures(three)] == [
        f"{TREE} may go: no connection, name or cached answer leads to it",
        f"{MADE} may go: no connection, name or cached answer leads to it",
    ]


def test_the_first_of_three_may_go_before_the_name_leaves_the_second(
    three: list[Event], made: ModuleType
) -> None:
    tree, middle = departures(three)
    story = made.Story()
    assert tree.time
    assert middle.time
    assert story.moved(5) < tree.time < story.moved(6) < middle.time


def test_a_connection_that_stays_keeps_its_own_balancer_only(three: list[Event], made: ModuleType) -> None:
    addresses = {f"{address}:8443" for address in made.THREE["tree"].addresses}
    staying = [
        event
        for event in three
        if not (
            isinstance(event, journal.Connection)
            and event.state == "closed"
            and event.address in addresses
            and event.time > made.Story().moved(5)
        )
    ]
    tree, middle = departures(staying)
    assert tree.time is None
    assert "still open on it" in tree.text
    assert middle.time is not None


def test_another_name_that_points_to_the_second_keeps_it(three: list[Event], made: ModuleType) -> None:
    target = made.THREE["made"].dns_name
    other = made.dns_change(made.Story().start(3), "UPSERT", target, "other.example.com")
    tree, middle = departures([*three, other])
    assert tree.time is not None
    assert middle.text == f"{MADE} may not go yet: other.example.com points to it"


def test_a_move_from_an_alb_to_an_nlb_lets_the_alb_go(made: ModuleType) -> None:
    turned = dict(reversed(made.TWO.items()))
    moves = compute(
        made.Story(rate=20.0, balancers=turned, moves=((4, "nlb"), (5, "alb"), (6, "nlb"))).events()
    ).movements
    assert [(move.title, move.to) for move in moves.moves] == [
        ("Forward", "nlb"),
        ("Rollback", "alb"),
        ("Forward again", "nlb"),
    ]
    assert [one.text for one in moves.departures] == [
        "The ALB may go: no connection, name or cached answer leads to it"
    ]


def test_cached_answers_count_from_the_moment_the_name_was_deleted() -> None:
    made = deleted_name()
    found = departure("nlb", made.alias_changes(), BalancerUse(), [], made, made.named_balancers())
    assert found.time is not None
    assert 10.0 + 60.0 <= found.time <= 10.0 + 180.0


@pytest.mark.parametrize(("opened", "may_go"), [(990.0, False), (900.0, True), (12.0, True)])
def test_a_balancer_to_which_clients_connect_when_no_answer_leads_there_may_not_go(
    opened: float, may_go: bool
) -> None:
    made = deleted_name()
    span = ClientConnection("nlb", "server-0", opened, opened + 1.0, "the peer sent connection: close")
    found = departure("nlb", made.alias_changes(), BalancerUse(), [span], made, made.named_balancers())
    assert (found.time is not None) is may_go


def deleted_name() -> History:
    """A run of 1,000 s whose name points to an NLB from second 1 to second 10."""
    made = History()
    nlb = journal.Balancer(
        time=0.0, name="nlb", type="nlb", dns_name="nlb.example.com", state="active", addresses=()
    )
    changes = [
        journal.DnsChange(
            time=time, zone="Z",
            changes=({"Action": action, "ResourceRecordSet": {
                "Name": "api.example.com.", "Type": "A", "AliasTarget": {"DNSName": "nlb.example.com."}}},),
        )
        for time, action in ((1.0, "UPSERT"), (10.0, "DELETE"))
    ]  # fmt: skip
    for change in (nlb, *changes, journal.RunFinished(time=1_000.0, reason="complete")):
        made.add(change)
    return made


def test_a_balancer_that_the_name_never_left_may_not_go(made: ModuleType) -> None:
    events = [
        dataclasses.replace(event, changes=()) if isinstance(event, journal.DnsChange) else event
        for event in made.Story(rate=20.0).events()
    ]
    assert departures(events)[0].text == "The NLB may not go yet: no name was moved to the ALB"


def test_a_balancer_whose_last_clients_get_only_errors_since_may_not_go(
    made: ModuleType, events: list[Event]
) -> None:
    story = made.Story()
    left = story.moved(6)

    def lost(event: Event) -> Event:
        if isinstance(event, journal.Request) and event.client == "server-0" and event.sent > left:
            return dataclasses.replace(event, outcome="failed", peer="", pod="", listener="", status="")
        return event

    assert " may go: " in departures(events)[-1].text
    found = departures([lost(event) for event in events])[-1]
    assert found.time is None
    assert found.text == (
        "The NLB may not go yet: the last answers to 1 client of server came from it, and then only errors"
    )
