"""The service `control`: keeps the control plane of one run after the other, and answers for the current one.

```
POST   /runs                          begin a new run; returns the authorities of servers and proxy
GET    /state?cluster=&log=N          ExternalDNS's syncs and its log from line N; an error if a part failed
GET    /addresses?name=               the addresses of a balancer
GET    /balancers                     all balancers that the run has had
GET    /peers?address=                the DNS name of the balancer that targets see at an address
GET    /flows?balancer=               the open connections of a balancer, by its DNS name
POST   /story                         what stood before is made: from now on balancers are provisioned
POST   /external-dns                  replace ExternalDNS of a cluster by another release
POST   /release                       the run has ended on the other side: another one may begin
POST   /finish                        bring the access logs into the journal; returns its length then
GET    /journal?from=N                whole lines that were appended since byte N
GET    /alb-access.log                the access log of the ALBs, once the run is finished
GET    /standing                      answers once a run has begun
GET    /kubeconfig?cluster=           the kubeconfig of a cluster, by default the first
GET    /ready  /network  /ca.pem  /target-health?group=
```
"""

from __future__ import annotations

import asyncio
import itertools
import os
import threading
import time
from dataclasses import asdict
from pathlib import Path
from typing import Any

import orjson
from aiohttp import web

from testbed.clock import Clock
from testbed.errors import Missing
from testbed.rehearsal.setup import Setup
from testbed.runtime.compose.container_network import CONTROL_PORT, ContainerNetwork
from testbed.runtime.compose.control_run import ControlRun
from testbed.runtime.compose.envoy_files import EnvoyFiles
from testbed.runtime.compose.run_messages import read_run
from testbed.runtime.compose.service_client import RUN
from testbed.runtime.compose.service_server import Handler, Server
from testbed.runtime.upkeep import Upkeep
from testbed.settings import PATIENCE

_OWN = "127.0.0.1"


class ControlService:
    """Begins runs, and answers for the current one.

    Args:
        sockets: a folder where the Kubernetes API of each cluster listens at a Unix socket of its name, too.

    Attributes:
        is_taken: true once a rehearsal has ordered a run; then `stand` begins none any more.
    """

    def __init__(self, network: ContainerNetwork, folder: Path, upkeep: Upkeep, sockets: Path) -> None:
        self._network, self._folder, self._upkeep = network, folder, upkeep
        self._sockets = sockets
        self._numbers = itertools.count(1)
        self._run: ControlRun | None = None
        self._beginning = threading.Lock()
        self.is_taken = False
        self._ordered = ""

    def start(self, addresses: list[str], socket: Path) -> None:
        """Write the bootstraps of the Envoys, and listen.

        Raises:
            Missing: an address is taken.
        """
        EnvoyFiles(self._network, self._folder).write_bootstraps()
        self._sockets.mkdir(exist_ok=True)
        # Of any run, or of the one that is asked for.
        always: dict[str, Handler] = {
            "GET /ready": self._ready,
            "GET /network": self._where,
            "GET /standing": self._standing,
            "POST /runs": self._begin,
        }
        of_run: dict[str, Handler] = {
            "GET /ca.pem": self._authorities,
            "GET /state": self._state,
            "GET /addresses": self._addresses,
            "GET /balancers": self._balancers,
            "GET /peers": self._peers,
            "GET /flows": self._flows,
            "POST /story": self._begin_story,
            "POST /external-dns": self._replace_external_dns,
            "POST /finish": self._finish,
            "POST /release": self._release,
            "GET /journal": self._tail,
            "GET /kubeconfig": self._kubeconfig,
            "GET /alb-access.log": self._alb_log,
            "GET /target-health": self._target_health,
        }
        server = Server({**always, **{route: self._heard(one) for route, one in of_run.items()}})
        loop = self._upkeep.loop()
        where = [(address, CONTROL_PORT) for address in [*addresses, _OWN]]
        self._upkeep.serve(loop, server.start(where, socket), server.stop)

    def stand(self, setup: Setup, clock: Clock) -> ControlRun | None:
        """Begin a run and return it; None if a rehearsal has ordered one already."""
        with self._beginning:
            return None if self.is_taken else self._begin_anew(setup, clock)

    def rehearse(self, setup: Setup, clock: Clock, id: str) -> ControlRun:  # noqa: A002
        """End the current run, and begin another one for a rehearsal of this id.

        Raises:
            Missing: another rehearsal is being played.
        """
        # Before the lock: a run that only stands gives up its next try as soon as a rehearsal wants one.
        self.is_taken = True
        with self._beginning:
            if self._run and self._run.is_played:
                raise Missing("another rehearsal plays in these containers", do="wait for its end")
            self._ordered = id
            return self._begin_anew(setup, clock, id)

    def _begin_anew(self, setup: Setup, clock: Clock, id: str = "") -> ControlRun:  # noqa: A002
        self.end()
        folder = self._folder / str(next(self._numbers))
        run = ControlRun(self._network, folder, setup, clock, self._sockets, id)
        try:
            run.start()
            self._run = run  # from here on `aws` may ask for the health of targets
            run.start_controllers()
        except BaseException:
            self._run = None
            run.close()
            raise
        return run

    def end(self) -> None:
        """End the current run, if there is one."""
        run, self._run = self._run, None
        if run:
            run.close()

    @property
    def run(self) -> ControlRun:
        """The current run.

        Raises:
            Missing: no run has begun.
        """
        if self._run is None:
            raise Missing("no run has begun", do="look at `docker compose logs control`")
        return self._run

    # --- answers -------------------------------------------------------------------------------------

    def _heard(self, handler: Handler) -> Handler:
        async def answer(request: web.Request) -> Any:
            if asking := request.headers.get(RUN, ""):
                if asking != self._ordered:
                    raise Missing(
                        "another rehearsal has begun in these containers", do="play one after the other"
                    )
                self.run.asked = time.monotonic()
            return await handler(request)

        return answer

    async def _ready(self, _: web.Request) -> Any:
        return {}

    async def _standing(self, _request: web.Request) -> Any:
        """Answer once a run has begun.

        Raises:
            Missing: no run begins in time.
        """
        for _ in range(int(PATIENCE.long_poll / PATIENCE.poll)):
            if self._run:
                break
            await asyncio.sleep(PATIENCE.poll)
        self.run.check()
        return {}

    async def _where(self, _: web.Request) -> Any:
        return {"second": self._network.second}

    async def _authorities(self, _: web.Request) -> Any:
        return self.run.bundle.encode()

    async def _begin(self, request: web.Request) -> Any:
        document = orjson.loads(await request.read())
        run = await asyncio.to_thread(self.rehearse, *read_run(document), document["run"])
        return {"bundle": run.bundle, "proxy": run.proxy_authority}

    async def _state(self, request: web.Request) -> Any:
        run = self.run
        run.check()
        cluster = run.cluster(request.query.get("cluster"))
        lines = cluster.external_dns_log()[int(request.query.get("log", 0)) :]
        return {"syncs": cluster.external_dns_syncs(), "log": lines, "error": cluster.external_dns_error()}

    async def _addresses(self, request: web.Request) -> Any:
        return self.run.plane.addresses(request.query["name"])

    async def _peers(self, request: web.Request) -> Any:
        return self.run.plane.balancer_at(request.query["address"])

    async def _balancers(self, _: web.Request) -> Any:
        return [asdict(one) for one in self.run.plane.balancers()]

    async def _flows(self, request: web.Request) -> Any:
        return await asyncio.to_thread(self.run.plane.flows, request.query["balancer"])

    async def _begin_story(self, _: web.Request) -> Any:
        await asyncio.to_thread(self.run.begin_story)
        return {}

    async def _replace_external_dns(self, request: web.Request) -> Any:
        order = orjson.loads(await request.read())
        cluster = self.run.cluster(order["cluster"])
        await asyncio.to_thread(cluster.replace_external_dns, order["release"], tuple(order["flags"]))
        return {}

    async def _release(self, _: web.Request) -> Any:
        self.run.release()
        return {}

    async def _finish(self, _: web.Request) -> Any:
        run = self.run
        await asyncio.to_thread(run.finish)
        return {"length": run.journal.path.stat().st_size}

    async def _tail(self, request: web.Request) -> Any:
        """Return whole lines of the journal; wait a while for the first."""
        path, offset = self.run.journal.path, int(request.query["from"])
        for _ in range(int(PATIENCE.long_poll / PATIENCE.poll)):
            if path.stat().st_size > offset:
                return await asyncio.to_thread(_lines, path, offset)
            await asyncio.sleep(PATIENCE.poll)
        return b""

    async def _alb_log(self, _: web.Request) -> Any:
        return await asyncio.to_thread(self.run.access_log)

    async def _kubeconfig(self, request: web.Request) -> Any:
        cluster = self.run.cluster(request.query.get("cluster"))
        return await asyncio.to_thread(cluster.kubernetes.kubeconfig)

    async def _target_health(self, request: web.Request) -> Any:
        return self.run.plane.fleet.health.describe(request.query["group"])


_CHUNK = 1 << 20
"""Bytes of one answer; the next question begins where it ends."""


def _lines(path: Path, offset: int) -> bytes:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        data = os.pread(descriptor, _CHUNK, offset)
    finally:
        os.close(descriptor)
    return data[: data.rfind(b"\n") + 1]
