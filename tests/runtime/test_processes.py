"""A topology of local processes, from its start to its end."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

import psutil
import pytest

from testbed import journal
from testbed.clock import Clock
from testbed.errors import BadInput, Missing
from testbed.network import AWS_PORT, Network
from testbed.rehearsal.setup import Setup
from testbed.runtime.processes import Processes
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


def test_local_processes_cannot_be_cut_off(make: Make) -> None:
    with pytest.raises(BadInput, match="play it with --on compose"), make(PLAIN).fault("cut_off", "nlb"):
        pass
