from __future__ import annotations

import dataclasses
from types import ModuleType

import pytest

from testbed import journal
from testbed.balancer_identity import BalancerIdentity
from testbed.report.balancer_columns import (
    COLOURS,
    all_columns,
    are_short,
    by_name,
    columns,
    kind_and_scheme,
    table_columns,
)
from testbed.report.terminal import print_verdict
from testbed.report.timeline import picture
from testbed.verdict.balancers import Balancers
from testbed.verdict.verdict import compute
from tests.report.consoles import console, written


def test_an_nlb_and_an_alb_keep_their_colours_and_say_no_more(made: ModuleType) -> None:
    pair = Balancers.of(made.TWO.values(), [])
    assert are_short(pair)
    assert [(one.heading, one.about, one.css) for one in columns(pair)] == [
        ("NLB", "", "nlb"),
        ("ALB", "", "alb"),
    ]


def test_three_balancers_have_type_and_scheme_beside_the_name(made: ModuleType) -> None:
    three = Balancers.of(made.THREE.values(), [])
    assert not are_short(three)
    assert [(one.heading, one.about) for one in columns(three)] == [
        ("service/shop/envoy", "NLB, internet-facing"),
        ("service/shop/envoy-internal", "NLB, internal"),
        ("ALB", "internet-facing"),
    ]


def test_no_two_of_six_balancers_share_a_colour(made: ModuleType) -> None:
    six = [
        journal.Balancer(
            time=0.0, name="b", type="nlb", dns_name=f"b{number}.example.com", state="active", addresses=()
        )
        for number in range(len(COLOURS))
    ]
    shown = columns(Balancers.of(six, []))
    assert len({one.colour for one in shown}) == len({one.css for one in shown}) == len(COLOURS) == 6


def test_requests_of_no_known_balancer_have_a_name_too(made: ModuleType) -> None:
    shown = by_name(compute(made.Story(rate=10.0, balancers=made.THREE, moves=made.THREE_MOVES).events()))
    assert [shown[key].heading for key in ("none", "unknown")] == ["not answered", "unknown balancer"]


@pytest.mark.parametrize(("scheme", "text"), [("internal", "ALB, internal"), ("", "ALB")])
def test_a_scheme_that_is_not_known_is_left_out(scheme: str, text: str) -> None:
    assert kind_and_scheme(BalancerIdentity("b.example.com", "alb", scheme)) == text


def crowd(made: ModuleType) -> list[journal.Event]:
    """The run of three balancers with thirty idle ones, which appear first."""
    idle = [
        dataclasses.replace(
            made.THREE["group"], name=f"idle{number}", owner=f"ingress/idle/web{number}",
            dns_name=f"idle{number}.ap-northeast-1.elb.amazonaws.com", addresses=(),
        )
        for number in range(30)
    ]  # fmt: skip
    events: list[journal.Event] = made.Story(rate=10.0, balancers=made.THREE, moves=made.THREE_MOVES).events()
    return [*idle, *events]


def test_of_a_crowd_a_table_has_those_with_requests_and_each_its_own_colour(made: ModuleType) -> None:
    verdict = compute(crowd(made))
    shown = table_columns(verdict)
    assert [column.name for column in shown] == [
        "service/shop/envoy",
        "service/shop/envoy-internal",
        "ingress-group/shop",
    ]
    assert len({column.colour for column in shown}) == 3
    assert len(all_columns(verdict)) == 33
    lanes = picture(verdict).balancers
    assert [lane.heading for lane in lanes[:3]] == [column.heading for column in shown]
    assert {lane.css for lane in lanes[3:]} == {"idle"}


def test_the_terminal_says_how_many_it_leaves_out_and_fits(made: ModuleType) -> None:
    out, file = console(80)
    print_verdict(compute(crowd(made)), out)
    lines = written(file).splitlines()
    assert max(map(len, lines)) <= 80
    assert any("and 30 more balancers, in the report" in line for line in lines)
    assert any(line.split() == ["step", *["A", "p99", "B", "p99", "C", "p99"], "lost"] for line in lines)
