"""The clients of a run: the generator's process, what it counted so far, and probes beside it."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from testbed.clock import Clock
from testbed.errors import Missing
from testbed.journal import Journal
from testbed.network import Network
from testbed.runtime.counts import Counts
from testbed.runtime.setup import Setup
from testbed.runtime.upkeep import Upkeep
from testbed.settings import PATIENCE

if TYPE_CHECKING:
    from testbed.traffic.probe import ProbeResult

HTTPS = 443


class Clients:
    """The traffic of a run.

    Args:
        bundle: the authorities that clients trust, PEM.
        balancer_type: which type of balancer targets see at an address, None if nobody's.
    """

    def __init__(
        self,
        setup: Setup,
        clock: Clock,
        network: Network,
        journal: Journal,
        *,
        bundle: Path,
        balancer_type: Callable[[str], str | None],
        upkeep: Upkeep,
    ) -> None:
        self._setup, self._clock, self._network, self._journal = setup, clock, network, journal
        self._bundle, self._balancer_type, self._upkeep = bundle, balancer_type, upkeep
        self._counting = threading.Lock()
        self._served_at: dict[str, str] = {}

    def start(self, logs: Path) -> None:
        """Start the generator's process, which waits for `start_traffic`."""
        from testbed.traffic import process
        from testbed.traffic.calls import from_text
        from testbed.traffic.plan import TrafficPlan
        from testbed.traffic.progress import Progress

        network = self._network
        plan = TrafficPlan(
            run=f"{network.second:02x}{int(self._clock.epoch) & 0xFFFFFF:06x}",
            clock=self._clock,
            journal=self._journal.path.resolve(),
            host=self._setup.host,
            port=network.port(self._setup.port),
            calls=from_text(self._setup.calls),
            dns=f"{network.dns}:{network.dns_port}",
            ca_file=self._bundle,
            seed=self._setup.seed,
            paused=True,
        )
        self._generator = self._upkeep.spawn(process.command(plan), logs)
        self._progress = Progress(self._journal.path)

    def wait_until_ready(self) -> None:
        """Wait until the generator can send.

        Raises:
            Missing: it cannot.
        """
        from testbed.traffic import process

        self._generator.wait_until(lambda: process.is_ready(self._generator))

    def start_traffic(self, rate: float) -> None:
        """Start the open-loop clients, `rate` requests per wall second."""
        self._generator.tell(f"rate {rate:g}")
        self._generator.tell("resume")

    def pause_traffic(self) -> None:
        """Start no requests for now; `start_traffic` goes on."""
        self._generator.tell("pause")

    def stop_traffic(self) -> None:
        """Stop sending and wait for what is in flight; it cannot be started again.

        Raises:
            Missing: it does not stop.
        """
        if self._generator.returncode is not None:
            return
        self._upkeep.expect_end(self._generator)
        self._generator.tell("stop")
        if self._generator.wait(PATIENCE.request + PATIENCE.process_stop) is None:
            raise Missing(f"the traffic generator does not stop: {self._generator.last_words()}")

    def counts(self) -> Counts:
        """What the clients saw so far, by outcome and by the balancer that served."""
        with self._counting:
            self._progress.update()
            served: Counter[str] = Counter()
            for peer, count in self._progress.peers.items():
                if not peer:  # unanswered
                    continue
                if peer not in self._served_at and (found := self._balancer_type(peer)):
                    self._served_at[peer] = found  # an address is never another balancer's later
                if peer in self._served_at:
                    served[self._served_at[peer]] += count
            outcomes = self._progress.outcomes
            return Counts(outcomes["ok"], outcomes["failed"], outcomes["unknown"], served)

    def probe(self, dns_name: str) -> Sequence[ProbeResult]:
        """One gRPC and one REST request of the host, at a balancer called by its own name."""
        from testbed.traffic.calls import from_text
        from testbed.traffic.probe import probe

        return probe(
            dns_name,
            self._network.port(self._setup.port),
            calls=from_text(self._setup.calls),
            server_name=self._setup.host,
            ca_file=self._bundle,
            dns=(self._network.dns, self._network.dns_port),
        )
