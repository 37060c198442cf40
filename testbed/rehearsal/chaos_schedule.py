"""Draws a schedule of faults from a seed: the same seed draws the same for the same scenario and runtime."""

from __future__ import annotations

import random
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import replace

from testbed.faults import (
    KNOWN,
    ExternalDnsStopped,
    InjectedFault,
    Reach,
    Scheduled,
    TargetErrors,
    TargetSlow,
)
from testbed.faults.struck_part import BACKENDS, BALANCERS, TARGETS, StruckPart
from testbed.faults.words import Part
from testbed.rehearsal.scenario import Scenario
from testbed.settings import CHAOS

Dice = random.Random
_STATUSES = (500, 502, 503, 504)
_SHARES = (0.1, 0.5, 1.0)
_DELAYS = (0.05, 0.2, 0.5)


def drawn(scenario: Scenario, seed: int, reaches: Collection[Reach]) -> Scenario:
    """Return a scenario with the faults that a seed draws, besides its own.

    One fault after the other, each in a slot of its own from the start of the traffic on, so that no two
    strike at once.

    Args:
        reaches: where faults may strike in the runtime.
    """
    dice = random.Random(seed)  # noqa: S311 the dice of a rehearsal, not of a key
    choices = [
        one for name, one in sorted(KNOWN.items()) if one.reach in reaches and _is_there(scenario, one)
    ]
    faults = []
    for slot in range(CHAOS.faults):
        fault = _made(dice.choice(choices), dice, scenario)
        at = slot * CHAOS.slot + dice.randint(*CHAOS.waits)
        faults.append(Scheduled(fault, at=float(at), for_=float(dice.randint(*CHAOS.lasts))))
    return replace(scenario, faults=(*scenario.faults, *faults))


def lines(scenario: Scenario) -> Iterator[str]:
    """Yield a line for each fault: `at 0:42 for 31 s: target-killed envoy-1`."""
    for one in sorted(scenario.faults, key=lambda one: one.start):
        minutes, rest = divmod(round(one.start), 60)
        lasts = "" if one.lasts is None else f" for {one.lasts:g} s"
        yield f"at {minutes}:{rest:02}{lasts}: {one.fault.text}"


def _is_there(scenario: Scenario, fault: type[InjectedFault]) -> bool:
    if issubclass(fault, StruckPart):
        return bool(_parts(scenario, fault))
    return fault is not ExternalDnsStopped or bool(scenario.external_dns)


def _parts(scenario: Scenario, fault: type[StruckPart]) -> Sequence[Part]:
    """Return the parts of the run that a fault may strike."""
    there = [*BALANCERS]
    there += TARGETS if any(one.name == "envoy" for one in scenario.targets) else ()
    there += BACKENDS if scenario.traffic is None else ()  # else they may be the user's own
    return [part for part in fault.parts if part in there]


def _made(fault: type[InjectedFault], dice: Dice, scenario: Scenario) -> InjectedFault:
    if issubclass(fault, StruckPart):
        return fault(dice.choice(_parts(scenario, fault)))
    if issubclass(fault, TargetErrors):
        return fault(dice.choice(_STATUSES), dice.choice(_SHARES))
    if issubclass(fault, TargetSlow):
        return fault(dice.choice(_DELAYS), dice.choice(_SHARES))
    without_fields: Callable[[], InjectedFault] = fault
    return without_fields()
