"""The servers behind the target Envoys: the sample service, or the user's own."""

from __future__ import annotations

import shlex
import socket
import sys
from collections.abc import Sequence

from testbed.child_process import Command
from testbed.errors import BadInput, Missing
from testbed.rehearsal.setup import Setup
from testbed.settings import PATIENCE

PODS = 2
"""Backend pods, which all clusters share."""
GRPC_PORT = 50051
REST_PORT = 8000
"""The ports of a backend pod; `testbed.backend` has them as defaults."""


def commands(setup: Setup, addresses: Sequence[str]) -> list[Command]:
    """Return a command for each address; none if the user's own servers run already.

    Raises:
        BadInput: the user's command cannot be read.
    """
    if setup.backend.grpc or setup.backend.rest:
        return []
    return [_command(setup, f"backend-{index}", address) for index, address in enumerate(addresses)]


def check(setup: Setup) -> None:
    """Check what a run needs before anything starts.

    Raises:
        Missing: a server of the user's own does not run.
    """
    for text in (setup.backend.grpc, setup.backend.rest):
        if (place := address(text)) and not _accepts(*place):
            raise Missing(f"nothing answers at {text}", do="start your server before the rehearsal")


def is_ready(setup: Setup, where: str) -> bool:
    """True if a backend pod accepts connections for every protocol that is called."""
    protocols = {call.protocol for call in setup.calls} or {"grpc", "rest"}
    ports = {"grpc": GRPC_PORT, "rest": REST_PORT}
    return all(_accepts(where, ports[protocol]) for protocol in protocols)


def address(text: str) -> tuple[str, int] | None:
    """Return `127.0.0.1:8080` as address and port; None for ""."""
    host, _, port = text.rpartition(":")
    return (host, int(port)) if text else None


def _accepts(host: str, port: int) -> bool:
    try:
        with socket.create_connection((host, port), timeout=PATIENCE.api_call):
            return True
    except OSError:
        return False


def _command(setup: Setup, name: str, where: str) -> Command:
    if not setup.backend.command:
        arguments = [sys.executable, "-m", "testbed.backend", "--name", name, "--address", where]
        return Command(name, [*arguments, *(("--anything",) if setup.calls else ())])
    values = {"name": name, "address": where, "grpc_port": str(GRPC_PORT), "rest_port": str(REST_PORT)}
    try:
        # Split before the values are filled in, so that a value can never become two words; no shell reads
        # them.
        words = shlex.split(setup.backend.command)
        return Command(name, [word.format(**values) for word in words])
    except (ValueError, KeyError, IndexError) as error:
        raise BadInput(
            f"the backend's command {setup.backend.command!r} cannot be read: {error}",
            do=f"only {', '.join(f'{{{key}}}' for key in values)} are replaced in it",
        ) from None
