"""The rows of balancers below the charts."""

from __future__ import annotations

import dataclasses
from types import ModuleType

import pytest

from testbed import journal
from testbed.report.balancer_lanes import BalancerLane, balancer_lanes
from testbed.report.charts import Axis
from testbed.report.timeline import picture
from testbed.report.words import Times
from testbed.verdict.verdict import compute


def lanes(made: ModuleType, *balancers: journal.Balancer) -> tuple[BalancerLane, ...]:
    verdict = compute([journal.RunFinished(time=made.EPOCH + 100, reason="complete"), *balancers])
    return balancer_lanes(verdict, Axis(made.EPOCH, made.EPOCH + 100), Times(verdict.history))


def test_a_run_of_an_nlb_and_an_alb_has_one_lane_for_both(made: ModuleType) -> None:
    found = picture(compute(made.Story(rate=10.0).events()))
    assert found.balancers == ()
    assert "Balancers" in [lane.title for lane in found.lanes]


def test_each_of_three_balancers_has_a_lane_with_its_type_and_scheme(made: ModuleType) -> None:
    events = made.Story(rate=10.0, balancers=made.THREE, moves=made.THREE_MOVES).events()
    found = picture(compute(events))
    assert [(lane.heading, lane.about) for lane in found.balancers] == [
        ("service/shop/envoy", "NLB, internet-facing"),
        ("service/shop/envoy-internal", "NLB, internal"),
        ("ALB", "internet-facing"),
    ]
    assert "Balancers" not in [lane.title for lane in found.lanes]
    for lane in found.balancers:
        assert lane.marks
        assert all(0 <= bar.left <= bar.left + bar.width <= 100.001 for bar in lane.bars)


def test_a_gap_is_drawn_before_the_balancer_that_was_made_anew(made: ModuleType) -> None:
    old = made.THREE["tree"]
    new = dataclasses.replace(old, dns_name="b-ff.elb.eu-west-1.amazonaws.com", scheme="internal")
    first, second = lanes(
        made,
        old,
        dataclasses.replace(old, time=made.EPOCH + 20, state="deleted"),
        dataclasses.replace(new, time=made.EPOCH + 30, state="provisioning"),
        dataclasses.replace(new, time=made.EPOCH + 60, state="active"),
    )
    assert [(bar.css, bar.left, bar.width) for bar in first.bars] == [("", 0.0, 20.0)]
    (gap,) = [bar for bar in second.bars if bar.css == "gap"]
    assert (gap.left, gap.width) == (20.0, 40.0)
    assert gap.text == "neither service/shop/envoy (1) nor service/shop/envoy (2) is active, for 40.0 s"


@pytest.mark.parametrize("state", ["provisioning", "failed"])
def test_a_balancer_that_was_never_active_has_marks_and_no_bar(made: ModuleType, state: str) -> None:
    never = dataclasses.replace(made.THREE["made"], state=state)
    found = {lane.heading: lane for lane in lanes(made, made.THREE["tree"], never)}
    lane = found["service/shop/envoy-internal"]
    assert lane.bars == ()
    assert lane.marks[0].lines[0].endswith(f"service/shop/envoy-internal: {state}")
