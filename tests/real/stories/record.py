"""The NLB of the story and its record, which any ExternalDNS may write: nobody looks at its log."""

from __future__ import annotations

from testbed.rehearsal import Cutover, scenario
from testbed.rehearsal.conditions import active, alias_at, claimed_by, served_by

MINUTE = 60.0
NLB = "../../../scenarios/zozomat/manifests/1-nlb.yaml"


@scenario("A record by anybody", host="api.example.com")
def a_record(cutover: Cutover) -> None:
    with cutover.step("The NLB gets its record", why="As it stands."):
        cutover.apply(NLB)
        cutover.wait_until(active("nlb"), within=10 * MINUTE)
        cutover.wait_until(alias_at("nlb"), within=10 * MINUTE)
        cutover.expect(claimed_by("service/default/envoy"))
        cutover.start_traffic()
        cutover.wait_until(served_by("nlb"), within=5 * MINUTE)
        cutover.hold(3 * MINUTE)
