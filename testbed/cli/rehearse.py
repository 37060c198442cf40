"""`testbed rehearse`: play a scenario and print its verdict."""

from __future__ import annotations

import os
import time
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import click
from click.core import ParameterSource

from testbed.cli import options
from testbed.errors import ExitCode
from testbed.options import Options

if TYPE_CHECKING:
    from testbed.clock import Clock
    from testbed.journal import RateLowered
    from testbed.machine import CpuUse


@click.command()
@options.OF_A_PLAY
@options.CHAOS
@options.KEEP
@options.ENVIRONMENT
@options.ON
@options.LIVE
@options.OPEN
@options.NETWORK
@options.PRIVILEGED_PORTS
def rehearse(**chosen: Any) -> int:
    """Play a scenario and print its verdict.

    SCENARIO is a folder, a script, or SCRIPT:VARIANT.
    """
    return rehearsed(Options(**chosen))


def rehearsed(chosen: Options, *, is_walk: bool = False) -> int:
    """Play a scenario and print its verdict; return the exit code.

    Args:
        is_walk: whether a person predicts each step before it begins.
    """
    # Imported here: `testbed --help` lists the commands without what a run needs.
    from testbed import machine
    from testbed.cli import access, live, open_places
    from testbed.journal import Event
    from testbed.rehearsal import chaos_schedule
    from testbed.rehearsal.balancer_references import check_external_dns, check_references
    from testbed.rehearsal.configured_thresholds import located_thresholds
    from testbed.rehearsal.cutover import Cutover
    from testbed.rehearsal.pace import paced
    from testbed.rehearsal.played_releases import played_releases
    from testbed.rehearsal.playing import play, write_start
    from testbed.rehearsal.script import load
    from testbed.report import report_folder
    from testbed.report.console import Terminal
    from testbed.report.predictions import HOW, Predictions
    from testbed.report.progress import Progress
    from testbed.report.report_files import HTML
    from testbed.report.terminal import print_verdict
    from testbed.runtime.running import JOURNAL, reaches, running
    from testbed.verdict import outage_findings

    before = machine.cpu_use()
    began = time.monotonic()
    scenario = written = load(chosen.scenario)
    if chosen.chaos is not None:
        scenario = chaos_schedule.drawn(written, chosen.chaos, reaches(chosen.on))
    thresholds = located_thresholds(scenario)
    releases = played_releases(scenario, chosen)
    check_references(scenario, thresholds, releases.lb_controller.played)
    check_external_dns(scenario, releases.external_dns)
    limits = [threshold.text for threshold, _ in thresholds]
    console = Terminal()
    chosen, slower = paced(chosen, releases)
    shares = f"{scenario.clients.note}." if scenario.clients and scenario.clients.note else ""
    for line in filter(None, [*releases.lines, shares, slower]):
        console.print(line, soft_wrap=True)
    if chosen.chaos is not None:
        console.print(f"chaos {chosen.chaos}, production time from the start of the traffic:", soft_wrap=True)
        for line in chaos_schedule.lines(scenario):
            console.print(f"  {line}", soft_wrap=True)
    with (
        report_folder.held(chosen.report) as folder,
        running(scenario, chosen, folder) as topology,
        access.environment(topology, chosen, keep=chosen.keep or is_walk or open_places.are_there(topology)),
        live.shown(topology, chosen, console, waits=is_walk) as shown,
    ):
        access.show_real_controllers(console, topology)
        open_places.show(console, topology, chosen)
        lowered = _lowered(chosen, before, topology.clock)
        if lowered:
            chosen = replace(chosen, rate=lowered.rate)
            console.print(outage_findings.lowered(lowered, chosen.speed), soft_wrap=True)
        progress = Progress(console, topology.clock, topology.counts, by_line=is_walk or None)
        predictions = Predictions(
            console,
            hint=access.commands(topology, chosen) if is_walk else (),
            answer=shown.director.answer if shown else console.ask,
            how=live.HOW if shown else HOW,
            tell=shown.director.checked if shown else None,
            alias=lambda: progress.alias,
            balancers=lambda: progress.balancers,
            counts=topology.counts,
        )

        def hear(event: Event) -> None:
            progress.hear(event)
            predictions.hear(event)

        def before_step(number: int, title: str) -> None:
            if shown.director.before_step(number, title) if shown else is_walk:
                predictions.before_step(number, title)

        if shown:
            shown.director.balancers = lambda: progress.balancers
        with progress:
            topology.journal.listener = hear
            write_start(scenario, topology, chosen, limits)
            topology.journal.write(*filter(None, [lowered]))
            play(scenario, topology, chosen, before_step, cutover_of=shown.cutover_of if shown else Cutover)
        topology.journal.listener = None
        # Imported only now, so that the run does not wait for what only its end needs.
        from testbed.report import github
        from testbed.report.writing import write_report

        verdict = write_report(folder / JOURNAL, folder, topology.journal.run)
        print_verdict(verdict, console, folder / HTML)
        if shown:
            shown.judged(verdict)
        if is_walk or predictions.asked:
            console.print(f"\n{predictions.summary}")
        github.publish(verdict, os.environ)
        if chosen.keep:
            access.keep_until_interrupt(console, topology, chosen)
    drawn = scenario.faults[len(written.faults) :]
    if drawn and verdict.exit_code == ExitCode.FAIL and not chosen.keep and not is_walk:
        from testbed.cli.shrinking import shrink

        shrink(console, written, drawn, chosen, time.monotonic() - began)
    return verdict.exit_code


def _lowered(chosen: Options, before: CpuUse, clock: Clock) -> RateLowered | None:
    """Return that the machine is too busy for the rate, measured while the topology started; None if not."""
    from testbed import journal, machine
    from testbed.options import ON_COMPOSE
    from testbed.rehearsal.affordable_rate import affordable_rate

    context = click.get_current_context(silent=True)
    # A rate that somebody chose is meant; and on Compose the run's own containers look like other programs.
    is_own_rate = context and context.get_parameter_source("rate") is ParameterSource.DEFAULT
    if not is_own_rate or chosen.on == ON_COMPOSE:
        return None
    others, cores = machine.cpu_use().of_others(before), machine.cores()
    rate = affordable_rate(chosen.rate, speed=chosen.speed, cores=cores, others=others)
    if rate >= chosen.rate:
        return None
    return journal.RateLowered(
        time=clock.wall(), asked=chosen.rate, rate=rate, others=round(others, 2), cores=cores
    )
