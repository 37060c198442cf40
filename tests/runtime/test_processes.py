"""A topology of local processes, from its start to its end."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from dataclasses import replace
from pathlib import Path

import psutil
import pytest

from testbed import journal
from testbed.clock import Clock
from testbed.errors import Missing
from testbed.faults import AddressGone, EdgeReset, EdgeSlow, ZoneDead
from testbed.network import AWS_PORT, Network
from testbed.rehearsal.setup import Setup
from testbed.runtime.components import backends
from testbed.runtime.processes import Processes
from testbed.settings import PATIENCE
from tests.made_setups import PLAIN

Make = Callable[[Setup], Processes]


@pytest.fixture
def make(network: Network, tmp_path: Path) -> Iterator[Make]:
    with ExitStack() as stack:

        def made(setup: Setup) -> Processes:
            written = stack.enter_context(journal.Journal(tmp_path / "journal.ndjson"))
            topology = Processes(setup, Clock(300.0), network, written, tmp_path)
            stack.callback(topology.close)
            return topology

        yield made


def children() -> set[psutil.Process]:
    return set(psutil.Process().children(recursive=True))


@pytest.mark.timeout(60)
def test_it_starts_whole_serves_its_tools_and_leaves_nothing(make: Make, network: Network) -> None:
    setup = replace(PLAIN, clusters=(PLAIN.cluster, replace(PLAIN.cluster, name="second")))
    before = children()
    topology = make(setup)
    topology.start()
    topology.check()
    assert list(topology.clusters) == ["testbed", "second"]
    assert topology.cluster is topology.clusters["testbed"]
    # moto, two backends, the generator, two balancer Envoys, and two target Envoys of each cluster
    assert len(children() - before) >= 10
    tools = topology.tools()
    assert Path(tools["KUBECONFIG"]).is_relative_to(tools["HOME"])
    assert tools["AWS_ENDPOINT_URL"] == network.aws_endpoint
    assert topology.tools() is tools
    zones = topology.clients.route53.list_hosted_zones()["HostedZones"]
    assert [zone["Name"] for zone in zones] == ["example.com."]
    assert topology.counts().total == 0
    assert topology.balancers() == ()
    assert topology.flows("nowhere.elb.amazonaws.com") == 0
    assert topology.addresses("nowhere.elb.amazonaws.com") == ()
    topology.finish()
    topology.close()
    assert not Path(tools["HOME"]).exists()
    assert children() == before


def test_a_taken_port_is_missing_and_what_had_started_ends(make: Make, network: Network) -> None:
    topology = make(PLAIN)
    with socket.socket() as other:
        other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        other.bind((network.control, AWS_PORT))
        other.listen()
        with pytest.raises(Missing, match=str(AWS_PORT)):
            topology.start()
    topology.close()


def test_a_process_that_ends_fails_the_run(make: Make) -> None:
    topology = make(PLAIN)
    topology.start()
    backend = next(one for _, one in topology._backends)
    psutil.Process(backend.pid).kill()
    backend.wait(5)
    with pytest.raises(Missing, match="backend-0 ended with status"):
        topology.check()


def test_a_zone_an_edge_and_a_part_are_struck_and_serve_again(make: Make) -> None:
    topology = make(PLAIN)
    topology.start()
    address, _ = topology._backends[0]
    port = backends.GRPC_PORT

    def answers() -> bool:
        with suppress(OSError), socket.create_connection((address, port), PATIENCE.command_look):
            return True
        return False

    assert answers()
    with topology.fault("cut_off", "backend-0"):
        assert not answers()
    assert answers()
    for fault in (
        EdgeSlow("targets-backends", 0.01),
        ZoneDead("nlb"),
        AddressGone("alb", "c"),
        EdgeReset("clients-alb"),
    ):
        with topology.strike(fault):
            assert answers()
    assert answers()
    topology.check()
