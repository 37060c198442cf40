"""The stand-in of the real LB controller, and small scripts, in its place."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from testbed.clock import Clock
from testbed.errors import BadInput, Missing
from testbed.kubernetes import ObjectStore
from testbed.lb_controller.core import chart_webhooks
from testbed.network import Network
from testbed.rehearsal.setup import ClusterSetup
from testbed.runtime.components import real_lb_controller
from testbed.runtime.components.confined_controllers import ConfinedControllers
from testbed.runtime.components.real_lb_controller import RealLbController, install_webhooks, ports, started
from testbed.runtime.upkeep import Upkeep
from testbed.settings import PATIENCE
from tests.real_controllers.programs import script
from tests.runtime.components.test_real_external_dns import until

ROOT = Path(__file__).resolve().parents[3]
SERVES = """
import http.server, json, ssl, sys
flags = dict(word.lstrip("-").partition("=")[::2] for word in sys.argv[1:])
if "version" in flags:
    print('{"level":"info","ts":"2026-11-28T00:00:00Z","msg":"version","GitVersion":"v3.5.0"}')
    sys.exit("unknown flag: --version")

class Probe(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200 if self.path in PATHS else 404)
        self.end_headers()

    def log_message(self, *words):
        pass

http.server.HTTPServer.server_bind = http.server.socketserver.TCPServer.server_bind
print('{"level":"error","msg":"Reconciler error","error":"no subnet"}', flush=True)
address, port = flags["health-probe-bind-addr"].split(":")
http.server.HTTPServer((address, int(port)), Probe).serve_forever()
"""


@pytest.fixture
def upkeep() -> Iterator[Upkeep]:
    made = Upkeep()
    yield made
    made.close()


def make(
    network: Network, upkeep: Upkeep, program: Path, *args: str
) -> tuple[RealLbController, Any, Any, list[tuple[str, str, str]]]:
    log: list[tuple[str, str, str]] = []
    real, event, server = started(
        ClusterSetup(
            external_dns_version="v0.14.2",
            lb_controller_args=args,
            lb_controller_binary=str(program),
            lb_controller_binary_release="v3.5.0",
        ),
        number=0,
        vpc="vpc-1",
        network=network,
        clock=Clock(10.0),
        controllers=ConfinedControllers(network, upkeep.loop(), upkeep, 1),
        kubeconfig=lambda: {"kind": "Config"},
        name="lb-controller",
        log=lambda *words: log.append(words),
    )
    upkeep.thread("lb-controller", real.run, 3 * PATIENCE.process_stop)
    return real, event, server, log


@pytest.mark.parametrize("paths", [("/readyz", "/healthz"), ("/healthz",)])
def test_it_has_begun_when_its_probe_says_so_and_its_log_is_read(
    network: Network, upkeep: Upkeep, tmp_path: Path, paths: tuple[str, ...]
) -> None:
    program = script(tmp_path, f"PATHS = {paths!r}\n{SERVES}")
    real, event, _, log = make(network, upkeep, program, "--default-target-type=ip", "--cluster-name=prod")
    until(real.has_begun.is_set, upkeep)
    assert log[0][:2] == ("error", "Reconciler error: no subnet")
    assert event.release == "v3.5.0"
    assert f"{program} --default-target-type=ip --cluster-name=testbed" in event.command
    assert "--cluster-name is of the run" in event.changed


def test_one_that_exits_at_its_first_flag_ends_the_run_with_its_words(
    network: Network, upkeep: Upkeep, tmp_path: Path
) -> None:
    make(network, upkeep, script(tmp_path, "import sys; sys.exit('unknown flag: --aws-vpc-id')"))
    with pytest.raises(Missing, match="before it had become ready: unknown flag: --aws-vpc-id"):
        until(lambda: False, upkeep)


def test_other_endpoints_are_refused_before_it_starts(
    network: Network, upkeep: Upkeep, tmp_path: Path
) -> None:
    with pytest.raises(BadInput, match="leads away from the testbed"):
        make(network, upkeep, script(tmp_path, ""), "--aws-api-endpoints=ec2=https://example.com")


def test_runs_beside_each_other_have_other_ports_for_webhooks() -> None:
    assert ports(Network(80), 0) == (9480, 61800, 61700)
    assert not {*ports(Network(80), 0)} & {*ports(Network(80), 1)}
    assert ports(Network(81), 0)[0] != ports(Network(80), 0)[0]


def test_its_webhooks_are_the_charts_unless_the_cluster_has_its_own() -> None:
    server = real_lb_controller.webhook_server(Network(80), 9480, "PEM")
    store = ObjectStore(Clock())
    install_webhooks(store, server, services=False)
    assert store.webhook_servers == {(chart_webhooks.NAMESPACE, chart_webhooks.SERVICE): server}
    (made,) = store.list("MutatingWebhookConfiguration")
    assert "mservice.elbv2.k8s.aws" not in [one["name"] for one in made["webhooks"]]
    own = ObjectStore(Clock())
    for item in chart_webhooks.configurations(services=True, name="mine"):
        for webhook in item["webhooks"]:
            webhook["clientConfig"]["service"] |= {"namespace": "lbc", "name": "hooks"}
        own.create(item)
    install_webhooks(own, server, services=True)
    assert own.webhook_servers == {("lbc", "hooks"): server}
    assert [item["metadata"]["name"] for item in own.list("MutatingWebhookConfiguration")] == ["mine"]
