from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from testbed.errors import Missing
from testbed.load_balancers.envoy_stats import metrics
from testbed.network import Network

Admin = Callable[[dict[str, int]], str]


@pytest.fixture
def admin(network: Network) -> Iterator[Admin]:
    """Starts an admin interface with statistics; returns its URL."""
    with ExitStack() as stack:

        def start(statistics: dict[str, int]) -> str:
            class Handler(BaseHTTPRequestHandler):
                def do_GET(self) -> None:
                    listed = [{"name": name, "value": value} for name, value in statistics.items()]
                    self.send_response(200)
                    self.end_headers()
                    # Envoy also lists entries without a name: histograms.
                    self.wfile.write(json.dumps({"stats": [*listed, {"histograms": {}}]}).encode())

                def log_message(self, *_: object) -> None: ...

            server = stack.enter_context(ThreadingHTTPServer((network.control, 19000), Handler))
            threading.Thread(target=server.serve_forever, daemon=True).start()
            stack.callback(server.shutdown)
            return f"http://{network.control}:19000"

        yield start


def test_the_statistics_of_all_balancers_of_a_type_add_up(admin: Admin) -> None:
    url = admin(
        {
            "listener.nlb_one.downstream_cx_active": 2,
            "listener.nlb_two.downstream_cx_active": 3,
            "listener.nlb_two.downstream_cx_total": 7,
        }
    )
    assert metrics(url, "nlb") == {"ActiveFlowCount": 5, "NewFlowCount": 7}
    assert metrics(url, "nlb", "two") == {"ActiveFlowCount": 3, "NewFlowCount": 7}
    assert metrics(url, "nlb", "three") == {"ActiveFlowCount": 0, "NewFlowCount": 0}


def test_statistics_of_worker_threads_and_without_a_metric_are_left_out(admin: Admin) -> None:
    url = admin(
        {
            "listener.alb_web.worker_0.downstream_cx_active": 9,
            "listener.alb_web.downstream_cx_destroy": 9,
            "listener.alb_web.ssl.connection_error": 1,
            "listener.alb_web.downstream_cx_overflow": 4,
        }
    )
    assert metrics(url, "alb") == {
        "ActiveConnectionCount": 0,
        "NewConnectionCount": 0,
        "RejectedConnectionCount": 4,
        "ClientTLSNegotiationErrorCount": 1,
    }


def test_an_envoy_that_does_not_answer_is_missing(network: Network) -> None:
    with pytest.raises(Missing, match=r"the Envoy of the albs does not answer: .*refused"):
        metrics(f"http://{network.control}:19000", "alb")
