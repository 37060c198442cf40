"""`testbed compare`: play the acts of a scenario with a real controller, and the emulation beside it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import click

from testbed.cli import options
from testbed.errors import BadInput, ExitCode
from testbed.options import Options

if TYPE_CHECKING:
    from testbed.rehearsal.scenario import Scenario
    from testbed.releases import Choice
    from testbed.report.console import Terminal
    from testbed.runtime.components.compared_external_dns import ComparedSync

SPEED = 600.0
"""Production seconds a second: each sync is a process of its own, so that no interval is waited for."""


@click.command()
@options.SCENARIO
@options.external_dns(text="The binary to compare with the emulation of its release", default="")
@options.lb_controller(text="The binary to compare with the emulation of its release", default="")
@options.SEED
@options.NETWORK
def compare(**chosen: Any) -> int:
    """Show decision by decision where a real controller and its emulation differ.

    SCENARIO is a folder, a script, or SCRIPT:VARIANT. Its acts are played without traffic. Wherever it waits
    or looks, the real ExternalDNS syncs, and the emulation over the same objects and records: it agrees if
    some order of the objects makes it send the same to Route 53. The acts are played again with the real LB
    controller, and its load balancers compared with the emulation's. Exit code 1 on a difference, 4 if a
    command of the scenario failed, or nothing was sent or made.
    """
    return _compared(Options(**chosen, speed=SPEED))


def _compared(chosen: Options) -> int:
    # Imported here: `testbed --help` lists the commands without what a run needs.
    from dataclasses import replace

    from testbed.cli import compared_lb_controller
    from testbed.real_controllers.named_release import is_image
    from testbed.rehearsal.played_releases import played_releases
    from testbed.rehearsal.script import load
    from testbed.releases import Named
    from testbed.report.console import Terminal

    scenario = load(chosen.scenario)
    releases = played_releases(scenario, chosen)
    choice, balancers = releases.external_dns, releases.lb_controller
    if not choice.binary and not balancers.binary:
        raise BadInput("there is nothing to compare with", do="name a binary: --external-dns ./external-dns")
    if is_image(choice.binary):
        raise BadInput(
            f"{choice.binary} is an image; the comparison runs a file", do="take it out of the image"
        )
    if choice.binary and not scenario.external_dns:
        raise BadInput(f"the scenario {scenario.name} has no ExternalDNS", do="choose one that has")
    console = Terminal()
    for line in releases.lines:
        console.print(line, soft_wrap=True)
    # The real one syncs when it is told to, so the cluster has none that runs by itself.
    alone = replace(scenario, external_dns=(), external_dns_by_version={})
    codes = []
    if balancers.binary:
        codes.append(compared_lb_controller.compared(alone, chosen, balancers, console))
        chosen = replace(chosen, lb_controller=Named(balancers.played, balancers.by))
    if choice.binary:
        flags = releases.external_dns_flags
        codes.append(_compared_external_dns(alone, flags, chosen, choice, console))
    return ExitCode.FAIL if ExitCode.FAIL in codes else max(codes)


def _compared_external_dns(
    alone: Scenario, flags: Sequence[str], chosen: Options, choice: Choice, console: Terminal
) -> int:
    import tempfile
    from pathlib import Path

    from testbed.rehearsal.playing import play
    from testbed.rehearsal.unattended import Unattended
    from testbed.runtime.components.compared_external_dns import ComparedExternalDns
    from testbed.runtime.running import confined_controllers, running

    result = _Comparison(console)
    with (
        tempfile.TemporaryDirectory(prefix="testbed-") as folder,
        running(alone, chosen, Path(folder)) as topology,
    ):
        controllers = confined_controllers(topology)
        compared = ComparedExternalDns(choice.binary, choice.played, flags, topology, controllers)

        def settled(step: int, acts: tuple[str, ...]) -> None:
            result.show(step, acts, list(compared.syncs()))

        cutover = Unattended(alone, topology, settled)
        play(alone, topology, chosen, cutover_of=lambda *_: cutover)
    return result.end(str(choice), cutover.stopped)


class _Comparison:
    """What was compared so far, printed as it comes."""

    def __init__(self, console: Terminal) -> None:
        self._console = console
        self._syncs = self._changes = self._differences = 0

    def show(self, step: int, acts: tuple[str, ...], syncs: list[ComparedSync]) -> None:
        """Print acts, and the syncs after them."""
        from testbed.external_dns.offline import reached_text
        from testbed.printing import plain

        lines = [f"step {step}" if step else "before the first step", *(f"  · {act}" for act in acts)]
        for one in syncs:
            if one.agrees:
                lines += reached_text.agreement(one.real)
            else:
                lines += reached_text.difference(one.real, one.emulated)
        for line in lines:
            self._console.print(plain(line), soft_wrap=True)
        self._syncs += len(syncs)
        self._changes += sum(len(batch.changes) for one in syncs for batch in one.real.batches)
        self._differences += sum(not one.agrees for one in syncs)

    def end(self, what: str, stopped: str = "") -> int:
        """Print the sum, and return the exit code.

        Args:
            what: was compared.
            stopped: the command at which the story ended before its end.
        """
        from testbed.printing import plain
        from testbed.report import words

        compared = f"{words.count(self._syncs, 'sync')}, {words.count(self._changes, 'change')} to Route 53"
        difference = words.count(self._differences, "difference") if self._differences else "no difference"
        self._console.print(f"\n{what}: {compared}: {difference}", soft_wrap=True)
        if self._differences:
            return ExitCode.FAIL
        if stopped:
            text = f"The story ended at `{stopped}`, which failed: what follows was not compared."
            self._console.print(plain(text), soft_wrap=True)
        elif not self._changes:
            self._console.print("Nothing was sent to Route 53, so nothing is shown.")
        return ExitCode.INCONCLUSIVE if stopped or not self._changes else ExitCode.PASS
