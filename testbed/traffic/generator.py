"""Starts each request of the schedule at its time, whether earlier ones were answered or not.

```
schedule ──due──► start ──► client ──► ledger ──every 0.1 s──► journal
             └──► never started (too many in flight, or stopped before its turn)
```
"""

from __future__ import annotations

import asyncio
import itertools
import ssl
import time
from collections.abc import Iterator
from pathlib import Path

import grpc

from testbed.client_models.catalogue import MODELS
from testbed.errors import Missing
from testbed.ipv6_loopback import NodePorts
from testbed.journal import Journal
from testbed.resolvers.known_resolvers import DIRECT, resolver
from testbed.settings import PATIENCE
from testbed.traffic.grpc_client import AppClient
from testbed.traffic.grpc_sockets import GRPC, Flow, FlowWatch
from testbed.traffic.ipv6_dialer import Dialer, Relay
from testbed.traffic.ledger import Entry, Ledger
from testbed.traffic.open_loop_schedule import Arrival, arrivals
from testbed.traffic.resolver_server import ResolverServer
from testbed.traffic.rest_client import ServerClient
from testbed.traffic.traffic_plan import ClientGroup, TrafficPlan
from testbed.traffic.turns import Turns

_BURST = 100
"""Most starts in one turn of the loop, so that it reads answers even while it catches up."""
_LEAST_DELAY = 0.001
"""Wall seconds. The loop's timers count milliseconds; with a shorter delay it would spin."""


class Generator:
    """The clients of a plan and the timer that starts their requests. It belongs to one running loop."""

    def __init__(self, plan: TrafficPlan, journal: Journal) -> None:
        self._plan = plan
        self._loop = asyncio.get_running_loop()
        self._ledger = Ledger(journal, plan.clock, plan.address)
        bundle = plan.ca_file.read_bytes()
        credentials = grpc.ssl_channel_credentials(bundle)
        tls = ssl.create_default_context(cadata=bundle.decode())
        tls.set_alpn_protocols(["http/1.1"])  # all that server clients speak
        self._tls, self._credentials = tls, credentials
        self._dialer = Dialer(NodePorts(Path(plan.ipv6_ports)) if plan.ipv6_ports else None)
        self._resolvers: dict[tuple[str, str, bool], ResolverServer] = {}
        self._apps: list[AppClient] = []
        self._servers: list[ServerClient] = []
        self._relays: list[Relay] = []
        self._next_app: Turns[AppClient] = Turns()
        self._next_server: Turns[ServerClient] = Turns()
        self._watch = FlowWatch(plan.port, self._ledger)
        self._rate = 0.0
        self._resumed_rate = plan.rate
        self._generation = 0
        self._began = 0.0
        self._schedule: Iterator[Arrival] = iter(())
        self._due: Arrival | None = None
        self._timer: asyncio.Handle | None = None
        self._in_flight: set[asyncio.Task[None]] = set()
        self._stopping = asyncio.Event()
        self._hurried = asyncio.Event()

    async def open(self) -> None:
        """Make the resolvers and the clients; call it once, before anything else."""
        for model, members in itertools.groupby(self._plan.clients, lambda group: group.model):
            groups = list(members)
            count = sum(group.count for group in groups)
            # The last clients have IPv6: the numbers of the others mean the same with and without it.
            without = count - self._plan.ipv6_clients(count)
            numbers = itertools.count()
            for group in groups:
                for turn in range(group.count):
                    number = next(numbers)
                    starts = self._plan.clock.scaled(group.started) * turn / group.count
                    name, has_ipv6 = f"{model}-{number}", number >= without
                    await self._open(name, group, starts, has_ipv6=has_ipv6)

    async def _open(self, name: str, group: ClientGroup, starts: float, *, has_ipv6: bool) -> None:
        plan = self._plan.of_ipv6_hosts() if has_ipv6 else self._plan
        key = group.resolver, group.region, has_ipv6
        # Only a resolver says where it is.
        if (group.resolver != DIRECT or group.region) and key not in self._resolvers:
            self._resolvers[key] = await ResolverServer.open(
                resolver(group.resolver), plan.dns_server, plan.clock, group.region
            )
        between = self._resolvers.get(key)
        dns = between.server if between else plan.dns_server
        every = plan.clock.scaled(group.requests_every)
        if group.is_grpc:
            relay = None
            if has_ipv6 or group.model != GRPC:
                relay = Relay(self._dialer, self._ledger, group.model)
                self._relays.append(relay)
                await relay.start()
            app = AppClient(name, plan, self._credentials, self._ledger, self._watch, dns, relay)
            self._apps.append(app)
            self._next_app.add(app, starts, every)
        else:
            model = MODELS[group.model]
            client = ServerClient(name, model, plan, self._tls, self._ledger, dns, self._dialer)
            self._servers.append(client)
            self._next_server.add(client, starts, every)

    def set_rate(self, rate: float) -> None:
        """Continue at another rate from now on; 0 pauses. Requests that are due already still start."""
        if self._stopping.is_set():
            return
        self._start_due(time.monotonic())  # at the old rate
        self._rate = rate
        self._resumed_rate = rate or self._resumed_rate
        self._began = time.monotonic()
        self._schedule = arrivals(self._plan, rate, self._generation)
        self._generation += 1
        self._due = next(self._schedule, None)
        self._plan_turn()

    def resume(self) -> None:
        """Continue at the rate before the pause."""
        if not self._rate:
            self.set_rate(self._resumed_rate)

    def stop(self) -> None:
        """Start no more requests; `run` ends when those in flight have their outcome."""
        self._stopping.set()

    def hurry(self) -> None:
        """Stop, but wait only half as long as the parent does; unfinished requests are unknown."""
        self._stopping.set()
        self._hurried.set()

    async def run(self) -> None:
        """Send until stopped, then close the ledger.

        Raises:
            Missing: the journal cannot be written.
        """
        if not self._plan.paused:
            self.set_rate(self._plan.rate)
        looking = asyncio.create_task(self._look())
        flushing = asyncio.create_task(self._flush())
        stopping = asyncio.create_task(self._stopping.wait())
        # Flushing ends only by an error, such as a full disk; requests without a ledger would prove nothing.
        await asyncio.wait({stopping, flushing}, return_when=asyncio.FIRST_COMPLETED)
        stopping.cancel()
        self._end_schedule()
        await self._finish()
        flushing.cancel()
        looking.cancel()
        self._watch.look(self._known_flows())
        # After the look: what it found closed was closed by others; what closes from here on, by the clients.
        self._ledger.ends()
        for client in self._servers:
            client.close()
        for app in self._apps:
            await app.close()
        for server in self._resolvers.values():
            await server.close()
        await asyncio.sleep(PATIENCE.poll)  # transports report their end in a later turn of the loop
        self._watch.look(self._known_flows())
        results = await asyncio.gather(flushing, looking, return_exceptions=True)
        for result in results:
            if isinstance(result, Missing):
                raise result
        self._ledger.stop()

    def _plan_turn(self) -> None:
        if self._timer:
            self._timer.cancel()
            self._timer = None
        if self._due:
            delay = self._began + self._due.at - time.monotonic()
            self._timer = self._loop.call_later(max(_LEAST_DELAY, delay), self._turn)

    def _turn(self) -> None:
        self._timer = None
        if self._start_due(time.monotonic(), _BURST):
            self._timer = self._loop.call_soon(self._turn)
        else:
            self._plan_turn()

    def _start_due(self, now: float, most: int | None = None) -> bool:
        """Start the requests that are due, at most `most`; return True if some are left."""
        started = 0
        while self._due and self._began + self._due.at <= now:
            if started == most:
                return True
            self._start(self._due)
            started += 1
            self._due = next(self._schedule, None)
        return False

    def _start(self, arrival: Arrival) -> None:
        ledger = self._ledger
        ledger.scheduled += 1
        if len(self._in_flight) >= self._plan.max_in_flight:
            return  # scheduled and never sent: `TrafficStopped.never_started`
        entry = Entry(
            f"{self._plan.run}-{ledger.scheduled}",
            arrival.kind,
            arrival.messages,
            ledger.wall(self._began + arrival.at),
            call=arrival.call,
        )
        is_grpc = arrival.kind.protocol == "grpc"
        client: AppClient | ServerClient = self._next_app.next() if is_grpc else self._next_server.next()
        task = self._loop.create_task(client.send(entry))
        self._in_flight.add(task)
        task.add_done_callback(self._in_flight.discard)

    def _end_schedule(self) -> None:
        """Count the requests that are due by now and will not be sent."""
        if self._timer:
            self._timer.cancel()
        now = time.monotonic()
        self._start_due(now, _BURST)
        while self._due and self._began + self._due.at <= now:
            self._ledger.scheduled += 1
            self._due = next(self._schedule, None)
        self._due = None

    async def _finish(self) -> None:
        """Wait for the requests in flight; each has a deadline of its own."""
        if not self._in_flight:
            return
        hurried = asyncio.create_task(self._hurried.wait())
        finished = asyncio.create_task(asyncio.wait(self._in_flight))
        await asyncio.wait({hurried, finished}, return_when=asyncio.FIRST_COMPLETED)
        hurried.cancel()
        if not finished.done():
            await asyncio.wait({finished}, timeout=PATIENCE.process_stop / 2)
            for task in self._in_flight:
                task.cancel()
        await finished

    async def _flush(self) -> None:
        while True:
            self._ledger.flush()
            await asyncio.sleep(PATIENCE.ledger_flush)

    async def _look(self) -> None:
        while True:
            self._watch.look(self._known_flows())
            for client in self._servers:
                client.expire()
            await asyncio.sleep(PATIENCE.socket_scan)

    def _known_flows(self) -> set[Flow]:
        owners: list[ServerClient | Relay] = [*self._servers, *self._relays]
        return set[Flow]().union(*(one.flows() for one in owners))
