"""What answers behind the target Envoys: the sample service, or the user's own."""

from __future__ import annotations

import shlex
import socket
import sys
from collections.abc import Sequence

from testbed.errors import BadInput, Missing
from testbed.network import Network
from testbed.runtime.process import Command
from testbed.runtime.setup import Setup
from testbed.settings import PATIENCE
from testbed.traffic.calls import from_text

GRPC_PORT = 50051
REST_PORT = 8000
"""Where a backend pod listens; `testbed.backend` has them as defaults."""


def commands(setup: Setup, addresses: Sequence[str]) -> list[Command]:
    """What to start, one for each address; nothing if the user's own servers run already.

    Raises:
        BadInput: the user's command cannot be read.
    """
    if setup.backend_grpc or setup.backend_rest:
        return []
    return [_command(setup, f"backend-{index}", address) for index, address in enumerate(addresses)]


def check(setup: Setup, network: Network) -> None:
    """Look at what must be there before anything starts.

    Raises:
        Missing: a target port needs a right that this user lacks, or a server of the user's own does not run.
    """
    for port in (*setup.tls_ports, *setup.plain_ports):
        if network.port(port) != port:
            raise Missing(
                f"the targets cannot listen on port {port}: it is a privileged one",
                do="give --privileged-ports, or another targetPort",
            )
    for text in (setup.backend_grpc, setup.backend_rest):
        if (found := address(text)) and not _accepts(*found):
            raise Missing(f"nothing answers at {text}", do="start your server before the rehearsal")


def is_ready(setup: Setup, where: str) -> bool:
    """Whether a backend pod accepts connections for all that is called."""
    protocols = {call.protocol for call in from_text(setup.calls)} or {"grpc", "rest"}
    ports = {"grpc": GRPC_PORT, "rest": REST_PORT}
    return all(_accepts(where, ports[protocol]) for protocol in protocols)


def address(text: str) -> tuple[str, int] | None:
    """`127.0.0.1:8080` as address and port, None of ""."""
    host, _, port = text.rpartition(":")
    return (host, int(port)) if text else None


def _accepts(host: str, port: int) -> bool:
    try:
        with socket.create_connection((host, port), timeout=PATIENCE.api_call):
            return True
    except OSError:
        return False


def _command(setup: Setup, name: str, where: str) -> Command:
    if not setup.backend_command:
        arguments = [sys.executable, "-m", "testbed.backend", "--name", name, "--address", where]
        return Command(name, [*arguments, *(("--anything",) if setup.calls else ())])
    values = {"name": name, "address": where, "grpc_port": str(GRPC_PORT), "rest_port": str(REST_PORT)}
    try:
        words = shlex.split(setup.backend_command)
        return Command(name, [word.format(**values) for word in words])
    except (ValueError, KeyError, IndexError) as error:
        raise BadInput(
            f"the backend's command {setup.backend_command!r} cannot be read: {error}",
            do=f"only {', '.join(f'{{{key}}}' for key in values)} are replaced in it",
        ) from None
