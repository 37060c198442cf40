"""One of two targets is killed under traffic: what it had in its hands is lost, and the verdict says so."""

from __future__ import annotations

from testbed.rehearsal import Cutover, scenario
from testbed.rehearsal.conditions import active, served_by

MINUTE = 60.0
NLB = "../../../scenarios/zozomat/manifests/1-nlb.yaml"


@scenario("A target dies", host="api.example.com")
def a_target_dies(cutover: Cutover) -> None:
    with cutover.step("Both targets serve", why="As it stands."):
        cutover.apply(NLB)
        cutover.wait_until(active("nlb"), within=5 * MINUTE)
        cutover.start_traffic()
        cutover.wait_until(served_by("nlb"), within=2 * MINUTE)
        cutover.hold(2 * MINUTE)  # by then streams are under way, which nobody can send again
    with cutover.step("One of them is killed", why="Nothing warns its clients."):
        with cutover.fault("kill", "envoy-1"):
            cutover.hold(2 * MINUTE)
        cutover.wait_until(active("nlb"), within=5 * MINUTE)
