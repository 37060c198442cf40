"""`testbed up`: keep a scenario's topology running as it stands before the cutover."""

from __future__ import annotations

from typing import Any

import click

from testbed.cli import options
from testbed.errors import ExitCode
from testbed.options import Options


@click.command()
@options.SCENARIO
@options.SPEED
@options.external_dns(default=options.OF_THE_RUN)
@options.lb_controller(default=options.OF_THE_RUN)
@options.SEED
@options.ENVIRONMENT
@options.EMPTY
@options.LIVE
@options.OPEN
@options.NETWORK
@options.PRIVILEGED_PORTS
def up(**chosen: Any) -> int:
    """Keep the topology of a scenario running until Ctrl-C.

    SCENARIO is a folder, a script, or SCRIPT:VARIANT. The topology stands as it does before the cutover.
    """
    return _up(Options(**chosen))


def _up(chosen: Options) -> int:
    # Imported here: `testbed --help` lists the commands without what a run needs.
    import contextlib
    import tempfile
    from pathlib import Path

    from testbed.cli import access, live, open_places
    from testbed.rehearsal import standing
    from testbed.rehearsal.cutover import Cutover
    from testbed.rehearsal.pace import paced
    from testbed.rehearsal.played_releases import played_releases
    from testbed.rehearsal.playing import write_start
    from testbed.rehearsal.script import load
    from testbed.report.console import Terminal
    from testbed.runtime.running import running

    scenario = load(chosen.scenario)
    console = Terminal()
    releases = played_releases(scenario, chosen)
    chosen, slower = paced(chosen, releases)
    for line in filter(None, [*releases.lines, slower]):
        console.print(line, soft_wrap=True)
    with (
        tempfile.TemporaryDirectory(prefix="testbed-") as folder,
        running(scenario, chosen, Path(folder)) as topology,
        live.shown(topology, chosen, console, has_steps=False) as shown,
        contextlib.closing(
            (shown.cutover_of if shown else Cutover)(scenario, topology, chosen.rate)
        ) as cutover,
    ):
        if shown:
            write_start(scenario, topology, chosen)
        access.show_real_controllers(console, topology)
        access.show_warnings(console, topology)
        with contextlib.ExitStack() as stack:
            if open_places.are_there(topology):
                # What the run waits for below comes from a program that needs these files.
                stack.enter_context(access.environment(topology, chosen, keep=True))
                open_places.show(console, topology, chosen)
            if chosen.empty:
                topology.begin_story()
            else:
                standing.make(cutover, console.print)
            if not open_places.are_there(topology):
                stack.enter_context(access.environment(topology, chosen, keep=True))
            access.keep_until_interrupt(console, topology, chosen)
    return ExitCode.PASS
