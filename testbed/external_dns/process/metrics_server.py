"""The server of `/metrics` and `/healthz`, as ExternalDNS has one at its `--metrics-address`.

`/healthz` answers 200 OK whatever the syncs do, as the real one does: a probe learns nothing about them.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from testbed.dated_releases import Release
from testbed.errors import Missing
from testbed.external_dns.process.metrics import Metrics


@contextmanager
def serving(metrics: Metrics, release: Release, address: str, port: int | None) -> Iterator[int | None]:
    """Serve until the context is left; yield the port of the server.

    Args:
        metrics: what to serve.
        release: the version, which has metrics of its own.
        address: a loopback address.
        port: 0 for any free one, None to serve nothing.

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
            return metrics.families(release)

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
            """Log nothing: scrapes come every few seconds."""

    try:
        server = ThreadingHTTPServer((address, port), _Handler)
    except OSError as error:
        raise Missing(
            f"cannot serve ExternalDNS's metrics at {address}:{port}: {error.strerror}",
            do="set another port in --metrics-address",
        ) from None
    thread = threading.Thread(target=server.serve_forever, name="external-dns-metrics", daemon=True)
    thread.start()
    try:
        yield server.server_port
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
