"""When balancers were active, and the gap between one and the next that the same object made."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from testbed import journal
from testbed.verdict.history import History
from testbed.verdict.lifetimes import Lifetime, Succession, lifetimes, successions

OWNER = "service/shop/envoy"
FIRST, SECOND = f"{OWNER} (1)", f"{OWNER} (2)"


def event(time: float, number: int, state: str, owner: str = OWNER) -> journal.Balancer:
    return journal.Balancer(
        time=time, name="b", type="nlb", dns_name=f"b{number}.elb.eu-west-1.amazonaws.com", state=state,
        addresses=(), owner=owner, scheme="internal" if number == 1 else "internet-facing",
    )  # fmt: skip


def delete_call(time: float, status: int = 200) -> journal.ApiCall:
    arn = "arn:aws:elasticloadbalancing:eu-west-1:1:loadbalancer/net/b/0123456789abcdef"
    return journal.ApiCall(
        time=time, service="elbv2", operation="DeleteLoadBalancer", status=status, summary=arn
    )


def history(*events: journal.Event) -> History:
    made = History()
    for one in (*events, journal.RunFinished(time=100.0, reason="complete")):
        made.add(one)
    return made


def found(*events: journal.Event, moves: Sequence[tuple[str, str]] = ()) -> list[Succession]:
    made = history(*events)
    return list(successions(made, made.named_balancers(), moves))


def test_a_balancer_is_active_from_its_first_active_state_to_its_end() -> None:
    made = history(event(1, 1, "provisioning"), event(3, 1, "active"), event(9, 1, "deleted"))
    assert lifetimes(made, made.named_balancers()) == {"nlb": [Lifetime(3.0, 9.0)]}


def test_a_balancer_that_was_never_active_has_no_lifetime() -> None:
    made = history(event(1, 1, "provisioning"), event(9, 1, "deleted"))
    assert lifetimes(made, made.named_balancers()) == {}


def test_an_impaired_balancer_is_active_too() -> None:
    made = history(event(1, 1, "active"), event(2, 1, "active_impaired"))
    assert lifetimes(made, made.named_balancers()) == {"nlb": [Lifetime(1.0, None)]}


def test_deleted_then_created_leaves_a_gap_in_which_none_is_active() -> None:
    old = event(1, 1, "active"), event(5, 1, "deleted")
    (gap,) = found(*old, event(6, 2, "provisioning"), event(8, 2, "active"))
    assert gap == Succession(OWNER, FIRST, SECOND, 5.0, 3.0)
    text = f"{OWNER} made {SECOND} in place of {FIRST}: for 180 s neither was active"
    assert gap.sentence(60.0) == text


def test_created_then_deleted_leaves_no_gap() -> None:
    (gap,) = found(event(1, 1, "active"), event(4, 2, "active"), event(9, 1, "deleted"))
    assert gap.gap == 0
    assert gap.sentence(60.0).endswith("at any time one of them was active")


def test_one_that_never_becomes_active_leaves_a_gap_to_the_end() -> None:
    (gap,) = found(event(1, 1, "active"), event(5, 1, "deleted"), event(6, 2, "provisioning"))
    assert gap.gap is None
    assert gap.sentence(60.0).endswith("from then on neither was active")


@pytest.mark.parametrize("owner", ["", "service/shop/other"])
def test_balancers_of_no_object_or_of_another_do_not_follow_each_other(owner: str) -> None:
    other = "service/shop/another" if owner else ""
    old = event(1, 1, "active", owner), event(5, 1, "deleted", owner)
    assert found(*old, event(8, 2, "active", other)) == []


def test_a_balancer_ends_with_the_call_that_deletes_it_not_with_the_later_event() -> None:
    old = event(1, 1, "active"), delete_call(5)
    (gap,) = found(*old, event(8, 2, "active"), event(8.1, 1, "deleted"))
    assert (gap.time, gap.gap) == (5.0, 3.0)


def test_a_call_that_was_refused_ends_nothing() -> None:
    old = event(1, 1, "active"), delete_call(5, status=400)
    (gap,) = found(*old, event(8, 2, "active"), event(9, 1, "deleted"))
    assert gap.gap == 0


def test_a_state_after_the_call_does_not_revive_the_balancer() -> None:
    made = history(event(1, 1, "active"), delete_call(5), event(5.1, 1, "active"), event(6, 1, "deleted"))
    assert lifetimes(made, made.named_balancers()) == {"nlb": [Lifetime(1.0, 5.0)]}


@pytest.mark.parametrize(("created", "gap"), [(8.0, 3.0), (4.0, None)])
def test_another_object_takes_the_place_if_the_name_moved_there_and_leaves_a_gap_if_it_came_later(
    created: float, gap: float | None
) -> None:
    web, group = "ingress/shop/web", "ingress-group/shop"
    events = event(1, 1, "active", web), event(5, 1, "deleted", web), event(created, 2, "active", group)
    assert found(*events) == []
    expected = [] if gap is None else [Succession("", web, group, 5.0, gap)]
    assert found(*events, moves=[(web, group), (web, group)]) == expected
    text = f"{group} took the place of {web}: for 180 s neither was active"
    assert all(one.sentence(60.0) == text for one in expected)


def test_an_alb_in_place_of_an_nlb_is_no_balancer_made_anew() -> None:
    alb = journal.Balancer(
        time=9.0, name="a", type="alb", dns_name="a.example.com", state="active", addresses=()
    )
    old = event(1, 1, "active"), event(5, 1, "deleted")
    assert found(*old, alb, moves=[("nlb", "alb")]) == []
