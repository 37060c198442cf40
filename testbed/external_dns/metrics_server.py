"""Serves `/metrics` and `/healthz` as ExternalDNS does at its `--metrics-address`.

`/healthz` says 200 OK whatever the syncs do, as the real one: a probe of it learns nothing of them.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from testbed.errors import Missing
from testbed.external_dns.metrics import Metrics
from testbed.external_dns.profile import Profile


@contextmanager
def serving(metrics: Metrics, profile: Profile, address: str, port: int | None) -> Iterator[int | None]:
    """Serve until the context is left; gives the port that it listens at.

    Args:
        metrics: what to serve.
        profile: the version, whose metrics have names of their own.
        address: a loopback address.
        port: 0 for any, None to serve nothing.

    Raises:
        Missing: the port is taken.
    """
    if port is None:
        yield None
        return
    from prometheus_client import CollectorRegistry, generate_latest
    from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4
    from prometheus_client.metrics_core import Metric
    from prometheus_client.registry import Collector

    class _Collector(Collector):
        def collect(self) -> list[Metric]:
            return metrics.families(profile)

    registry = CollectorRegistry()
    registry.register(_Collector())
    pages: dict[str, tuple[str, Callable[[], bytes]]] = {
        "/healthz": ("text/plain; charset=utf-8", lambda: b"OK"),
        "/metrics": (CONTENT_TYPE_PLAIN_0_0_4, lambda: generate_latest(registry)),
    }

    class _Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            kind, page = pages.get(self.path.partition("?")[0], ("text/plain", lambda: b""))
            body = page()
            self.send_response(200 if body else 404)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 as http.server names it
            """Scrapes are no news."""

    try:
        server = ThreadingHTTPServer((address, port), _Handler)
    except OSError as error:
        raise Missing(
            f"cannot serve ExternalDNS's metrics at {address}:{port}: {error.strerror}",
            do="give --metrics-address another port",
        ) from None
    thread = threading.Thread(target=server.serve_forever, name="external-dns-metrics", daemon=True)
    thread.start()
    try:
        yield server.server_port
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
