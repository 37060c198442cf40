"""The service `control`: the control plane of one run after the other, and what a rehearsal asks of it.

```
POST   /runs                          begin a run: everything starts anew; the authorities that clients trust
GET    /state?log=N                   ExternalDNS's syncs and its log from line N; an error if a part failed
GET    /addresses?name=  /peers  /flows?balancer=        what the balancers have
GET    /objects   PUT /objects   PATCH /annotations   DELETE /objects            the cluster
POST   /finish                        the targets' access logs go into the journal; how long it is then
GET    /journal?from=N                what was appended since byte N
GET    /alb-access.log                of a finished run, as the ALBs would have written it
GET    /standing                      answers when a run has begun
GET    /ready  /network  /ca.pem  /kubeconfig  /target-health?group=
```
"""

from __future__ import annotations

import asyncio
import itertools
import os
import threading
from pathlib import Path
from typing import Any

import orjson
from aiohttp import web

from testbed.aws.calls import OBSERVER
from testbed.aws.changes import ChangeFeed
from testbed.aws.clients import Clients
from testbed.clock import Clock
from testbed.errors import Missing
from testbed.journal import Journal
from testbed.network import AWS_PORT
from testbed.runtime import cluster, envoy
from testbed.runtime.compose.account import RemoteCertificates, follow_changes
from testbed.runtime.compose.files import EnvoyFiles, missing
from testbed.runtime.compose.http import Service
from testbed.runtime.compose.messages import read_run
from testbed.runtime.compose.messages import run as run_document
from testbed.runtime.compose.network import CONTROL_PORT, INSIDE_PORT, ContainerNetwork
from testbed.runtime.compose.server import Server
from testbed.runtime.control_plane import ControlPlane
from testbed.runtime.kubernetes_access import KubernetesAccess
from testbed.runtime.setup import Setup
from testbed.runtime.upkeep import Upkeep
from testbed.settings import PATIENCE

_OWN = "127.0.0.1"


class ControlRun:
    """The control plane of one run.

    Attributes:
        plane: the control plane.
        kubernetes: its API, for kubectl.
        bundle: the authorities that clients trust, PEM.
        journal: what this service and `aws` wrote of the run.
    """

    plane: ControlPlane

    def __init__(self, network: ContainerNetwork, folder: Path, setup: Setup, clock: Clock) -> None:
        self._network, self._folder, self._setup, self._clock = network, folder, setup, clock
        self._upkeep = Upkeep()
        self._files = EnvoyFiles(network, folder.parent)
        folder.mkdir(exist_ok=True)
        self.journal = Journal(folder / "journal.ndjson")
        self.bundle = ""

    def start(self) -> None:
        """Start all but the controllers; `close` must follow, even if this fails.

        Raises:
            Missing: LocalStack or an Envoy does not come.
            BadInput: Envoy refuses its configuration.
        """
        aws = Service("aws", f"http://{self._network.aws}:{INSIDE_PORT}")
        _await(aws)
        order = run_document(self._setup, self._clock) | {"journal": str(self.journal.path)}
        issued = aws.send("POST", "/runs", order, PATIENCE.localstack_start + PATIENCE.api_call)
        self.bundle = issued["bundle"]
        self._begin_targets(issued)
        changes = ChangeFeed()
        self._upkeep.thread("changes", lambda stop: follow_changes(aws, changes, stop))
        url = f"http://{self._network.aws}:{AWS_PORT}"
        loop = self._upkeep.loop()
        self.plane = ControlPlane(
            self._setup,
            self._clock,
            self._network,
            self.journal,
            customer=Clients(url),
            inside=Clients(url, access_key=OBSERVER),  # AWS's own parts spend nobody's API limit
            changes=changes,
            certificates=RemoteCertificates(aws),
            upkeep=self._upkeep,
        )
        self.plane.start_balancers(loop, self._folder)
        self.plane.start_dns(loop)
        self._await_envoys()

    def start_controllers(self) -> None:
        """Start what acts.

        Raises:
            BadInput: ExternalDNS does not know a flag.
        """
        self.plane.start_controllers()
        self.kubernetes = KubernetesAccess(self.plane.store, self._clock, self._network, self._setup.seed)
        self.kubernetes.start(self._upkeep.loop(), self._upkeep)

    def close(self) -> None:
        """Stop everything."""
        self._upkeep.close()
        self.journal.close()

    def check(self) -> None:
        """Raise the first failure of a part."""
        self._upkeep.check()

    def finish(self) -> None:
        """Bring the targets' access logs and the balancers' metrics into the journal."""
        from testbed.load_balancers.fleet import KINDS
        from testbed.load_balancers.records import record

        # Envoy writes its log at intervals: after two of them all that was answered is there.
        self._upkeep.stop.wait(2 * envoy.LOG_FLUSH_MILLISECONDS / 1000)
        for index in range(cluster.PODS):
            path = envoy.access_log(self._folder, cluster.pod_name(index))
            self.journal.write(*envoy.access_events(path))
        admins = {kind: envoy_admin(self._network, kind) for kind in KINDS}
        record(self.plane.fleet, admins, self._folder, self._folder, self._clock, self.journal)

    def access_log(self) -> bytes:
        """The ALBs' own access log, once the run is finished."""
        from testbed.load_balancers.records import ACCESS_LOG

        path = self._folder / ACCESS_LOG
        return path.read_bytes() if path.is_file() else b""

    def _begin_targets(self, issued: dict[str, str]) -> None:
        paths = {}
        for name in ("chain", "key"):
            paths[name] = self._folder / f"{name}.pem"
            paths[name].touch(mode=0o600)
            paths[name].write_text(issued[name])
        self._files.begin(self._setup, self._clock, self._folder, paths["chain"], paths["key"])

    def _await_envoys(self) -> None:
        pause = threading.Event()
        targets = set(range(cluster.PODS))
        nodes = dict(self.plane.fleet.server.nodes)
        for _ in range(int(PATIENCE.process_start / PATIENCE.look)):
            self.check()
            targets = {index for index in targets if not self._files.serves(index, self._folder)}
            nodes = {name: node for name, node in nodes.items() if not node.is_connected}
            if not targets and not nodes:
                return
            pause.wait(PATIENCE.look)
        if targets:
            raise missing(targets)
        raise Missing(
            f"{' and '.join(nodes)} did not connect", do=f"look at `docker compose logs {' '.join(nodes)}`"
        )


def envoy_admin(network: ContainerNetwork, kind: str) -> str:
    """URL of the admin interface of the Envoy that is all balancers of a kind."""
    return f"http://{network.admin(kind)}:{envoy.BALANCER_ADMIN_PORTS[kind]}"


def _await(service: Service) -> None:
    """Wait until a service listens."""
    pause = threading.Event()
    for _ in range(int(PATIENCE.process_start / PATIENCE.look)):
        try:
            service.get("/ready")
        except Missing:
            pause.wait(PATIENCE.look)
        else:
            return
    service.get("/ready")


class ControlService:
    """Begins runs, and answers for the one that there is.

    Attributes:
        is_taken: a rehearsal has ordered a run, and what stood before it is not to come back.
    """

    def __init__(self, network: ContainerNetwork, folder: Path, upkeep: Upkeep) -> None:
        self._network, self._folder, self._upkeep = network, folder, upkeep
        self._numbers = itertools.count(1)
        self._run: ControlRun | None = None
        self._beginning = threading.Lock()
        self.is_taken = False

    def start(self, addresses: list[str], socket: Path) -> None:
        """Write what the Envoys start with, and listen.

        Raises:
            Missing: an address is taken.
        """
        EnvoyFiles(self._network, self._folder).write_bootstraps()
        server = Server(
            {
                "GET /ready": self._ready,
                "GET /network": self._where,
                "GET /standing": self._standing,
                "GET /ca.pem": self._authorities,
                "POST /runs": self._begin,
                "GET /state": self._state,
                "GET /addresses": self._addresses,
                "GET /peers": self._peers,
                "GET /flows": self._flows,
                "GET /objects": self._list,
                "PUT /objects": self._apply,
                "PATCH /annotations": self._annotate,
                "DELETE /objects": self._delete,
                "POST /finish": self._finish,
                "GET /journal": self._tail,
                "GET /kubeconfig": self._kubeconfig,
                "GET /alb-access.log": self._alb_log,
                "GET /target-health": self._target_health,
            }
        )
        loop = self._upkeep.loop()
        where = [(address, CONTROL_PORT) for address in [*addresses, _OWN]]
        self._upkeep.serve(loop, server.start(where, socket), server.stop)

    def stand(self, setup: Setup, clock: Clock) -> ControlRun | None:
        """Begin a run, unless a rehearsal has done so."""
        with self._beginning:
            return None if self.is_taken else self._begin_anew(setup, clock)

    def rehearse(self, setup: Setup, clock: Clock) -> ControlRun:
        """End the run that there is, and begin another."""
        self.is_taken = True
        with self._beginning:
            return self._begin_anew(setup, clock)

    def _begin_anew(self, setup: Setup, clock: Clock) -> ControlRun:
        self.end()
        folder = self._folder / str(next(self._numbers))
        run = ControlRun(self._network, folder, setup, clock)
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
        """End the run that there is."""
        run, self._run = self._run, None
        if run:
            run.close()

    @property
    def run(self) -> ControlRun:
        """The run that there is.

        Raises:
            Missing: there is none.
        """
        if self._run is None:
            raise Missing("no run has begun", do="look at `docker compose logs control`")
        return self._run

    # --- answers -------------------------------------------------------------------------------------

    async def _ready(self, _: web.Request) -> Any:
        return {}

    async def _standing(self, _request: web.Request) -> Any:
        """Answers when a run has begun.

        Raises:
            Missing: none begins in time.
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
        setup, clock = read_run(orjson.loads(await request.read()))
        run = await asyncio.to_thread(self.rehearse, setup, clock)
        return {"bundle": run.bundle}

    async def _state(self, request: web.Request) -> Any:
        run = self.run
        run.check()
        lines = run.plane.external_dns_log()[int(request.query.get("log", 0)) :]
        return {"syncs": run.plane.external_dns_syncs(), "log": lines}

    async def _addresses(self, request: web.Request) -> Any:
        return self.run.plane.addresses(request.query["name"])

    async def _peers(self, request: web.Request) -> Any:
        return self.run.plane.balancer_type(request.query["address"])

    async def _flows(self, request: web.Request) -> Any:
        kind = request.query["balancer"]
        try:
            return await asyncio.to_thread(envoy.active_connections, envoy_admin(self._network, kind))
        except OSError as error:
            raise Missing(f"the Envoy of the {kind} does not answer: {error}") from None

    async def _list(self, _: web.Request) -> Any:
        return self.run.plane.store.list_all()

    async def _apply(self, request: web.Request) -> Any:
        return self.run.plane.store.apply(orjson.loads(await request.read()))

    async def _annotate(self, request: web.Request) -> Any:
        asked = orjson.loads(await request.read())
        store = self.run.plane.store
        store.annotate(asked["kind"], asked["namespace"], asked["name"], asked["annotations"])
        return {}

    async def _delete(self, request: web.Request) -> Any:
        asked = orjson.loads(await request.read())
        self.run.plane.store.delete(asked["kind"], asked["namespace"], asked["name"])
        return {}

    async def _finish(self, _: web.Request) -> Any:
        run = self.run
        await asyncio.to_thread(run.finish)
        return {"length": run.journal.path.stat().st_size}

    async def _tail(self, request: web.Request) -> Any:
        """Whole lines of the journal; waits a while for the first."""
        path, offset = self.run.journal.path, int(request.query["from"])
        for _ in range(int(PATIENCE.long_poll / PATIENCE.poll)):
            if path.stat().st_size > offset:
                return await asyncio.to_thread(_lines, path, offset)
            await asyncio.sleep(PATIENCE.poll)
        return b""

    async def _alb_log(self, _: web.Request) -> Any:
        return await asyncio.to_thread(self.run.access_log)

    async def _kubeconfig(self, _: web.Request) -> Any:
        return await asyncio.to_thread(self.run.kubernetes.kubeconfig)

    async def _target_health(self, request: web.Request) -> Any:
        return self.run.plane.fleet.health.describe(request.query["group"])


_CHUNK = 1 << 20


def _lines(path: Path, offset: int) -> bytes:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        data = os.pread(descriptor, _CHUNK, offset)
    finally:
        os.close(descriptor)
    return data[: data.rfind(b"\n") + 1]
