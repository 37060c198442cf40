"""Targets that tests hold in their hands."""

from __future__ import annotations

import contextlib
import http.server
import socket
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from testbed.settings import PATIENCE

Address = tuple[str, int]


@dataclass
class HeldTarget:
    """An HTTP/1.1 target: `/slow` waits until it is released, everything else answers at once.

    Attributes:
        address: where it listens.
        held: how many requests wait.
        answered: how many were answered at once.
    """

    address: Address
    held: int = 0
    answered: int = 0
    released: threading.Event = field(default_factory=threading.Event)


@contextlib.contextmanager
def serving(*addresses: Address) -> Iterator[list[HeldTarget]]:
    """Targets that listen while the block runs."""
    targets = [HeldTarget(address) for address in addresses]
    servers = [http.server.ThreadingHTTPServer(one.address, _handler(one)) for one in targets]
    threads = [
        threading.Thread(target=one.serve_forever, kwargs={"poll_interval": PATIENCE.poll}) for one in servers
    ]
    for thread in threads:
        thread.start()
    try:
        yield targets
    finally:
        for target in targets:
            target.released.set()
        for server, thread in zip(servers, threads, strict=True):
            server.shutdown()
            server.server_close()
            thread.join()


def _handler(target: HeldTarget) -> Callable[..., http.server.BaseHTTPRequestHandler]:
    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            if self.path == "/slow":
                target.held += 1
                target.released.wait(PATIENCE.condition)
                target.held -= 1
            else:
                target.answered += 1
            body = target.address[0].encode()
            self.send_response(200)
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            pass

    return Handler


@contextlib.contextmanager
def receiving(address: Address, size: int) -> Iterator[list[bytes]]:
    """A target that keeps the first bytes of each connection, as many as it gets up to `size`."""
    got: list[bytes] = []
    with socket.create_server(address) as server:
        thread = threading.Thread(target=_receive, args=(server, size, got))
        thread.start()
        try:
            yield got
        finally:
            server.shutdown(socket.SHUT_RDWR)
            thread.join()


def _receive(server: socket.socket, size: int, got: list[bytes]) -> None:
    with contextlib.suppress(OSError):  # the listening socket was shut down
        while True:
            connection, _ = server.accept()
            with connection:
                connection.settimeout(PATIENCE.request)
                data = b""
                while len(data) < size and (more := connection.recv(size - len(data))):
                    data += more
                got.append(data)
