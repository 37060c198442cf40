"""A topology that a person uses: the files and the commands by which standard tools reach it."""

from __future__ import annotations

import shlex
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from testbed.journal import Event, LeftOut, Log
from testbed.options import Options
from testbed.printing import plain
from testbed.report import words
from testbed.report.console import Terminal
from testbed.runtime.environment_files import DEFAULT_FOLDER, FILE, written
from testbed.settings import PATIENCE
from testbed.verdict.controller_errors import sentence

if TYPE_CHECKING:
    from testbed.rehearsal.topology import Topology

HTTPS = 443
SAMPLE_PATH = "/measurements/foot-0"
"""A request that the sample service answers."""


@contextmanager
def environment(topology: Topology, options: Options, *, keep: bool) -> Iterator[None]:
    """Keep the files for standard tools during the block, if `--environment` is given or `keep` is set."""
    folder = options.environment or (DEFAULT_FOLDER if keep else None)
    if folder is None:
        yield
        return
    with written(topology, folder):
        yield


def keep_until_interrupt(console: Terminal, topology: Topology, options: Options) -> None:
    """Print how to reach the topology, and return at Ctrl-C.

    Raises:
        TestbedError: a part of the topology has failed.
    """
    pause = threading.Event()
    try:
        _print(console, topology, options)  # Ctrl-C while it prints is the normal end, too
        show_warnings(console, topology)
        while not pause.wait(PATIENCE.command_look):
            topology.check()
    except KeyboardInterrupt:
        return


def show_real_controllers(console: Terminal, topology: Topology) -> None:
    """Print the command line of each binary of the user that runs, and what is not as it was given."""
    for one in topology.real_controllers:
        for line in words.real_controller(one):
            console.print(plain(line), soft_wrap=True)


def show_warnings(console: Terminal, topology: Topology) -> None:
    """From now on, print what AWS's own parts warn of, and what controllers could not do, each thing once."""
    said: set[str] = set()

    def hear(event: Event) -> None:
        if (error := sentence(event)) and error not in said:
            said.add(error)
            console.print(plain(error), style="yellow", soft_wrap=True)
        if isinstance(event, LeftOut):
            text = plain(f"{event.owner}: {event.text}")
            console.print(text, style="yellow", soft_wrap=True)
        if not isinstance(event, Log) or event.level not in {"warning", "error"}:
            return
        # Whatever else controllers log, they repeat at each of their turns.
        if not event.is_of_controller:
            text = plain(f"{event.component}: {event.message} ({event.line})")
            console.print(text, style="yellow", soft_wrap=True)

    topology.journal.listener = hear


def _print(console: Terminal, topology: Topology, options: Options) -> None:
    console.print(f"The topology runs on {topology.network}. Ctrl-C stops it. In another terminal:\n")
    for command in commands(topology, options):
        console.print(f"  {command}", soft_wrap=True)


def commands(topology: Topology, options: Options) -> list[str]:
    """Return the lines to type in another terminal, which reach the topology by standard tools."""
    setup = topology.setup
    folder = options.environment or DEFAULT_FOLDER
    place = setup.host if setup.port == HTTPS else f"{setup.host}:{setup.port}"
    rest = next((call for call in setup.calls if call.protocol == "rest"), None)
    path = rest.path if rest else ("" if setup.calls else SAMPLE_PATH)
    return [
        f". {shlex.quote(str(folder / FILE))}",
        f"dig {setup.host}",
        *([f"curl {shlex.quote(f'https://{place}{path}')}"] if path else []),
        "aws route53 list-hosted-zones",
        "aws elbv2 describe-load-balancers",
        *(["kubectl get services,ingresses --all-namespaces"] if topology.cluster.kubernetes else []),
    ]
