"""The names of a run's balancers: unique, resolved back, and never in the place of an unknown one."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from testbed import journal
from testbed.balancer_identity import NONE, UNKNOWN
from testbed.errors import BadInput
from testbed.network import BALANCER_TYPES
from testbed.verdict.balancers import Balancers, begin
from testbed.verdict.findings import Result
from testbed.verdict.history import History
from testbed.verdict.phases import balancer_by_route, tally
from testbed.verdict.reconciliation import Ledger
from testbed.verdict.thresholds import measure, parse
from testbed.verdict.verdict import compute

OWNERS = ("", "service/shop/envoy", "service/shop/old", "ingress/shop/web", "ingress-group/shop")


def balancer(number: int, type: str, owner: str = "", scheme: str = "internal") -> journal.Balancer:  # noqa: A002
    kind = "elb.eu-west-1" if type == "nlb" else "eu-west-1.elb"
    return journal.Balancer(
        time=float(number), name=f"b{number}", type=type, dns_name=f"b{number}.{kind}.amazonaws.com",  # type: ignore[arg-type]
        state="active", addresses=(f"10.0.{number}.1", f"10.0.{number}.2"), scheme=scheme, owner=owner,
    )  # fmt: skip


def named(name: str, of: str) -> journal.BalancerNamed:
    return journal.BalancerNamed(time=0.0, name=name, balancer=of)


@st.composite
def runs(draw: st.DrawFn) -> tuple[list[journal.Balancer], list[journal.BalancerNamed]]:
    """Up to six balancers, and names that the scenario gave some of them."""
    kinds = draw(st.lists(st.tuples(st.sampled_from(BALANCER_TYPES), st.sampled_from(OWNERS)), max_size=6))
    events = [balancer(number, *kind) for number, kind in enumerate(kinds)]
    references = [*OWNERS[1:], *BALANCER_TYPES, *(event.dns_name for event in events)]
    names = st.sampled_from(["old", "new", "p99", "lost", NONE, UNKNOWN, "nlb"])
    pairs = draw(st.lists(st.tuples(names, st.sampled_from(references)), max_size=3))
    return events, [named(*pair) for pair in pairs]


@given(runs())
def test_names_are_unique_and_each_resolves_back_to_its_balancer(
    run: tuple[list[journal.Balancer], list[journal.BalancerNamed]],
) -> None:
    events, names = run
    balancers = Balancers.of(events, names)
    real = {name: one for name, one in balancers.by_name.items() if one.dns_name}
    assert sorted(one.dns_name for one in real.values()) == sorted(event.dns_name for event in events)
    for name, one in real.items():
        assert balancers.resolve(name) == [name]
        assert balancers.resolve(one.dns_name) == [name]
        assert balancers.name_of(one.dns_name.upper() + ".") == name
    assert not {NONE, UNKNOWN} & set(balancers.by_name)


@given(runs(), st.data())
def test_naming_never_hides_a_lost_request(
    run: tuple[list[journal.Balancer], list[journal.BalancerNamed]], data: st.DataObject
) -> None:
    events, names = run
    history, ledger = History(), Ledger()
    for event in (*events, *names):
        history.add(event)
    peers = st.sampled_from(["", "10.9.9.9", *(address for event in events for address in event.addresses)])
    outcomes = st.sampled_from(["ok", "failed", "unknown"])
    requests = data.draw(st.lists(st.tuples(peers, outcomes), min_size=1, max_size=8))
    for number, (peer, outcome) in enumerate(requests):
        ledger.add_request(
            journal.Request(
                time=2.0, id=f"r{number}", client="app-1", protocol="grpc", method="/a/b", shape="unary",
                intended=1.0, sent=1.0, address="api:443", peer=peer, pod="envoy-0" if peer else "",
                listener="", status="", outcome=outcome,  # type: ignore[arg-type]
            )
        )  # fmt: skip
    counted, balancers = tally(ledger, history), history.named_balancers()
    lost = sum(outcome != "ok" for _, outcome in requests)
    assert sum(share.outcomes.lost for share in counted.by_balancer.values()) == lost
    assert sum(share.outcomes.total for share in counted.by_balancer.values()) == len(requests)
    for event in events:
        name = balancers.name_of(event.dns_name)
        mine = [outcome for peer, outcome in requests if peer in event.addresses]
        assert counted.by_balancer[name].outcomes.total == len(mine)
        held = measure(parse(f"{name}.lost == 0"), counted, (), 1.0, balancers, {}).holds
        of_none = any(outcome != "ok" for peer, outcome in requests if peer in ("", "10.9.9.9"))
        assert held is (None if not mine or of_none else all(outcome == "ok" for outcome in mine))


def test_a_run_of_an_nlb_and_an_alb_has_both_in_this_order_even_without_one_of_them() -> None:
    assert list(Balancers.of([], []).by_name) == ["nlb", "alb"]
    assert list(Balancers.of([balancer(1, "alb"), balancer(2, "nlb")], []).by_name) == ["nlb", "alb"]
    assert Balancers.of([balancer(1, "nlb")], []).by_name["alb"].dns_name == ""


def test_a_run_of_two_nlbs_has_no_alb() -> None:
    two = [balancer(1, "nlb", "service/shop/old"), balancer(2, "nlb", "service/shop/envoy")]
    assert list(Balancers.of(two, []).by_name) == ["service/shop/old", "service/shop/envoy"]


def test_a_run_that_gives_names_has_only_its_own_balancers() -> None:
    run = Balancers.of([balancer(1, "nlb", "service/shop/envoy")], [named("old", "nlb")])
    assert list(run.by_name) == ["old"]
    assert run.resolve("service/shop/envoy") == run.resolve("nlb") == ["old"]


def test_a_short_name_of_several_is_refused_with_the_names_to_choose_from() -> None:
    two = [balancer(1, "nlb", "service/shop/old"), balancer(2, "nlb", "service/shop/envoy")]
    with pytest.raises(BadInput, match="write service/shop/old or service/shop/envoy"):
        Balancers.of(two, []).resolve("nlb")


@pytest.mark.parametrize("name", ["none", "unknown", "nlb", "Old name"])
def test_a_name_that_a_run_refuses_is_passed_over(name: str) -> None:
    assert "nlb" in Balancers.of([balancer(1, "nlb")], [named(name, "nlb")]).by_name


def test_a_name_begins_a_sentence_as_it_is_unless_it_is_short() -> None:
    assert (begin("nlb"), begin("service/shop/envoy")) == ("The NLB", "service/shop/envoy")


def test_a_journal_of_testbed_0_1_has_the_names_of_testbed_0_1() -> None:
    ledger, history = Ledger(), History()
    assert balancer_by_route(ledger, history) == []
    assert compute([]).result is Result.INCONCLUSIVE
    assert list(compute([]).tally.by_balancer) == ["nlb", "alb"]
