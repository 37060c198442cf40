"""The NLB of the story and its record, which an ExternalDNS of the user's own writes."""

from __future__ import annotations

from testbed.rehearsal import Cutover, scenario
from testbed.rehearsal.conditions import active, alias_at, claimed_by, logged, served_by, synced

MINUTE = 60.0
NLB = "../../../scenarios/zozomat/manifests/1-nlb.yaml"


@scenario("A record by an image", host="api.example.com")
def a_record_by_an_image(cutover: Cutover) -> None:
    with cutover.step("The NLB gets its record", why="As it stands."):
        cutover.apply(NLB)
        cutover.wait_until(active("nlb"), within=10 * MINUTE)
        cutover.wait_until(alias_at("nlb"), within=10 * MINUTE)
        cutover.expect(claimed_by("service/default/envoy"))
        cutover.expect(logged("Desired change: CREATE api.example.com A"))
        cutover.start_traffic()
        cutover.wait_until(served_by("nlb"), within=5 * MINUTE)
        cutover.hold(3 * MINUTE)
        cutover.wait_until(synced(), within=5 * MINUTE)
