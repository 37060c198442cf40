"""The fault filters of several Envoys, as their admin interfaces see them."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from testbed.network import Network
from testbed.runtime.components.fault_filters import set_in

ASKED: list[str] = []


class Admin(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        ASKED.append(self.path)
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None: ...


@pytest.fixture
def admin(network: Network) -> Iterator[str]:
    ASKED.clear()
    with ThreadingHTTPServer((network.control, 0), Admin) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://{network.control}:{server.server_port}"
        server.shutdown()
        thread.join()


def test_keys_are_set_and_then_zero_in_each(admin: str) -> None:
    with set_in([admin, admin], {"fault.a": 7}):
        assert ASKED == ["/runtime_modify?fault.a=7"] * 2
    assert ASKED[2:] == ["/runtime_modify?fault.a=0"] * 2


def test_they_are_zero_even_if_the_block_fails(admin: str) -> None:
    with pytest.raises(ZeroDivisionError), set_in([admin], {"fault.a": 7}):
        raise ZeroDivisionError
    assert ASKED[-1] == "/runtime_modify?fault.a=0"
