"""Three faults under traffic, by the classes of local processes: what they break is lost."""

from __future__ import annotations

from testbed.faults import BackendPaused, TargetCutOff, TargetKilled
from testbed.rehearsal import Cutover, scenario
from testbed.rehearsal.conditions import active, served_by

MINUTE = 60.0
NLB = "../../../scenarios/zozomat/manifests/1-nlb.yaml"


@scenario("Three faults", host="api.example.com")
def three_faults(cutover: Cutover) -> None:
    with cutover.step("Both targets serve", why="As it stands."):
        cutover.apply(NLB)
        cutover.wait_until(active("nlb"), within=5 * MINUTE)
        cutover.start_traffic()
        cutover.wait_until(served_by("nlb"), within=2 * MINUTE)
        cutover.hold(2 * MINUTE)  # by then streams are under way, which nobody can send again
    with cutover.step("One of them is killed", why="Nothing warns its clients."):
        with cutover.fault(TargetKilled("envoy-1")):
            cutover.hold(2 * MINUTE)
        cutover.wait_until(active("nlb"), within=5 * MINUTE)
    with cutover.step("The other is cut off", why="Its address is gone, and it runs on."):
        with cutover.fault(TargetCutOff("envoy-0"), for_="30s"):
            cutover.hold(1 * MINUTE)
        cutover.wait_until(active("nlb"), within=5 * MINUTE)
    with (
        cutover.step("A backend is silent", why="It takes connections and answers nothing."),
        cutover.fault(BackendPaused("backend-0"), at="10s", for_="30s"),
    ):
        cutover.hold(1 * MINUTE)
