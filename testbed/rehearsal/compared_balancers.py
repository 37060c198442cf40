"""Plays the acts of a scenario without traffic, and reads what its controllers have made after each.

Two runs of the same acts can be held against each other: one with the emulation, one with a real controller.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from testbed.rehearsal import balancer_model
from testbed.rehearsal.balancer_model import Model
from testbed.rehearsal.playing import play
from testbed.rehearsal.unattended import Unattended
from testbed.settings import PATIENCE

if TYPE_CHECKING:
    from testbed.options import Options
    from testbed.rehearsal.scenario import Scenario
    from testbed.rehearsal.topology import Topology

Same = Callable[[int, Model], bool]
"""Tells whether the model of the moment with this number is the one that is waited for."""


@dataclass(frozen=True, slots=True)
class Acts:
    """The acts of a story as they were played.

    Attributes:
        moments: in their order.
        stopped: the command at which the story ended before its end; "" if none failed.
    """

    moments: Sequence[Moment]
    stopped: str = ""


@dataclass(frozen=True, slots=True)
class Moment:
    """A place of the story where it waits or looks, and so the controllers were at rest.

    Attributes:
        step: its number, 0 before the first one.
        acts: what the operator did since the moment before.
        model: what there is then.
    """

    step: int
    acts: tuple[str, ...]
    model: Model


def played(
    scenario: Scenario, topology: Topology, options: Options, is_same: Same = lambda _number, _model: True
) -> Acts:
    """Play a scenario's acts on a running topology.

    Args:
        is_same: a controller of its own time is read again until this holds, for `PATIENCE.condition`.

    Raises:
        TestbedError: the run ended early.
    """
    found: list[Moment] = []

    def settled(step: int, acts: tuple[str, ...]) -> None:
        model = _read_until(topology, lambda seen: is_same(len(found), seen))
        found.append(Moment(step, acts, model))

    cutover = Unattended(scenario, topology, settled)
    play(scenario, topology, options, cutover_of=lambda *_: cutover)
    return Acts(found, cutover.stopped)


def _read_until(topology: Topology, holds: Callable[[Model], bool]) -> Model:
    from botocore.exceptions import ClientError

    clock, pause = topology.clock, threading.Event()
    deadline = clock.wall() + PATIENCE.condition
    while True:
        try:
            model = balancer_model.read(topology.clients, topology.network)
        except ClientError:
            model = None  # something went while it was read
        if model is not None and (holds(model) or clock.wall() > deadline):
            return model
        topology.check()
        pause.wait(PATIENCE.command_look)


def differences(one: Sequence[Moment], other: Sequence[Moment], names: tuple[str, str]) -> list[list[str]]:
    """Return the lines of difference at each moment that both runs came to.

    Args:
        names: who made each, for people.
    """
    return [
        balancer_model.differences(own.model, there.model, names)
        for own, there in zip(one, other, strict=False)
    ]
