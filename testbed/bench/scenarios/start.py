"""A few seconds of traffic through an NLB that stands already: how long does the first request take?"""

from pathlib import Path

from testbed import Cutover, scenario
from testbed.conditions import active, alias_at, served_by

MANIFEST = Path(__file__).resolve().parents[3] / "scenarios" / "zozomat" / "manifests" / "1-nlb.yaml"


@scenario("From nothing to traffic through the NLB", host="api.example.com", manifests=[str(MANIFEST)])
def start(cutover: Cutover) -> None:
    """Send requests through the balancer, without expectations."""
    with cutover.step("The NLB serves", why="How long does it take from the command to an answer?"):
        cutover.wait_until(alias_at("nlb"), within=120)
        cutover.wait_until(active("nlb"), within=300)
        cutover.start_traffic()
        cutover.wait_until(served_by("nlb"), within=60)
        cutover.hold(180)
