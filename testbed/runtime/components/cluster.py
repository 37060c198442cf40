"""One cluster: its objects, what runs in it (controllers, ExternalDNS), and its API.

Clusters share the AWS account, DNS and the machine, and nothing else: each controller sees the objects of its
own cluster only.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from testbed.clock import Clock
from testbed.journal import ControllerEvent, Journal, LeftOut, Log, RealController
from testbed.network import KUBERNETES_PORT, Network
from testbed.rehearsal import topology
from testbed.rehearsal.setup import CLUSTER_NAME, ClusterSetup
from testbed.runtime.components import cluster_objects
from testbed.runtime.components.kubernetes_api import KubernetesAccess
from testbed.runtime.loop_thread import LoopThread
from testbed.runtime.upkeep import Upkeep
from testbed.settings import PATIENCE, PRODUCTION

if TYPE_CHECKING:
    from testbed.aws.boto3_clients import Clients
    from testbed.external_dns.core.log_lines import LogLine
    from testbed.external_dns.process.sync_loop import Controller
    from testbed.kubernetes import ObjectStore
    from testbed.kubernetes.client import KubernetesClient
    from testbed.kubernetes.object_store import WebhookServer
    from testbed.lb_controller.core.build_inputs import Subnet
    from testbed.runtime.components import real_controller
    from testbed.runtime.components.confined_controllers import ConfinedControllers
    from testbed.runtime.components.deployed_controllers import DeployedControllers
    from testbed.runtime.components.real_external_dns import RealExternalDns

EXTERNAL_DNS, LB_CONTROLLER = "external-dns", "lb-controller"
"""Components, as log lines name them."""
IMAGES = {EXTERNAL_DNS: "external-dns", LB_CONTROLLER: "aws-load-balancer-controller"}
"""By component, the name of the image of their pods."""
_REAL = "it runs a program of yours, which goes on whatever its Deployment asks for"


class Cluster(topology.Cluster):
    """A running cluster.

    Args:
        number: its place among the clusters of the topology, from 0: addresses and ports follow from it.
        aws: AWS clients of its controllers, whose calls count against the API limits.
        seed: of everything random in it.
        sockets: a folder where its API listens at a Unix socket of its name, beside its port.

    Attributes:
        store: its objects.
        objects: the same by the verbs of its API, without a network.
        kubernetes: its API, which listens some time after `start_api`.
        real_controllers: the binaries of the user that run in it.
    """

    store: ObjectStore
    objects: KubernetesClient
    kubernetes: KubernetesAccess
    _deployed: DeployedControllers

    def __init__(
        self,
        setup: ClusterSetup,
        number: int,
        *,
        seed: int,
        clock: Clock,
        network: Network,
        journal: Journal,
        aws: Clients,
        upkeep: Upkeep,
        sockets: Path | None = None,
    ) -> None:
        from testbed.kubernetes import ObjectStore
        from testbed.kubernetes.api_errors import ApiError
        from testbed.kubernetes.client import KubernetesClient
        from testbed.kubernetes.client_transports import InProcess

        self.name, self._setup, self._seed = setup.name, setup, seed
        self._clock, self._network, self._journal = clock, network, journal
        self._aws, self._upkeep = aws, upkeep
        self._number = number
        self._webhooks: WebhookServer | None = None
        self._story = threading.Event()
        self._messages: list[str] = []
        self._error = 0, ""
        self._external_dns: Controller | RealExternalDns | None = None
        self._real: list[real_controller.RealController] = []
        self.real_controllers: list[RealController] = []
        self._end_external_dns: Callable[[], None] = lambda: None
        self._earlier_syncs = 0
        self._played_external_dns: tuple[str, Sequence[str]] = "", ()
        self._end_lb_controller: list[Callable[[], None]] = []
        self.store = ObjectStore(clock, seed=seed)
        for item in cluster_objects.objects(network, setup, number):
            self.store.restore(item)
        for definition in setup.definitions:
            with suppress(ApiError):  # applying it with the other manifests reports the fault and its line
                self.store.create(definition)
        self.objects = KubernetesClient(InProcess(self.store, clock, seed=seed))
        # One address for all clusters, because Docker gives a container no second one: so a port for each.
        port = KUBERNETES_PORT + number
        socket = sockets / self.name if sockets else None
        self.kubernetes = KubernetesAccess(self.store, clock, network.control, port, seed, socket)

    def start_controllers(
        self,
        subnets: Sequence[Subnet],
        vpc_id: str,
        vpc_cidrs: tuple[str, ...] = (),
        controllers: ConfinedControllers | None = None,
    ) -> None:
        """Start what acts in the cluster.

        Args:
            subnets: those that the AWS Load Balancer Controller's discovery finds.
            vpc_id, vpc_cidrs: the VPC of the cluster, and its IPv4 ranges.
            controllers: where binaries of the user live; None if the setup has none.

        Raises:
            BadInput: ExternalDNS does not know a flag, or may not have it.
        """
        from testbed.dated_releases import LB_CONTROLLER_RELEASES
        from testbed.kubernetes.endpoints_controller import EndpointsController
        from testbed.kubernetes.namespace_controller import NamespaceController
        from testbed.lb_controller.controllers.gateway_controller import (
            GatewayClassController,
            GatewayController,
        )
        from testbed.lb_controller.controllers.in_tree_service_controller import InTreeServiceController
        from testbed.lb_controller.controllers.ingress_group_controller import IngressGroupController
        from testbed.lb_controller.controllers.nlb_service_controller import NlbServiceController
        from testbed.lb_controller.core.build_inputs import ControllerOptions
        from testbed.lb_controller.deploy.account_state import Account, SecurityGroups
        from testbed.lb_controller.ingress import webhook
        from testbed.lb_controller.offline import controller_flags
        from testbed.lb_controller.service import service_mutator
        from testbed.runtime.components import assumed_roles
        from testbed.settings import REGION

        release = LB_CONTROLLER_RELEASES.line(self._setup.lb_controller)
        flags = controller_flags.read(self._setup.lb_controller_args, release)
        # Its own names, because the account of the run has no others.
        options = replace(
            flags.options(release),
            cluster_name=self.name,
            vpc_id=vpc_id,
            region=REGION,
            backend_security_group=ControllerOptions().backend_security_group,
            service_webhook=self._setup.service_webhook,
        )
        account = Account(
            self._aws.elbv2,
            self._aws.acm,
            options.cluster_name,
            tuple(subnets),
            SecurityGroups(self._aws.ec2, options),
            vpc_cidrs=vpc_cidrs,
        )

        def say(level: str, message: str) -> None:
            self._log(LB_CONTROLLER, level, message, message)

        def notice(owner: str, text: str) -> None:
            self._journal.write(LeftOut(time=self._clock.wall(), owner=owner, text=text))

        common = self.store, account, options, self._clock, say, notice
        start = self._upkeep.thread
        start("endpoints", EndpointsController(self.store).run)
        start("namespaces", NamespaceController(self.store).run)
        start("services", InTreeServiceController(*common).run)

        def switch_lb_controller(runs: bool) -> None:
            for end in self._end_lb_controller:
                end()
            parts = (
                ("nlbs", NlbServiceController),
                ("ingress-groups", IngressGroupController),
                ("gateways", GatewayController),
            )
            self._end_lb_controller = [start(name, part(*common).run) for name, part in parts if runs]
            if runs:
                classes = GatewayClassController(self.store, self._clock, say)
                self._end_lb_controller.append(start("gateway-classes", classes.run))

        if self._setup.lb_controller_binary or self._setup.lb_controller_is_open:
            self.store.webhooks.append(assumed_roles.refuse)
        if self._setup.lb_controller_binary:
            assert controllers
            self._start_real_lb_controller(vpc_id, controllers)
        elif not self._setup.lb_controller_is_open:
            self.store.mutators.append(service_mutator.mutator(options, self._story.is_set))
            self.store.webhooks.append(webhook.webhook(self.store, options))
            switch_lb_controller(True)
        self._start_deployments(switch_lb_controller, notice)
        start("events", self._report_events)
        if self._setup.external_dns_flags and self._setup.external_dns_binary:
            assert controllers
            self._start_real_external_dns(controllers)
        elif self._setup.external_dns_flags and not self._setup.external_dns_is_open:
            self._start_external_dns(self._setup.external_dns_version, self._setup.external_dns_flags)

    def _start_deployments(
        self, switch_lb_controller: Callable[[bool], None], notice: Callable[[str, str], None]
    ) -> None:
        from testbed.kubernetes.deployment_controller import DeploymentController
        from testbed.runtime.components.deployed_controllers import DeployedControllers

        def switch_external_dns(runs: bool) -> None:
            if runs:
                self._start_external_dns(*self._played_external_dns)
            else:
                self._end_external_dns()

        def switch_real(image: str, _runs: bool) -> None:
            notice(f"deployment/{image}", _REAL)

        setup = self._setup
        switch: dict[str, Callable[[bool], None]] = {}
        for name, is_real, is_played, play in (
            (
                LB_CONTROLLER,
                setup.lb_controller_binary,
                not setup.lb_controller_is_open,
                switch_lb_controller,
            ),
            (
                EXTERNAL_DNS,
                setup.external_dns_binary,
                bool(setup.external_dns_flags) and not setup.external_dns_is_open,
                switch_external_dns,
            ),
        ):
            if is_real:
                switch[IMAGES[name]] = partial(switch_real, IMAGES[name])
            elif is_played:
                switch[IMAGES[name]] = play
        self._deployed = DeployedControllers(self.store, switch, notice)
        controller = DeploymentController(self.store, self._clock, switch.__contains__, self._deployed.look)
        self._upkeep.thread("deployments", controller.run)

    def wait_for_real_controllers(self, seconds: float) -> bool:
        """Wait until the binaries of the user have begun their work; return whether they have."""
        return all(one.has_begun.wait(seconds) for one in self._real)

    def begin_story(self) -> None:
        """Let webhooks see what is written from now on; what stands is older than they are.

        From now on the controllers obey their Deployments, too.
        """
        from testbed.runtime.components.deployed_controllers import standing

        self._story.set()
        if self._webhooks:
            from testbed.runtime.components.real_lb_controller import install_webhooks

            install_webhooks(self.store, self._webhooks, services=self._setup.service_webhook)
        self._deployed.begin(standing(self._setup))

    def start_api(self, loop: LoopThread) -> None:
        """Begin to start the Kubernetes API, and the binaries of the user, which wait for it.

        They end before it: a watch of theirs would hold up its end.
        """
        self.kubernetes.start(loop, self._upkeep)
        for one in self._real:
            # It is asked to end, then killed, then what it forked is.
            self._upkeep.thread(one.name, one.run, 3 * PATIENCE.process_stop)

    def external_dns_log(self) -> Sequence[str]:
        """Return the messages that ExternalDNS logged so far, oldest first."""
        self._read_real_controllers()
        return tuple(self._messages)

    def external_dns_error(self) -> tuple[int, str]:
        """Return how many errors ExternalDNS logged so far, and the message of the last one."""
        self._read_real_controllers()
        return self._error

    def external_dns_syncs(self) -> tuple[int, int]:
        """Return how many syncs ExternalDNS has begun and finished; 0 and 0 without ExternalDNS."""
        if self._external_dns is None:
            return 0, 0
        self._read_real_controllers()
        now, before = self._external_dns, self._earlier_syncs
        return before + now.syncs_started, before + now.syncs_finished

    def replace_external_dns(self, release: str, flags: Sequence[str]) -> None:
        """End ExternalDNS, and start a pod of another release; counts of syncs and the log go on.

        Raises:
            BadInput: that release does not know a flag; then the old one goes on.
        """
        from testbed.runtime.components.deployed_controllers import deployment

        image = IMAGES[EXTERNAL_DNS]
        if self._deployed.runs(image):
            self._start_external_dns(release, flags)
        self._played_external_dns = release, flags
        self._deployed.show(deployment(image, release, flags))

    def _start_external_dns(self, release: str, given: Sequence[str]) -> None:
        from testbed.external_dns.core.facts import release_of
        from testbed.external_dns.process import flags
        from testbed.external_dns.process.metrics_server import serving
        from testbed.external_dns.process.sync_loop import Controller
        from testbed.external_dns.sources.source_table import unserved
        from testbed.kubernetes.api.api_resources import Resources

        def log(line: LogLine) -> None:
            self._hear_external_dns(line, line.written(self._clock.rfc3339(), arguments.log_format))

        version = release_of(release)
        arguments = flags.parse(given, version)
        # As the strategy Recreate does, which the chart has: the old pod is gone before the new one starts.
        self._end_external_dns()
        self._played_external_dns = release, given
        self._earlier_syncs = self.external_dns_syncs()[0]
        route53 = self._aws.route53_with(arguments.api_retries)
        resources = Resources(self.store)

        def is_served(api_version: str, kind: str) -> bool:
            return any((one.api_version, one.kind) == (api_version, kind) for one in resources)

        for kind, api_version in unserved(arguments.sources, version, is_served):
            text = f"{version} reads {kind} in {api_version}, which no CRD here serves yet: it would end"
            self._journal.write(LeftOut(time=self._clock.wall(), owner=EXTERNAL_DNS, text=text))
        controller = self._external_dns = Controller(
            self.store,
            route53,
            arguments,
            version,
            self._clock,
            log,
            self._seed,
            is_served=is_served,
        )

        def run(stop: threading.Event) -> None:
            # Kubernetes pulls its image and starts its container before ExternalDNS syncs for the first time.
            if self._clock.wait(stop, PRODUCTION.external_dns_pod_start):
                return
            with serving(controller.metrics, version, self._network.control, arguments.metrics_port):
                controller.run(stop)

        self._end_external_dns = self._upkeep.thread(EXTERNAL_DNS, run)

    def _start_real_external_dns(self, controllers: ConfinedControllers) -> None:
        from testbed.runtime.components import real_external_dns

        home = controllers.home()
        real, event = real_external_dns.made(
            self._setup,
            component=self._component(EXTERNAL_DNS),
            address=self._network.control,
            home=home,
            seen_home=home,
            place=controllers,
            is_closed=controllers.place.is_closed,
            kubeconfig=self.kubernetes.kubeconfig,
            clock=self._clock,
            log=self._hear_external_dns,
        )
        controllers.let_in(real.metrics_port)
        self._external_dns = real
        self.real_controllers.append(event)
        self._real.append(real)

    def _start_real_lb_controller(self, vpc: str, controllers: ConfinedControllers) -> None:
        from testbed.runtime.components import real_lb_controller

        real, event, self._webhooks = real_lb_controller.started(
            self._setup,
            number=self._number,
            vpc=vpc,
            network=self._network,
            clock=self._clock,
            controllers=controllers,
            kubeconfig=self.kubernetes.kubeconfig,
            name=self._component(LB_CONTROLLER),
            log=lambda *words: self._log(LB_CONTROLLER, *words),
        )
        self.real_controllers.append(event)
        self._real.append(real)

    def _read_real_controllers(self) -> None:
        # They are other processes: what they did a moment ago counts as soon as somebody asks.
        for one in self._real:
            one.read()

    def _hear_external_dns(self, line: LogLine, text: str) -> None:
        self._messages.append(line.message)
        if line.is_error:
            self._error = self._error[0] + 1, line.message
        self._log(EXTERNAL_DNS, line.level, line.message, text)

    def _report_events(self, stop: threading.Event) -> None:
        """Write what controllers report about objects to the journal, whoever they are."""
        from testbed.kubernetes import Change

        with self.store.watch(["Event"]) as watch:
            while not stop.is_set():
                if (change := watch.get(PATIENCE.command_look)) and change.type is not Change.DELETED:
                    event = change.object
                    about = event["involvedObject"]
                    parts = about["kind"].lower(), about.get("namespace"), about["name"]
                    self._journal.write(
                        ControllerEvent(
                            time=self._clock.wall(),
                            object="/".join(filter(None, parts)),
                            type=event.get("type", ""),
                            reason=event.get("reason", ""),
                            message=event.get("message", ""),
                        )
                    )

    def _log(self, component: str, level: str, message: str, line: str) -> None:
        self.store.record_log(IMAGES[component], line)
        self._journal.write(
            Log(
                time=self._clock.wall(),
                component=self._component(component),
                level=level,
                message=message,
                line=line,
            )
        )

    def _component(self, name: str) -> str:
        # A cluster that stands alone is not named: journals and their readers know its components without.
        return name if self.name == CLUSTER_NAME else f"{name}/{self.name}"
