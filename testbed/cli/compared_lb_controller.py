"""`testbed compare --lb-controller BINARY`: the load balancers of the real controller and the emulation."""

from __future__ import annotations

import tempfile
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from testbed.errors import ExitCode
from testbed.options import Options
from testbed.releases import Choice, Named

if TYPE_CHECKING:
    from testbed.rehearsal.compared_balancers import Acts, Moment, Same
    from testbed.rehearsal.scenario import Scenario
    from testbed.report.console import Terminal


def compared(scenario: Scenario, chosen: Options, choice: Choice, console: Terminal) -> int:
    """Play the acts with each, and print after which act their load balancers differ; return the exit code.

    Args:
        scenario: without ExternalDNS, which changes no load balancer.
        choice: of the binary.

    Raises:
        TestbedError: a run ended early.
    """
    from testbed.lb_controller.offline.binary_flags import HIGHEST_SPEED

    emulation = replace(chosen, lb_controller=Named(choice.played, choice.by))
    expected = _played(scenario, emulation)
    own = replace(chosen, speed=min(chosen.speed, HIGHEST_SPEED))
    wanted = [moment.model for moment in expected.moments]
    real = _played(
        scenario, own, lambda number, model: model in wanted[number : number + 1] or not wanted[number:]
    )
    return show(console, choice, expected, real)


def show(console: Terminal, choice: Choice, expected: Acts, real: Acts) -> int:
    """Print each moment with its differences; return the exit code."""
    from testbed.printing import plain
    from testbed.rehearsal import compared_balancers
    from testbed.report import words

    names = f"the emulation of {choice.played}", choice.binary
    found = compared_balancers.differences(expected.moments, real.moments, names)
    for moment, lines in zip(real.moments, found, strict=False):
        console.print(f"step {moment.step}" if moment.step else "before the first step")
        for act in moment.acts:
            console.print(plain(f"  · {act}"), soft_wrap=True)
        for line in lines:
            console.print(plain(f"    ! {line}"), soft_wrap=True)
        if not lines:
            console.print(f"    = both have {_counted(moment)}", soft_wrap=True)
    total = sum(len(lines) for lines in found)
    told = words.count(total, "difference") if total else "no difference"
    moments = words.count(len(found), "moment")
    console.print("")
    console.print(plain(f"{choice}: the model of ELBv2 at {moments}: {told}"), soft_wrap=True)
    if total:
        return ExitCode.FAIL
    stopped, has_any = expected.stopped or real.stopped, any(moment.model for moment in real.moments)
    if stopped:
        told = f"The story ended at `{stopped}`, which failed: what follows was not compared."
        console.print(plain(told), soft_wrap=True)
    elif not has_any:
        console.print("No load balancer was made, so nothing is shown.")
    return ExitCode.INCONCLUSIVE if stopped or not has_any else ExitCode.PASS


def _played(scenario: Scenario, chosen: Options, is_same: Same = lambda _number, _model: True) -> Acts:
    from testbed.rehearsal import compared_balancers
    from testbed.runtime.running import running

    with (
        tempfile.TemporaryDirectory(prefix="testbed-") as folder,
        running(scenario, chosen, Path(folder)) as topology,
    ):
        return compared_balancers.played(scenario, topology, chosen, is_same)


def _counted(moment: Moment) -> str:
    from testbed.report import words

    balancers = sum(" load balancer of " in title for title in moment.model)
    groups = len(moment.model) - balancers
    return f"{words.count(balancers, 'load balancer')} and {words.count(groups, 'target group')}"
