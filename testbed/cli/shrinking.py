"""After a run of chaos that failed: plays parts of its schedule, and prints the shortest that still fails."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from testbed.errors import ExitCode
from testbed.faults import Scheduled
from testbed.options import Options
from testbed.rehearsal import chaos_schedule
from testbed.rehearsal.playing import play, write_start
from testbed.rehearsal.scenario import Scenario
from testbed.rehearsal.shortest_schedule import shortest
from testbed.runtime.running import JOURNAL, running
from testbed.settings import CHAOS
from testbed.verdict.verdict import compute_file

if TYPE_CHECKING:
    from testbed.report.console import Terminal


def shrink(
    console: Terminal, scenario: Scenario, drawn: Sequence[Scheduled], chosen: Options, seconds: float
) -> None:
    """Print the shortest part of a schedule that fails, if the run was short enough to play it again.

    The own faults of the scenario are played in each run.

    Args:
        scenario: as it was written, without the faults that a seed drew.
        drawn: the faults that the seed drew; with all of them the run has failed.
        seconds: wall time that the run took.
    """
    if seconds > CHAOS.longest_to_shrink:
        console.print(
            f"the run took more than {CHAOS.longest_to_shrink:g} s, so no part of its schedule is played: a "
            "higher --speed or a shorter scenario shows the shortest one that fails",
            soft_wrap=True,
        )
        return
    most = 2 ** len(drawn) - 1
    console.print(f"plays parts of the schedule for the shortest that fails, at most {most}", soft_wrap=True)

    def fails(faults: Sequence[Scheduled]) -> bool:
        candidate = replace(scenario, faults=(*scenario.faults, *faults))
        has_failed = _verdict(candidate, chosen) == ExitCode.FAIL
        words = "; ".join(chaos_schedule.lines(replace(scenario, faults=tuple(faults)))) or "none of them"
        console.print(f"  {'fails' if has_failed else 'does not fail'}: {words}", soft_wrap=True)
        return has_failed

    found = shortest(drawn, fails)
    console.print("the shortest schedule that still fails:", soft_wrap=True)
    shown = list(chaos_schedule.lines(replace(scenario, faults=tuple(found))))
    for line in shown or ["none: it fails without any fault of the seed"]:
        console.print(f"  {line}", soft_wrap=True)


def _verdict(scenario: Scenario, chosen: Options) -> int:
    with TemporaryDirectory(prefix="testbed-") as folder:
        with running(scenario, chosen, Path(folder)) as topology:
            write_start(scenario, topology, chosen)
            play(scenario, topology, chosen)
        return compute_file(Path(folder) / JOURNAL).exit_code
