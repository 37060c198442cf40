"""Draws a schedule of faults from a seed: the same seed draws the same for the same scenario and runtime."""

from __future__ import annotations

import random
from collections.abc import Collection, Iterator, Sequence
from dataclasses import replace

from testbed.faults import KNOWN, ExternalDnsStopped, InjectedFault, Reach, Scheduled
from testbed.faults.struck_edge import Edge
from testbed.faults.struck_part import BACKENDS, TARGETS
from testbed.faults.words import Part
from testbed.rehearsal.scenario import Scenario
from testbed.settings import CHAOS


def drawn(scenario: Scenario, seed: int, reaches: Collection[Reach]) -> Scenario:
    """Return a scenario with the faults that a seed draws, besides its own.

    One fault after the other, each in a slot of its own from the start of the traffic on, so that no two
    strike at once.

    Args:
        reaches: where faults may strike in the runtime.
    """
    dice = random.Random(seed)  # noqa: S311 the dice of a rehearsal, not of a key
    known = [one for _, one in sorted(KNOWN.items()) if one.reach in reaches]
    choices = [samples for one in known if (samples := _samples(scenario, one))]
    faults = []
    for slot in range(CHAOS.faults):
        fault = dice.choice(dice.choice(choices))
        at = slot * CHAOS.slot + dice.randint(*CHAOS.waits)
        faults.append(Scheduled(fault, at=float(at), for_=float(dice.randint(*CHAOS.lasts))))
    return replace(scenario, faults=(*scenario.faults, *faults))


def lines(scenario: Scenario) -> Iterator[str]:
    """Yield a line for each fault: `at 0:42 for 31 s: target-killed envoy-1`."""
    for one in sorted(scenario.faults, key=lambda one: one.start):
        minutes, rest = divmod(round(one.start), 60)
        lasts = "" if one.lasts is None else f" for {one.lasts:g} s"
        yield f"at {minutes}:{rest:02}{lasts}: {one.fault.text}"


def _samples(scenario: Scenario, fault: type[InjectedFault]) -> Sequence[InjectedFault]:
    """Return the values of a fault that strike something which the run has."""
    if issubclass(fault, ExternalDnsStopped) and not scenario.external_dns:
        return ()
    absent: list[Part | Edge] = []
    if not any(one.name == "envoy" for one in scenario.targets):
        absent += TARGETS
    if scenario.traffic is not None:  # then they may be the user's own
        absent += [*BACKENDS, "targets-backends"]
    return [
        one
        for one in fault.samples()
        if getattr(one, "part", None) not in absent and getattr(one, "edge", None) not in absent
    ]
