"""The control plane of one run in containers: it starts with an empty account and ends with the run."""

from __future__ import annotations

import math
import threading
import time
from pathlib import Path

from testbed.aws.api_calls import OBSERVER
from testbed.aws.boto3_clients import Clients
from testbed.aws.change_feed import ChangeFeed
from testbed.clock import Clock
from testbed.errors import BadInput, Missing
from testbed.journal import Journal
from testbed.network import AWS_PORT, BALANCER_TYPES
from testbed.rehearsal.setup import Setup
from testbed.runtime.components import balancer_envoys, cluster_objects
from testbed.runtime.components.cluster import Cluster
from testbed.runtime.components.control_plane import ControlPlane
from testbed.runtime.compose import run_messages
from testbed.runtime.compose.container_network import INSIDE_PORT, ContainerNetwork
from testbed.runtime.compose.envoy_files import EnvoyFiles, missing
from testbed.runtime.compose.remote_account import RemoteCertificates, follow_changes
from testbed.runtime.compose.service_client import Service
from testbed.runtime.loop_thread import LoopThread
from testbed.runtime.upkeep import Upkeep
from testbed.settings import PATIENCE

GONE = 3 * PATIENCE.long_poll
"""Wall seconds without a question, after which a rehearsal that did not say so has ended all the same."""


class ControlRun:
    """The control plane of one run.

    Args:
        folder: the folder of the run in the volume that the Envoys share; it is made.
        sockets: a folder where the Kubernetes API of each cluster listens at a Unix socket of its name, too.
        id: of the rehearsal that plays it; "" if it only stands.

    Attributes:
        plane: the control plane, once `start` has made it.
        bundle: the authorities that clients trust, PEM.
        proxy_authority: the authority of the proxy for an ExternalDNS of the user's own, PEM; "" without one.
        asked: when the rehearsal asked last, by the monotonic clock.
        journal: what this service and `aws` wrote of the run.
    """

    plane: ControlPlane

    def __init__(
        self,
        network: ContainerNetwork,
        folder: Path,
        setup: Setup,
        clock: Clock,
        sockets: Path,
        id: str = "",  # noqa: A002 the journal's own name
    ) -> None:
        self.id, self.asked = id, time.monotonic()
        self._network, self._folder, self._setup, self._clock = network, folder, setup, clock
        self._sockets = sockets
        self._aws = Service("aws", f"http://{network.aws}:{INSIDE_PORT}")
        self._upkeep = Upkeep()
        self._files = EnvoyFiles(network, folder.parent)
        folder.mkdir(exist_ok=True)
        self.journal = Journal(folder / "journal.ndjson")
        self.bundle = self.proxy_authority = ""

    def start(self) -> None:
        """Start everything except the controllers; `close` must follow, even if this fails.

        Raises:
            Missing: LocalStack or an Envoy does not start.
            BadInput: Envoy refuses its configuration.
        """
        aws = self._aws
        _await(aws)
        order = run_messages.run(self._setup, self._clock) | {"journal": str(self.journal.path)}
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
            # The endpoint counts no call of an observer, and AWS's own parts have no API limit.
            inside=(observer := Clients(url, access_key=OBSERVER)),
            observer=observer,
            changes=changes,
            certificates=RemoteCertificates(aws),
            upkeep=self._upkeep,
            sockets=self._sockets,
        )
        self.plane.start_balancers(loop, self._folder)
        self.plane.start_dns(loop)
        self._await_envoys()

    def start_controllers(self) -> None:
        """Start the controllers of the clusters and their Kubernetes APIs.

        Raises:
            BadInput: ExternalDNS does not know a flag.
        """
        loop = self._upkeep.loop()
        if self._setup.cluster.external_dns_is_open:
            self._start_proxy(loop)
        self.plane.start_clusters(loop)

    def _start_proxy(self, loop: LoopThread) -> None:
        """End the TLS of programs that obey no `AWS_ENDPOINT_URL`, and refuse every other host."""
        import trustme

        from testbed.real_controllers.confinement import PROXY_PORT, listener
        from testbed.real_controllers.connect_proxy import ConnectProxy
        from testbed.real_controllers.stream_relay import StreamServer

        def refused(host: str) -> None:
            what = f"a real controller asked for {host}, and a run reaches nothing but itself"
            self._upkeep.fail(BadInput(what, do="leave out what leads it there"))

        authority = trustme.CA(organization_name="Testbed proxy CA")
        self.proxy_authority = authority.cert_pem.bytes().decode()
        proxy = ConnectProxy(authority, (self._network.aws, AWS_PORT), refused)
        server = StreamServer(listener(self._network.control, PROXY_PORT), proxy.answer)
        self._upkeep.serve(loop, server.start(), server.stop)

    def begin_story(self) -> None:
        """Let a load balancer that is made from now on be provisioned for as long as the setup says."""
        self._aws.send("POST", "/story", {"balancer_provisioning": self._setup.balancer_provisioning})
        for cluster in self.plane.clusters.values():
            cluster.begin_story()

    def release(self) -> None:
        """Let another rehearsal begin, because this one has ended."""
        self.asked = -math.inf

    @property
    def is_played(self) -> bool:
        """True while a rehearsal plays it: it asks for news of the journal without a pause."""
        return bool(self.id) and time.monotonic() - self.asked < GONE

    def close(self) -> None:
        """Stop everything."""
        self._upkeep.close()
        self.journal.close()

    def check(self) -> None:
        """Raise the first failure of a part."""
        self._upkeep.check()

    def cluster(self, name: str | None = None) -> Cluster:
        """Return the cluster of a name, by default the first.

        Raises:
            BadInput: the run has no cluster of that name.
        """
        clusters = self.plane.clusters
        chosen = clusters.get(name) if name else next(iter(clusters.values()))
        if chosen is None:
            raise BadInput(f"the run has no cluster {name}")
        return chosen

    def finish(self) -> None:
        """Bring the targets' access logs and the balancers' metrics into the journal."""
        admins = {kind: balancer_envoys.admin_url(kind, self._network) for kind in BALANCER_TYPES}
        self.plane.finish(admins, self._folder, self._folder)

    def access_log(self) -> bytes:
        """Return the access log of the ALBs, once the run is finished; empty if they served nothing."""
        from testbed.load_balancers.end_of_run_records import ACCESS_LOG

        path = self._folder / ACCESS_LOG
        return path.read_bytes() if path.is_file() else b""

    def _begin_targets(self, issued: dict[str, str]) -> None:
        paths = {}
        for name in ("chain", "key"):
            paths[name] = self._folder / f"{name}.pem"
            # The mode first: the key must not be readable by others even for the moment until it is written.
            paths[name].touch(mode=0o600)
            paths[name].write_text(issued[name])
        self._files.begin(self._setup, self._clock, self._folder, paths["chain"], paths["key"])

    def _await_envoys(self) -> None:
        pause = threading.Event()
        targets = set(range(cluster_objects.PODS))
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


def _await(service: Service) -> None:
    pause = threading.Event()
    for _ in range(int(PATIENCE.process_start / PATIENCE.look)):
        try:
            service.get("/ready")
        except Missing:
            pause.wait(PATIENCE.look)
        else:
            return
    service.get("/ready")  # raises the reason
