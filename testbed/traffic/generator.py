"""Starts each request of the schedule at its time, whatever became of those before.

```
schedule ──due──► start ──► client ──► ledger ──every 0.1 s──► journal
             └──► never started (too many in flight, or stopped before its turn)
```
"""

from __future__ import annotations

import asyncio
import ssl
import time
from collections.abc import Iterator
from itertools import cycle

import grpc

from testbed.errors import Missing
from testbed.journal import Journal
from testbed.settings import PATIENCE
from testbed.traffic.app_client import AppClient
from testbed.traffic.ledger import Entry, Ledger
from testbed.traffic.plan import TrafficPlan
from testbed.traffic.schedule import Arrival, arrivals
from testbed.traffic.server_client import ServerClient
from testbed.traffic.sockets import Flow, FlowWatch

_BURST = 100
"""At most so many starts in one turn of the loop, so that answers are read even while catching up."""
_LEAST_DELAY = 0.001
"""The loop's timers count milliseconds; a shorter delay would make it spin."""


class Generator:
    """The clients of a plan and the clock that starts their requests. Lives in one running loop."""

    def __init__(self, plan: TrafficPlan, journal: Journal) -> None:
        self._plan = plan
        self._loop = asyncio.get_running_loop()
        self._ledger = Ledger(journal, plan.clock, plan.address)
        bundle = plan.ca_file.read_bytes()
        credentials = grpc.ssl_channel_credentials(bundle)
        tls = ssl.create_default_context(cadata=bundle.decode())
        tls.set_alpn_protocols(["http/1.1"])
        self._apps = [
            AppClient(f"app-{number}", plan, credentials, self._ledger) for number in range(plan.app_clients)
        ]
        self._servers = [
            ServerClient(f"server-{number}", plan, tls, self._ledger) for number in range(plan.server_clients)
        ]
        self._next_app = cycle(self._apps)
        self._next_server = cycle(self._servers)
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

    def set_rate(self, rate: float) -> None:
        """Go on at another rate, from now; 0 pauses. What was due before is still started."""
        if self._stopping.is_set():
            return
        self._start_due(time.monotonic())
        self._rate = rate
        self._resumed_rate = rate or self._resumed_rate
        self._began = time.monotonic()
        self._schedule = arrivals(self._plan, rate, self._generation)
        self._generation += 1
        self._due = next(self._schedule, None)
        self._plan_turn()

    def resume(self) -> None:
        """Go on at the rate before the pause."""
        if not self._rate:
            self.set_rate(self._resumed_rate)

    def stop(self) -> None:
        """No new requests from now; `run` ends when those in flight have their outcome."""
        self._stopping.set()

    def hurry(self) -> None:
        """As `stop`, but what does not finish within half the patience of the parent stays unknown."""
        self._stopping.set()
        self._hurried.set()

    async def run(self) -> None:
        """Send until stopped, then close the account.

        Raises:
            Missing: the journal cannot be written.
        """
        if not self._plan.paused:
            self.set_rate(self._plan.rate)
        looking = asyncio.create_task(self._look())
        flushing = asyncio.create_task(self._flush())
        stopping = asyncio.create_task(self._stopping.wait())
        await asyncio.wait({stopping, flushing}, return_when=asyncio.FIRST_COMPLETED)
        stopping.cancel()
        self._end_schedule()
        await self._finish()
        flushing.cancel()
        looking.cancel()
        self._watch.look(self._server_flows())
        self._ledger.ends()
        for client in self._servers:
            client.close()
        for app in self._apps:
            await app.close()
        await asyncio.sleep(PATIENCE.poll)  # transports tell of their end in a later turn of the loop
        self._watch.look(self._server_flows())
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
        """Start what is due; whether some of it is left."""
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
        sending = next(self._next_app).send(entry) if is_grpc else next(self._next_server).send(entry)
        task = self._loop.create_task(sending)
        self._in_flight.add(task)
        task.add_done_callback(self._in_flight.discard)

    def _end_schedule(self) -> None:
        """Count what is due by now and will not be sent."""
        if self._timer:
            self._timer.cancel()
        now = time.monotonic()
        self._start_due(now, _BURST)
        while self._due and self._began + self._due.at <= now:
            self._ledger.scheduled += 1
            self._due = next(self._schedule, None)
        self._due = None

    async def _finish(self) -> None:
        """Wait for what is in flight; each request has a deadline of its own."""
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
            self._watch.look(self._server_flows())
            await asyncio.sleep(PATIENCE.socket_scan)

    def _server_flows(self) -> set[Flow]:
        return set[Flow]().union(*(client.flows() for client in self._servers))
