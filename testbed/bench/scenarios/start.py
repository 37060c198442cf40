"""The beginning of the story and a few seconds of traffic: for the time until the first request."""

from pathlib import Path

from testbed.rehearsal import Cutover, scenario
from testbed.rehearsal.conditions import active, alias_at, served_by

MANIFEST = Path(__file__).resolve().parents[3] / "scenarios" / "zozomat" / "manifests" / "1-nlb.yaml"


@scenario("From nothing to traffic through the NLB", host="api.example.com")
def start(cutover: Cutover) -> None:
    """One step, as the story's first, and no expectation."""
    with cutover.step("The NLB serves", why="How long does it take from the command to an answer?"):
        cutover.apply(str(MANIFEST))
        cutover.wait_until(alias_at("nlb"), within=120)
        cutover.wait_until(active("nlb"), within=300)
        cutover.start_traffic()
        cutover.wait_until(served_by("nlb"), within=60)
        cutover.hold(180)
