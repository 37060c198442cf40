"""Steps, waiting and expecting, as a script sees them and as the journal has them."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from testbed import journal
from testbed.balancer_identity import BalancerIdentity
from testbed.errors import BadInput
from testbed.rehearsal.conditions import Condition, Observation, Observer, logged, served_by
from testbed.rehearsal.cutover import Cutover, StepFailed
from testbed.settings import PATIENCE
from tests.rehearsal.still_topology import StillTopology

NEVER = Condition("pigs fly", lambda _: Observation(False, "none does"))
ALWAYS = Condition("the sun rises", lambda _: Observation(True, "it does"))


def after(looks: int) -> Condition:
    """A condition that holds from a number of looks on."""
    seen: list[Observer] = []

    def look(observer: Observer) -> Observation:
        seen.append(observer)
        return Observation(len(seen) > looks, f"look {len(seen)}")

    return Condition("it holds by and by", look)


def expectations(topology: StillTopology) -> list[tuple[str, bool, str]]:
    return [(one.text, one.passed, one.detail) for one in topology.events(journal.Expectation)]


@pytest.mark.usefixtures("no_patience")
def test_steps_are_numbered_and_end_as_they_went(still_topology: StillTopology) -> None:
    cutover = still_topology.cutover()
    with cutover.step("one", why="first"):
        pass
    with pytest.raises(StepFailed), cutover.step("two", why="second"):
        cutover.wait_until(NEVER, within=1)
    with pytest.raises(ValueError, match="of the script"), cutover.step("three", why="third"):
        raise ValueError("of the script")
    started = [(one.number, one.title, one.why) for one in still_topology.events(journal.StepStarted)]
    assert started == [(1, "one", "first"), (2, "two", "second"), (3, "three", "third")]
    finished = [(one.number, one.outcome) for one in still_topology.events(journal.StepFinished)]
    assert finished == [(1, "passed"), (2, "failed"), (3, "interrupted")]


def test_a_step_cannot_begin_inside_another(still_topology: StillTopology) -> None:
    cutover = still_topology.cutover()
    with (
        pytest.raises(BadInput, match="the step 'two' begins inside another step"),
        cutover.step("one", why="first"),
        cutover.step("two", why="second"),
    ):
        pass
    assert [one.title for one in still_topology.events(journal.StepStarted)] == ["one"]


def test_waiting_ends_as_soon_as_the_condition_holds(still_topology: StillTopology) -> None:
    cutover = still_topology.cutover()
    cutover.wait_until(after(2), within=60_000)
    ((text, passed, detail),) = expectations(still_topology)
    assert (text, passed) == ("it holds by and by", True)
    assert detail.startswith("look 3; after ")
    assert not cutover.has_failed


@pytest.mark.usefixtures("no_patience")
def test_waiting_in_vain_fails_the_step_with_what_was_seen(still_topology: StillTopology) -> None:
    cutover = still_topology.cutover()
    with pytest.raises(StepFailed, match="pigs fly"):
        cutover.wait_until(NEVER, within=1)
    assert expectations(still_topology) == [
        ("pigs fly", False, "none does; not within 1 s of production time")
    ]
    assert cutover.has_failed


def test_what_comes_true_later_than_asked_fails_the_step_and_says_how_late(
    still_topology: StillTopology, monkeypatch: pytest.MonkeyPatch
) -> None:
    allowed = replace(PATIENCE, condition=60.0, condition_late=0.0)
    monkeypatch.setattr("testbed.rehearsal.cutover.PATIENCE", allowed)
    cutover = still_topology.cutover()
    with pytest.raises(StepFailed, match="it holds by and by"):
        cutover.wait_until(after(3), within=1)
    ((_, passed, detail),) = expectations(still_topology)
    assert not passed
    assert re.fullmatch(r"look 4; only after \d+ s of production time; within 1 s was asked", detail)
    assert cutover.has_failed


def test_what_this_machine_is_late_with_is_in_time_and_the_report_says_so(
    still_topology: StillTopology,
) -> None:
    still_topology.cutover().wait_until(after(3), within=1)
    ((_, passed, detail),) = expectations(still_topology)
    assert passed
    assert detail.endswith("; within 1 s was asked, and 3 s of wall time are this machine's")


def test_an_expectation_that_fails_lets_the_story_go_on(still_topology: StillTopology) -> None:
    cutover = still_topology.cutover()
    assert [cutover.expect(NEVER), cutover.expect(ALWAYS)] == [False, True]
    assert cutover.unmet == ["pigs fly: none does"]
    assert cutover.has_failed


def test_an_expectation_may_come_true_within_a_time(still_topology: StillTopology) -> None:
    assert still_topology.cutover().expect(after(2), within=60_000)


def test_a_condition_looks_through_an_observer(still_topology: StillTopology) -> None:
    seen: list[Observer] = []

    def look(observer: Observer) -> Observation:
        seen.append(observer)
        return Observation(True, "")

    cutover = still_topology.cutover()
    cutover.expect(Condition("it looks", look))
    assert isinstance(seen[0], Observer)
    assert seen[0].scenario is cutover.scenario


def test_requests_and_log_lines_of_earlier_steps_do_not_count(still_topology: StillTopology) -> None:
    cutover = still_topology.cutover()
    with cutover.step("one", why="w"):
        still_topology.had = [BalancerIdentity("n.elb.example.com", "nlb")]
        still_topology.served = {"n.elb.example.com": 5}
        still_topology.log = ["Desired change: CREATE"]
        assert cutover.expect(served_by("nlb"))
        assert cutover.expect(logged("CREATE"))
    with cutover.step("two", why="w"):
        assert cutover.served_in_step("nlb") == 0
        assert not cutover.expect(logged("CREATE"))


def test_holding_takes_the_production_time(still_topology: StillTopology) -> None:
    before = still_topology.clock.now()
    still_topology.cutover().hold(200.0)
    assert still_topology.clock.now() - before >= 200.0


def test_a_scenario_may_accept_losses_for_a_reason(still_topology: StillTopology) -> None:
    still_topology.cutover().accept_lost_requests(why="a maintenance window")
    (accepted,) = still_topology.events(journal.LossesAccepted)
    assert accepted.why == "a maintenance window"


def test_the_public_methods_of_a_cutover_stay() -> None:
    names = {
        "accept_lost_requests", "addresses", "alias", "annotate", "apply", "balancers", "certificate_arn",
        "balancer", "change_alias", "delete", "end", "expect", "external_dns_log_in_step", "fault",
        "foreign_balancer", "forwarded_versions",
        "has_failed", "hold", "request_certificate", "resource_labels", "run", "served_in_step",
        "start_traffic", "step", "stop_traffic", "syncs_since_action", "unhealthy_targets", "wait_until",
        "warnings", "weights",
    }  # fmt: skip
    assert names <= set(dir(Cutover))
