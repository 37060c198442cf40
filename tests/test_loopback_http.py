"""Requests to a part of this run."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from testbed import loopback_http


class Part(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(503 if self.path == "/starting" else 200)
        self.end_headers()
        self.wfile.write(b"ready")

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture(scope="module")
def part() -> Iterator[str]:
    with HTTPServer(("127.0.0.1", 0), Part) as server:
        serving = threading.Thread(target=server.serve_forever)
        serving.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        serving.join()


def test_the_users_proxy_is_not_asked(part: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    monkeypatch.delenv("no_proxy", raising=False)
    assert loopback_http.get(f"{part}/ready") == b"ready"


def test_an_answer_that_says_not_yet_is_an_os_error(part: str) -> None:
    with pytest.raises(OSError, match="503"):
        loopback_http.get(f"{part}/starting")


def test_a_part_that_is_away_is_an_os_error() -> None:
    with pytest.raises(OSError, match="refused"):
        loopback_http.get("http://127.0.0.1:9/")
