"""The clients of a run: the generator's process, its counts so far, and probes beside it."""

from __future__ import annotations

import sys
import threading
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from testbed.balancer_identity import BalancerIdentity, BalancerNames
from testbed.child_process import Command, Process
from testbed.clock import Clock
from testbed.errors import Missing
from testbed.journal import Journal
from testbed.network import Network
from testbed.rehearsal.setup import Setup
from testbed.runtime.upkeep import Upkeep
from testbed.settings import PATIENCE
from testbed.traffic.counts import Counts

if TYPE_CHECKING:
    from testbed.ipv6_loopback import NodePorts
    from testbed.traffic.balancer_probe import ProbeResult
    from testbed.traffic.traffic_plan import TrafficPlan


NAME = "traffic"


def command(plan: TrafficPlan) -> Command:
    """Return the command of the generator.

    The process obeys `rate N`, `pause`, `resume` and `stop`, and ends with status 0 after `stop`.
    """
    arguments = [sys.executable, "-m", "testbed.traffic", plan.to_json()]
    return Command(NAME, arguments, {"GRPC_VERBOSITY": "NONE"})


def is_ready(process: Process) -> bool:
    """True if the generator has said that it can send."""
    return "ready\n" in process.log.read_text(errors="replace")


class TrafficGenerator:
    """The traffic of a run.

    Args:
        bundle: the authorities that clients trust, PEM.
        balancers: returns all balancers that the run has had.
        balancer_at: returns the DNS name of the balancer that targets see at an address; None without one.
    """

    def __init__(
        self,
        setup: Setup,
        clock: Clock,
        network: Network,
        journal: Journal,
        *,
        bundle: Path,
        balancers: Callable[[], Sequence[BalancerIdentity]],
        balancer_at: Callable[[str], str | None],
        upkeep: Upkeep,
    ) -> None:
        self._setup, self._clock, self._network, self._journal = setup, clock, network, journal
        self._bundle, self._upkeep = bundle, upkeep
        self._balancers, self._balancer_at = balancers, balancer_at
        self._names = BalancerNames()
        self._counting = threading.Lock()
        self._served_at: dict[str, str] = {}

    def start(self, logs: Path, ipv6_ports: NodePorts | None = None) -> None:
        """Start the generator's process, which waits for `start_traffic`.

        Args:
            logs: where its output goes.
            ipv6_ports: where the balancers write their ports of `::1`; None if no client has IPv6.
        """
        from testbed.traffic.ledger_follower import Progress
        from testbed.traffic.traffic_plan import TrafficPlan

        network = self._network
        plan = TrafficPlan(
            run=self._journal.run,
            clock=self._clock,
            journal=self._journal.path.resolve(),
            host=self._setup.host,
            port=network.port(self._setup.port),
            clients=self._setup.clients,
            calls=self._setup.calls,
            dns=f"{network.dns_of_ipv4_hosts if ipv6_ports else network.dns}:{network.dns_port}",
            ca_file=self._bundle,
            seed=self._setup.seed,
            paused=True,
            ipv6_share=self._setup.ipv6_clients,
            dns_of_ipv6_hosts=f"{network.dns_of_ipv6_hosts}:{network.dns_port}" if ipv6_ports else "",
            ipv6_ports=str(ipv6_ports.path) if ipv6_ports else "",
        )
        self._generator = self._upkeep.spawn(command(plan), logs)
        self._progress = Progress(self._journal.path)

    def wait_until_ready(self) -> None:
        """Wait until the generator can send.

        Raises:
            Missing: it cannot.
        """
        self._generator.wait_until(lambda: is_ready(self._generator))

    def start_traffic(self, rate: float) -> None:
        """Start the open-loop clients, `rate` requests per wall second."""
        self._generator.send(f"rate {rate:g}")
        self._generator.send("resume")

    def pause_traffic(self) -> None:
        """Start no requests for now; `start_traffic` goes on."""
        self._generator.send("pause")

    def stop_traffic(self) -> None:
        """Stop sending and wait for what is in flight; it cannot be started again.

        Raises:
            Missing: it does not stop.
        """
        if self._generator.returncode is not None:
            return
        self._upkeep.expect_end(self._generator)
        self._generator.send("stop")
        if self._generator.wait(PATIENCE.request + PATIENCE.process_stop) is None:
            raise Missing(f"the traffic generator does not stop: {self._generator.last_words()}")

    def counts(self) -> Counts:
        """Return what the clients saw so far, by outcome and by the balancer that served."""
        # The terminal and the conditions both ask, from two threads, and each reading moves the place in the
        # file.
        with self._counting:
            self._progress.update()
            served: Counter[str] = Counter()
            for peer, count in self._progress.peers.items():
                # Without a peer the request was not answered.
                if peer and (balancer := self._balancer_of(peer)):
                    served[balancer] += count
            connections: Counter[tuple[str, str]] = Counter()
            for (address, model), count in self._progress.connections.items():
                if count and (balancer := self._balancer_of(address)):
                    connections[balancer, model] += count
            outcomes = self._progress.outcomes
            return Counts(
                outcomes["ok"], outcomes["failed"], outcomes["unknown"], served, connections, self._names
            )

    def _balancer_of(self, address: str) -> str | None:
        if address not in self._served_at and (found := self._balancer_at(address)):
            self._served_at[address] = found  # an address never goes to another balancer later
            self._names = BalancerNames(tuple(self._balancers()))
        return self._served_at.get(address)

    def probe(self, dns_name: str) -> Sequence[ProbeResult]:
        """Send one gRPC and one REST request of the host to a balancer called by its own name."""
        from testbed.traffic.balancer_probe import probe

        return probe(
            dns_name,
            self._network.port(self._setup.port),
            calls=self._setup.calls,
            server_name=self._setup.host,
            ca_file=self._bundle,
            dns=(self._network.dns, self._network.dns_port),
        )
