"""`python -m testbed.backend --name backend-0 --address 127.81.2.1`: one pod of the sample service.

It prints `ready` when both ports listen. On SIGTERM it finishes the requests in flight, then exits with 0. If
a port is taken, it prints one line and exits with 3.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import signal
import sys

import uvloop

from testbed.backend.rest_service import serve_rest
from testbed.errors import ExitCode, Missing
from testbed.garbage import keep_what_is_there
from testbed.settings import PATIENCE

GRPC_PORT = 50051
REST_PORT = 8000
GRACE = PATIENCE.process_stop / 2
"""Wall seconds for requests in flight: half of the time that the parent waits before it kills."""


async def serve(name: str, address: str, grpc_port: int, rest_port: int, *, anything: bool = False) -> None:
    """Serve until SIGTERM or SIGINT.

    Raises:
        Missing: a port is taken.
    """
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    try:
        rest, connections = await serve_rest(name, address, rest_port, any_path=anything)
    except OSError as error:
        raise Missing(f"{address}:{rest_port} cannot be bound: {os.strerror(error.errno or 0)}") from None
    os.environ.setdefault(
        "GRPC_VERBOSITY", "NONE"
    )  # read at import; the one error that matters is raised below
    from testbed.backend.grpc_service import serve_grpc

    try:
        grpc_server = await serve_grpc(name, address, grpc_port, any_method=anything)
    except RuntimeError:
        rest.close()
        raise Missing(f"{address}:{grpc_port} cannot be bound: address already in use") from None
    keep_what_is_there()
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    await stop.wait()
    rest.close()
    for connection in list(connections):
        connection.drain()
    await grpc_server.stop(GRACE)
    closed = [connection.closed for connection in connections]
    if closed:
        await asyncio.wait(closed, timeout=GRACE)


def main() -> int:
    """Read the command line and serve; return the exit status."""
    parser = argparse.ArgumentParser(prog="testbed.backend")
    parser.add_argument("--name", required=True, help="the pod's name, which each answer contains")
    parser.add_argument("--address", required=True, help="the pod's IP")
    parser.add_argument("--grpc-port", type=int, default=GRPC_PORT)
    parser.add_argument("--rest-port", type=int, default=REST_PORT)
    parser.add_argument("--anything", action="store_true", help="answer any gRPC method and any REST path")
    options = parser.parse_args()
    try:
        ports = options.grpc_port, options.rest_port
        uvloop.run(serve(options.name, options.address, *ports, anything=options.anything))
    except Missing as error:
        sys.stderr.write(f"{error}\n")
        return error.exit_code
    return ExitCode.PASS


if __name__ == "__main__":
    sys.exit(main())
