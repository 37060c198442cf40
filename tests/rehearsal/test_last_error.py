"""The sentence of a failed condition quotes what a controller could not do about that balancer."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from testbed import journal
from testbed.balancer_identity import BalancerIdentity
from testbed.rehearsal import cutover as cutovers
from testbed.rehearsal import last_error
from testbed.rehearsal.conditions import Condition, Observation
from testbed.rehearsal.cutover import StepFailed
from testbed.settings import PATIENCE
from tests.rehearsal.still_topology import StillTopology

NLB = BalancerIdentity("one.elb.ap-northeast-1.amazonaws.com", "nlb", owner="service/default/envoy")
ALB = BalancerIdentity("two.ap-northeast-1.elb.amazonaws.com", "alb", owner="ingress-group/web")
FAILED = "FailedDeployModel: deletion protection is enabled"


def thing(topology: StillTopology, kind: str, name: str) -> dict[str, Any]:
    api = "networking.k8s.io/v1" if kind == "Ingress" else "v1"
    made: dict[str, Any] = topology.store.create(
        {"apiVersion": api, "kind": kind, "metadata": {"name": name, "namespace": "default"}, "spec": {}}
    )
    return made


def fails(
    topology: StillTopology, item: dict[str, Any], message: str = "deletion protection is enabled"
) -> None:
    topology.store.record_event(item, "Warning", "FailedDeployModel", message)


def test_it_is_that_of_the_owner_of_the_balancer(still_topology: StillTopology) -> None:
    still_topology.had += [NLB, ALB]
    fails(still_topology, thing(still_topology, "Service", "envoy"))
    cutover = still_topology.cutover()
    for name in ("nlb", "service/default/envoy", NLB.dns_name):
        assert last_error.of_balancer(cutover, name) == f"service/default/envoy: {FAILED}"
    assert last_error.of_balancer(cutover, "alb") == ""
    assert last_error.of_balancer(cutover, "") == ""


def test_any_ingress_speaks_for_the_balancer_of_a_group(still_topology: StillTopology) -> None:
    still_topology.had += [NLB, ALB]
    fails(still_topology, thing(still_topology, "Ingress", "orders"))
    assert last_error.of_balancer(still_topology.cutover(), "alb") == f"ingress/default/orders: {FAILED}"


def test_a_balancer_that_was_never_made_has_the_errors_of_what_makes_its_type(
    still_topology: StillTopology,
) -> None:
    fails(still_topology, thing(still_topology, "Ingress", "orders"), "no certificate found")
    cutover = still_topology.cutover()
    assert "no certificate found" in last_error.of_balancer(cutover, "alb")
    assert last_error.of_balancer(cutover, "nlb") == ""


def test_the_latest_of_several_counts_and_none_that_has_passed(still_topology: StillTopology) -> None:
    still_topology.had.append(NLB)
    service, cutover = thing(still_topology, "Service", "envoy"), still_topology.cutover()
    fails(still_topology, service, "first")
    fails(still_topology, service, "second")
    fails(still_topology, service, "first")
    assert last_error.of_balancer(cutover, "nlb").endswith("first")
    still_topology.store.record_event(service, "Normal", "SuccessfullyReconciled", "done")
    assert last_error.of_balancer(cutover, "nlb") == ""
    fails(still_topology, service, "second")
    assert last_error.of_balancer(cutover, "nlb").endswith("second")


def test_the_error_of_an_object_that_is_gone_is_over(still_topology: StillTopology) -> None:
    still_topology.had.append(NLB)
    fails(still_topology, thing(still_topology, "Service", "envoy"))
    still_topology.store.delete("Service", "default", "envoy")
    assert last_error.of_balancer(still_topology.cutover(), "nlb") == ""


def test_external_dns_counts_with_what_it_logged_since_the_step_began(still_topology: StillTopology) -> None:
    cutover = still_topology.cutover()
    still_topology.error = 3, "of an earlier step"
    with cutover.step("a step", why="to look"):
        assert last_error.of_external_dns(cutover) == ""
        still_topology.error = 4, "Throttling"
        assert last_error.of_external_dns(cutover) == "external-dns: Throttling"


def test_a_failed_expectation_quotes_the_controller_and_does_not_wait_out_its_patience(
    still_topology: StillTopology, monkeypatch: pytest.MonkeyPatch
) -> None:
    still_topology.had.append(NLB)
    fails(still_topology, thing(still_topology, "Service", "envoy"))
    still_topology.error = 1, "Throttling"
    cutover = still_topology.cutover()
    never = Condition("the NLB is gone", lambda _: Observation(False, "it is there"), "nlb")
    # Who waits out this patience runs into the timeout of the tests.
    monkeypatch.setattr(cutovers, "PATIENCE", replace(PATIENCE, condition=1e6))
    with pytest.raises(StepFailed):
        cutover.wait_until(never, within=1)
    (failed,) = still_topology.events(journal.Expectation)
    assert failed.detail == (
        f"it is there; the controller's last error: service/default/envoy: {FAILED}; "
        "the controller's last error: external-dns: Throttling; not within 1 s of production time"
    )
    assert not cutover.expect(never)
    assert cutover.expect(Condition("it holds", lambda _: Observation(True, "it does"), "nlb"))
    assert still_topology.events(journal.Expectation)[-1].detail == "it does"
