"""A story in which nothing moves, and the schedules of several seeds one after another: a step for each."""

import os
from contextlib import ExitStack
from pathlib import Path

from testbed import Cutover, scenario
from testbed.conditions import active, alias_at, served_by
from testbed.faults import Reach
from testbed.rehearsal.chaos_schedule import drawn
from testbed.rehearsal.scenario import Scenario
from testbed.settings import CHAOS

MINUTE = 60
MANIFESTS = "../../../scenarios/zozomat/manifests"
HOST, ZONE = "api.example.com", "example.com"
SEEDS = tuple(map(int, os.environ.get("CHAOS_SEEDS", "1").split()))
SPAN = CHAOS.faults * CHAOS.slot + MINUTE / 2
"""Production seconds of a seed: its schedule, and time in which what it broke comes back."""
BARE = Scenario(play=lambda _: None, name="bare", title="Bare", host=HOST, zone=ZONE, folder=Path())


@scenario(
    "Seeds one after another",
    host=HOST,
    manifests=[f"{MANIFESTS}/1-nlb.yaml"],
    external_dns_release="v0.7.4",
    lb_controller="v2.1.0",
)
def seeds(cutover: Cutover) -> None:
    with cutover.step("The NLB serves", why="Nothing moves; whatever happens, a fault has done."):
        cutover.wait_until(active("nlb"), within=5 * MINUTE)
        cutover.wait_until(alias_at("nlb"), within=5 * MINUTE)
        cutover.start_traffic()
        cutover.wait_until(served_by("nlb"), within=1 * MINUTE)
    for seed in SEEDS:
        with cutover.step(f"Seed {seed}", why="Its faults strike now."), ExitStack() as stack:
            for one in drawn(BARE, seed, frozenset(Reach)).faults:
                stack.enter_context(cutover.fault(one.fault, at=one.start, for_=one.lasts))
            cutover.hold(SPAN)
