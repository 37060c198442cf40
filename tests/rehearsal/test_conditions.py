"""Conditions that must not hold of nothing."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

import pytest

from testbed.balancer_identity import BalancerIdentity, BalancerNames
from testbed.client_models import Population
from testbed.errors import BadInput
from testbed.rehearsal.conditions import (
    Observation,
    active,
    answers_by_its_own_name,
    claimed_by,
    drained,
    forwards,
    gone,
    logged,
    not_logged,
    only_served_by,
    served_by,
    synced,
    weights,
)
from testbed.rehearsal.observer import BalancerState, Observer
from testbed.traffic.balancer_probe import ProbeResult
from tests.rehearsal.still_topology import StillTopology


def looking_at(*results: ProbeResult, found: dict[str, int] | None = None) -> Observer:
    one = BalancerState("arn", "a.elb.amazonaws.com", "active", "alb")
    seen: Any = SimpleNamespace(
        balancers=lambda _: [one],
        probe=lambda _: list(results),
        weights=lambda: found or {},
        names=BalancerNames(),
    )
    return cast(Observer, seen)


def test_a_balancer_that_nothing_was_asked_of_has_not_answered() -> None:
    seen = answers_by_its_own_name("alb").look(looking_at())
    assert (seen.holds, seen.seen) == (False, "the traffic has no unary call to try")


def test_a_balancer_that_answers_one_of_two_has_not_answered() -> None:
    results = ProbeResult("grpc", "OK"), ProbeResult("rest", "503")
    assert not answers_by_its_own_name("alb").look(looking_at(*results)).holds
    assert answers_by_its_own_name("alb").look(looking_at(results[0])).holds


@pytest.mark.parametrize(
    ("found", "holds", "seen"),
    [
        ({"nlb": 90, "alb": 10}, True, "NLB 90, ALB 10"),
        ({"nlb": 100, "alb": 0}, False, "NLB 100, ALB 0"),
        ({"nlb": 90}, False, "NLB 90"),
        ({}, False, "there is no weighted record"),
    ],
)
def test_weights_are_those_of_all_records(found: dict[str, int], holds: bool, seen: str) -> None:
    observed = weights(nlb=90, alb=10).look(looking_at(found=found))
    assert (observed.holds, observed.seen) == (holds, seen)


def event(kind: str, severity: str, time: str, message: str) -> dict[str, Any]:
    about = {"kind": kind, "namespace": "shop", "name": "web"}
    return {
        "kind": "Event", "involvedObject": about, "type": severity, "reason": "FailedBuildModel",
        "message": message, "lastTimestamp": time,
    }  # fmt: skip


def test_a_balancer_that_was_not_made_is_reported_with_the_controllers_latest_reason() -> None:
    objects = SimpleNamespace(
        list=lambda kind: [
            event("Ingress", "Warning", "2026-01-01T00:00:01Z", "no certificate found"),
            event("Ingress", "Warning", "2026-01-01T00:00:00Z", "an older reason"),
            event("Ingress", "Normal", "2026-01-01T00:00:02Z", "no reason"),
            event("Service", "Warning", "2026-01-01T00:00:03Z", "another kind"),
        ]
    )
    observer = Observer.__new__(Observer)
    observer.topology = cast(Any, SimpleNamespace(cluster=SimpleNamespace(objects=objects)))
    warnings = observer.warnings("Ingress")
    assert warnings[0] == "Ingress shop/web got FailedBuildModel: no certificate found"
    assert len(warnings) == 2
    seen: Any = SimpleNamespace(balancers=lambda _: [], warnings=observer.warnings, names=BalancerNames())
    observed = active("alb").look(seen)
    assert (observed.holds, observed.seen) == (False, f"there is no ALB; {warnings[0]}")
    assert active("nlb").look(seen).seen.endswith("Service shop/web got FailedBuildModel: another kind")


OLD, NEW = "service/shop/old", "service/shop/new"


class HandClock:
    """The clock of a run, moved by hand."""

    def __init__(self, of: Any) -> None:
        self.speed, self._now = of.speed, of.wall()

    def wall(self) -> float:
        return self._now

    def pass_production(self, seconds: float) -> None:
        self._now += seconds / self.speed


@pytest.fixture
def two_nlbs(still_topology: StillTopology) -> StillTopology:
    """A topology that has had an NLB of each of two Services; both serve."""
    still_topology.had = [
        BalancerIdentity("old.elb.example.com", "nlb", owner=OLD),
        BalancerIdentity("new.elb.example.com", "nlb", owner=NEW),
    ]
    still_topology.served = {"old.elb.example.com": 7, "new.elb.example.com": 2}
    still_topology.open = {"old.elb.example.com": 3}
    return still_topology


def test_requests_and_connections_are_counted_by_balancer_and_not_by_type(two_nlbs: StillTopology) -> None:
    cutover = two_nlbs.cutover()
    cutover.balancer("old", OLD)
    assert served_by(NEW).look(cutover) == Observation(True, "2 requests in this step")
    observed = only_served_by("old").look(cutover)
    assert observed == Observation(False, f"7 through old, 2 through {NEW}")
    assert drained("old").look(cutover) == Observation(False, "3 connections")
    assert drained(NEW).look(cutover).holds


@pytest.mark.parametrize("condition", [served_by, only_served_by, drained, gone, active])
def test_a_short_name_of_two_is_refused_by_every_condition(two_nlbs: StillTopology, condition: Any) -> None:
    cutover = two_nlbs.cutover()
    with pytest.raises(BadInput, match=f"'nlb' is ambiguous: the run has 2 NLBs; write {OLD} or {NEW}"):
        condition("nlb").look(cutover)


def test_a_balancer_by_its_owner_is_a_sentence_without_article() -> None:
    assert active(OLD).text == f"{OLD} is active and its targets healthy"
    assert active("nlb").text == "the NLB is active and its targets healthy"


@pytest.mark.parametrize("name", ["service/shop/odl", f"{OLD} (2)", "odl-0123.elb.eu-west-1.amazonaws.com"])
def test_a_balancer_that_the_run_has_never_had_is_neither_drained_nor_gone(
    two_nlbs: StillTopology, name: str
) -> None:
    cutover = two_nlbs.cutover()
    assert drained(name).look(cutover) == Observation(False, f"{name} does not exist")
    assert gone(name).look(cutover) == Observation(False, f"the run has had no load balancer {name}")
    assert gone(OLD).look(cutover).holds  # it was there, and ELBv2 has it no more


@pytest.mark.parametrize("condition", [drained, gone])
def test_a_type_of_which_the_run_has_had_none_is_neither_drained_nor_gone(
    two_nlbs: StillTopology, condition: Any
) -> None:
    assert not condition("alb").look(two_nlbs.cutover()).holds


def test_a_balancer_that_never_served_is_not_drained(two_nlbs: StillTopology) -> None:
    two_nlbs.served = {"old.elb.example.com": 7}
    two_nlbs.open = {}
    seen = drained(NEW).look(two_nlbs.cutover())
    assert seen == Observation(False, "0 connections, but no request has gone through it")
    assert drained(OLD).look(two_nlbs.cutover()).holds


def test_where_clients_keep_no_connection_a_balancer_is_drained_after_a_minute_of_silence(
    two_nlbs: StillTopology,
) -> None:
    cutover = two_nlbs.cutover(clients=Population.of({"grpcio": 0.9, "nginx": 0.1}))
    two_nlbs.open = {}
    clock = HandClock(two_nlbs.clock)
    two_nlbs.clock = cast(Any, clock)
    called = Observation(False, "0 connections, but clients that keep none have called it within a minute")
    assert drained(OLD).look(cutover) == called
    clock.pass_production(59)
    assert drained(OLD).look(cutover) == called
    two_nlbs.served["old.elb.example.com"] += 1
    clock.pass_production(2)
    assert drained(OLD).look(cutover) == called
    clock.pass_production(61)
    assert drained(OLD).look(cutover).holds


@pytest.mark.parametrize(
    ("resource", "holds"),
    [
        ("ingress/default/web-grpc", True),
        ("ingress/default/web", True),
        ("ingress/default/web-", True),
        ("ingress/", True),
        ("ingress", True),
        ("ingress/default/we", False),
        ("ingress/default/web-grp", False),
        ("ingress/default/web-grpc-2", False),
        ("service/", False),
    ],
)
def test_a_claim_is_named_in_whole_words(
    still_topology: StillTopology, monkeypatch: pytest.MonkeyPatch, resource: str, holds: bool
) -> None:
    monkeypatch.setattr(Observer, "resource_labels", lambda _: ["ingress/default/web-grpc"])
    assert claimed_by(resource).look(still_topology.cutover()).holds is holds


DELETE = "Desired change: DELETE"
UPSERT = "Desired change: UPSERT api.example.com A [Id: /hostedzone/Z1]"


@pytest.mark.parametrize(
    "text", [DELETE, f"{DELETE} api.example.com", "Desired change: CREATE", "Throttling"]
)
def test_what_external_dns_logs_at_other_times_is_not_logged(
    still_topology: StillTopology, text: str
) -> None:
    still_topology.log = [UPSERT]
    assert not_logged(text).look(still_topology.cutover()).holds


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("typo", "nothing shows that ExternalDNS logs such a message"),
        ("Desired chnage: DELETE", "nothing shows that ExternalDNS logs such a message"),
        ("Desired change: DELTE", "ExternalDNS has no change 'DELTE'"),
        (f"{DELETE} apii.example.com", "nothing in this run has the name apii.example.com"),
        ("Endpoints generated from service: default/envyo", "has the name default/envyo"),
    ],
)
def test_a_misspelt_text_is_never_not_logged(still_topology: StillTopology, text: str, why: str) -> None:
    still_topology.log = [UPSERT]
    seen = not_logged(text).look(still_topology.cutover())
    assert not seen.holds
    assert why in seen.seen


def test_a_silent_external_dns_proves_nothing(still_topology: StillTopology) -> None:
    still_topology.log = [UPSERT]
    cutover = still_topology.cutover()
    cutover._mark_step()
    assert not_logged(DELETE).look(cutover) == Observation(
        False, "ExternalDNS has logged nothing since the step began"
    )


def test_what_was_logged_is_told(still_topology: StillTopology) -> None:
    still_topology.log = [UPSERT]
    assert not_logged("UPSERT").look(still_topology.cutover()) == Observation(False, UPSERT)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: forwards("alb", 443), "needs a protocol version"),
        (lambda: forwards("alb", 443, "GPRC"), "'GPRC' is not a protocol version"),
        (lambda: synced(0), "would always hold"),
        (lambda: logged(""), "has no text"),
        (lambda: not_logged(" "), "has no text"),
        (lambda: claimed_by(""), "has no text"),
        (weights, "needs a weight"),
    ],
)
def test_a_condition_that_would_hold_of_nothing_is_refused(make: Any, message: str) -> None:
    with pytest.raises(BadInput, match=message):
        make()
