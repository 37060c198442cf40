"""The topologies that measurements run against: an empty one, and one with both balancers."""

from __future__ import annotations

import dataclasses
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from testbed.network import BALANCER_TYPES
from testbed.options import DEFAULT_SCENARIO, Options
from testbed.rehearsal.conditions import active
from testbed.rehearsal.cutover import Cutover
from testbed.rehearsal.scenario import Scenario
from testbed.rehearsal.script import load
from testbed.rehearsal.topology import Topology
from testbed.runtime.running import running
from testbed.settings import DEFAULT_RATE
from testbed.traffic.traffic_plan import TrafficPlan

RATE = 1_000.0
"""Requests per second of the plan; the search for the generator's ceiling begins here."""


@contextmanager
def empty_topology(scenario: Scenario) -> Iterator[Topology]:
    """Run a scenario's topology without any manifest applied; connections have no maximum age."""
    ageless = dataclasses.replace(scenario, connection_age=None)
    with (
        tempfile.TemporaryDirectory(prefix="testbed-bench-") as folder,
        running(ageless, Options(), Path(folder)) as topology,
    ):
        yield topology


@contextmanager
def both_balancers() -> Iterator[tuple[TrafficPlan, str, str, str]]:
    """Run a topology whose name points to the NLB, with an ALB beside it.

    Yields:
        The plan of traffic through the NLB, and the addresses of the NLB, the ALB and a target Envoy. All
        three have the same port and the same routes. Connections have no maximum age, because h2load
        counts the end of a connection at that age as an error.
    """
    scenario = load(DEFAULT_SCENARIO)
    with empty_topology(scenario) as topology:
        network = topology.network
        cutover = Cutover(scenario, topology, DEFAULT_RATE)
        cutover.apply_standing()
        arn = cutover.request_certificate(scenario.host)
        cutover.apply("manifests/2-alb.yaml", CERTIFICATE_ARN=arn)
        for balancer_type in BALANCER_TYPES:
            cutover.wait_until(active(balancer_type), within=300)
        nlb, alb = (
            cutover.addresses(cutover.balancers(balancer_type)[0])[0] for balancer_type in BALANCER_TYPES
        )
        plan = TrafficPlan(
            run="bench",
            clock=topology.clock,
            journal=Path("unused"),  # each measurement has its own
            host=scenario.host,
            port=network.port(topology.setup.port),
            dns=f"{network.dns}:{network.dns_port}",
            ca_file=topology.bundle,
            rate=RATE,
        )
        yield plan, nlb, alb, network.envoy_pod(0)
