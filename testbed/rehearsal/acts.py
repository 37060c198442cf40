"""An operator's acts: apply manifests, change the alias, run commands, start the clients, strike a part.

Each goes through a public API (Kubernetes, AWS) and is an action in the journal.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from testbed.balancer_identity import phrase
from testbed.errors import BadInput
from testbed.faults import KNOWN, Fault, InjectedFault, Part, Scheduled
from testbed.kubernetes.api_errors import ApiError
from testbed.kubernetes.references import check_references
from testbed.network import BALANCER_TYPES
from testbed.rehearsal import applied_manifests, certificates, durations, foreign_balancers, runbook
from testbed.rehearsal.conditions import Observation
from testbed.rehearsal.external_dns_upgrade import check_upgrade
from testbed.rehearsal.fault_schedule import FaultSchedule
from testbed.rehearsal.foreign_balancers import ForeignBalancer, in_status
from testbed.rehearsal.observer import Observer
from testbed.rehearsal.scenario import Manifests, Scenario
from testbed.rehearsal.step_recorder import StepFailed, StepRecorder
from testbed.rehearsal.topology import Topology
from testbed.releases import EXTERNAL_DNS, Named
from testbed.settings import PATIENCE

RUNBOOK_LIMIT = 600.0
"""Production seconds that a command of a runbook may take by default."""


class Acts(Observer):
    """An observer that also acts, as an operator does."""

    def __init__(self, scenario: Scenario, topology: Topology, rate: float) -> None:
        super().__init__(scenario, topology)
        self._rate = rate
        self._recorder = StepRecorder(topology.journal, topology.clock)
        self._faults = FaultSchedule(topology, self._recorder)
        self._has_started = self._has_stopped = False
        self._foreign: dict[tuple[str, str, str], ForeignBalancer] = {}

    def apply(
        self,
        *paths: str,
        only: Sequence[str] = (),
        annotations: Mapping[str, str | None] | None = None,
        **values: str,
    ) -> None:
        """`kubectl apply -f` manifests of the scenario's folder; `${NAME}` in them is replaced by a value.

        A namespace that they name and that the cluster lacks is created first, and the report says so: the
        cluster stands for the user's own, where it exists.

        Args:
            paths: files, or folders of them.
            only: of these the objects `kind/name` or `kind/namespace/name`; by default all.
            annotations: what those that the manifests have are instead, None to leave one out: the ids of
                an account do not exist here.
            values: by the names that the manifests have in `${}`.

        Raises:
            BadInput: a manifest is wrong, names what does not exist, or lacks a value. None is applied then.
                Or the API refuses one, in its own words; those before it are applied then, as by kubectl.
        """
        self._apply([Manifests(paths, only, annotations or {}, values)])

    def apply_standing(self) -> None:
        """Apply the scenario's own manifests, those of the time before the cutover.

        Raises:
            BadInput: as by `apply`.
        """
        objects = self.topology.cluster.objects
        for item in applied_manifests.loaded(self.scenario.folder, self.scenario.manifests):
            standing = objects.get(*item.key) if item.key[0] == "IngressClass" else None
            # The cluster stands for the user's own, whose class may be of another controller: EKS Auto Mode.
            if standing and _controller(standing) != _controller(item.object):
                objects.delete(*item.key)
        self._apply(self.scenario.manifests)

    def _apply(self, given: Sequence[Manifests]) -> None:
        filled = applied_manifests.loaded(self.scenario.folder, given)
        objects = self.topology.cluster.objects
        check_references(filled, zones=[self.scenario.zone], existing=objects.list("Service"))
        named = dict.fromkeys(item.key[1] for item in filled if item.key[1])
        absent = [name for name in named if objects.get("Namespace", None, name) is None]
        note = f" (creates the namespace {', '.join(absent)})" if absent else ""
        words = [(*one.files, *(("only", *one.only) if one.only else ())) for one in given]
        self._act(" ".join(["apply", *itertools.chain(*words)]) + note)
        for name in absent:
            objects.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}})
        for item in filled:
            try:
                objects.apply(item.object)
            except ApiError as error:
                raise BadInput(error.what, where=item.where, do=error.do) from None
            if foreign := in_status(item):
                self._foreign[item.key] = foreign

    def delete(self, name: str, *, namespace: str = "default") -> None:
        """`kubectl delete KIND/NAME`."""
        kind, plain = _kind_and_name(name)
        self._act(f"delete {name}")
        self.topology.cluster.objects.delete(kind, namespace, plain)

    def annotate(
        self, name: str, annotations: Mapping[str, str | None], *, namespace: str = "default"
    ) -> None:
        """`kubectl annotate --overwrite KIND/NAME`; the value None removes the annotation.

        As with kubectl, the object need not have an annotation that is removed; the report names it then.
        """
        kind, plain = _kind_and_name(name)
        words = [f"{key}-" if value is None else f"{key}={value}" for key, value in annotations.items()]
        objects = self.topology.cluster.objects
        there = ((objects.get(kind, namespace, plain) or {}).get("metadata") or {}).get("annotations") or {}
        absent = [key for key, value in annotations.items() if value is None and key not in there]
        note = f" (it has no {', '.join(absent)})" if absent else ""
        self._act(f"annotate {name} {' '.join(words)}{note}")
        objects.annotate(kind, namespace, plain, dict(annotations))

    def balancer(self, name: str, balancer: str) -> None:
        """Give a load balancer a name, by which conditions, thresholds and the report refer to it.

        Args:
            name: the name, e.g. `old`.
            balancer: its owner such as `service/shop/envoy`, or its DNS name. If it does not exist yet, the
                name is that of the first that this owner makes; `service/shop/envoy (2)` is its second.

        Raises:
            BadInput: the name cannot be given, or `balancer` means nothing, or several balancers.
        """
        names = self.names
        meant = names.resolve(balancer)
        if len(meant) > 1:
            choice = " or ".join(names.names_of(meant))
            raise BadInput(f"{balancer} has made {len(meant)} load balancers", do=f"write {choice}")
        if meant and name in names.given and names.resolve(name) == meant:
            return  # given before the balancer existed, by its owner
        reference = meant[0].dns_name if meant else balancer
        self._given = names.with_name(name, reference).given
        self._recorder.balancer_named(name, self._given[name])

    def foreign_balancer(
        self,
        name: str,
        *,
        target_port: int,
        port: int = 443,
        certificate: str | None = None,
        namespace: str = "default",
        targets: str = "",
        address: str = "",
    ) -> None:
        """Make the load balancer of an Ingress or Service that another controller handles.

        It forwards to target pods.

        Args:
            name: the object, `ingress/web`; its manifest was applied.
            target_port: the port of the pods: a TLS port for an NLB, a plain one for an ALB.
            port: the port that it listens on.
            certificate: ARN of the certificate of an ALB.
            namespace: the namespace of the object.
            targets: the name of the kind of pods that it forwards to; "" for the first of the scenario.
            address: its DNS name, like those that AWS gives; "" for the one in the `status` of the manifest.

        Raises:
            BadInput: there is no such address, no such object, or the scenario has no such pods.
        """
        kind, plain = _kind_and_name(name)
        key = kind, namespace, plain
        foreign = foreign_balancers.at_address(key, address) if address else self._foreign.get(key)
        if foreign is None:
            raise BadInput(
                f"no manifest that was applied has a load balancer in the status of {name}",
                do="write status.loadBalancer.ingress[0].hostname, as `kubectl get -o yaml` prints it",
            )
        cluster, kinds = self.topology.cluster, {one.name: one for one in self.scenario.targets}
        if targets and targets not in kinds:
            raise BadInput(f"the scenario has no targets {targets!r}", do=f"write {' or '.join(kinds)}")
        pods = kinds[targets] if targets else self.scenario.targets[0]
        self._act(f"the {foreign.type.upper()} of {foreign.owner} stands: {foreign.dns_name}")
        foreign_balancers.make(
            foreign,
            self.topology.clients,
            foreign_balancers.pod_addresses(cluster.objects.list("Pod"), pods.namespace, pods.labels),
            port=port,
            target_port=target_port,
            certificate=certificate,
        )
        cluster.objects.set_balancer(kind, namespace, plain, foreign.dns_name)

    def change_alias(self, balancer: str, *, action: str = "UPSERT") -> None:
        """Write the host's alias A record by hand, as `aws route53 change-resource-record-sets` does.

        Args:
            balancer: the balancer that the record points to, by any of its names; there must be exactly one.
            action: CREATE, UPSERT or DELETE.

        Raises:
            BadInput: there is no such balancer, or several.
        """
        balancers = self.balancers(balancer)
        if len(balancers) != 1:
            what = f"{balancer.upper()}s" if balancer in BALANCER_TYPES else f"balancers {balancer}"
            raise BadInput(
                f"there are {len(balancers)} {what}, so the alias of one cannot be written",
                do=f"wait until there is one: cutover.wait_until(only_one({balancer!r}), within=...)",
            )
        host = self.scenario.host
        self._act(f"route53 change-resource-record-sets: {action} {host} A, alias of {phrase(balancer)}")
        alias = self.topology.clients.elbv2.describe_load_balancers(LoadBalancerArns=[balancers[0].arn])[
            "LoadBalancers"
        ][0]
        self.topology.clients.route53.change_resource_record_sets(
            HostedZoneId=self._zone(),
            ChangeBatch={
                "Changes": [
                    {
                        "Action": action,  # type: ignore[typeddict-item]
                        "ResourceRecordSet": {
                            "Name": host,
                            "Type": "A",
                            "AliasTarget": {
                                "DNSName": alias["DNSName"],
                                "HostedZoneId": alias["CanonicalHostedZoneId"],
                                "EvaluateTargetHealth": True,
                            },
                        },
                    }
                ]
            },
        )

    def run(self, command: str, *, shell: str | None = None, within: float = RUNBOOK_LIMIT) -> runbook.Done:
        """Run a command of the runbook verbatim, in the scenario's folder, and return its output.

        Args:
            command: the command line. It is split into words as by a shell; pipes and variables need `shell`.
            shell: the shell that runs the command: `bash`, `sh`...
            within: production seconds (plus some patience) after which the command is killed.

        Raises:
            BadInput: the command cannot be parsed, or points to another cluster or account.
            Missing: there is no such program.
            StepFailed: the command failed or was killed; the failed expectation is in the journal.
        """
        durations.check("run(within=…)", within)
        arguments = runbook.words(command, shell)
        tools = self.topology.tools()
        api = self.topology.cluster.kubernetes
        runbook.check(command, tools, api.url if api else "", self.scenario.zone)
        self._act(command)
        done = runbook.run(
            command,
            arguments,
            folder=self.scenario.folder,
            variables=runbook.environment(tools),
            wall_seconds=self.topology.clock.scaled(within) + PATIENCE.condition,
            watch=self.topology.check,
        )
        self._recorder.command(done)
        # A sync that began while the command ran may have listed the objects before the command changed them.
        self._mark_action()
        if done.status == 0:
            return done
        how = (
            f"it was still running after {within:g} s of production time, and was killed"
            if done.status is None
            else f"status {done.status}: {done.last_words}"
        )
        self._recorder.expectation(f"`{command}` succeeds", Observation(holds=False, seen=how))
        raise StepFailed(command)

    def upgrade_external_dns(self, release: str, *, flags: Sequence[str] | None = None) -> None:
        """Replace ExternalDNS by another release, newer or older: its pod ends, and a new one starts.

        Args:
            release: `v0.21.0`, `v0.21`, a tag with a vendor's suffix.
            flags: the args of its Deployment from now on; None for those that the scenario has for it.

        Raises:
            BadInput: there is no such release, it does not know a flag, or the scenario has no ExternalDNS.
        """
        if not self.scenario.external_dns:
            raise BadInput("the scenario has no ExternalDNS, so there is none to upgrade")
        cluster = self.topology.setup.cluster
        check_upgrade(release, cluster.external_dns_binary, is_open=cluster.external_dns_is_open)
        choice = EXTERNAL_DNS.named(Named(release, "cutover.upgrade_external_dns"))
        given = tuple(self.scenario.flags(choice.played) if flags is None else flags)
        note = f" ({choice.note})" if choice.note else ""
        self._act(f"upgrade ExternalDNS to {choice.played}{note}")
        self.topology.cluster.replace_external_dns(choice.played, given)
        self._external_dns = choice.played, given
        self._mark_action()

    def request_certificate(self, *names: str) -> str:
        """Request an ACM certificate for these names, write its validation records, and return its ARN.

        Returns once it is issued, a minute of production time after its records stand.

        Raises:
            BadInput: a name is in no hosted zone of the run.
        """
        self._act(f"request an ACM certificate for {', '.join(names)}, and write its validation records")
        return certificates.issued(self.topology, names)

    def start_traffic(self) -> None:
        """Start the clients of the host, at the rate of the run.

        Raises:
            BadInput: the traffic was stopped.
        """
        if self._has_stopped:
            raise BadInput(
                "the traffic has stopped and cannot start again", do="call stop_traffic() once, at the end"
            )
        self._act(f"start {self._rate:g} requests per second")
        # Before the start: requests are due from here on, and none may be earlier than this event.
        self._recorder.traffic_started(self._rate)
        self.topology.start_traffic(self._rate)
        if not self._has_started:
            self._has_started = True
            self._faults.begin(self.scenario.faults)

    def stop_traffic(self) -> None:
        """Stop sending for good, and wait for the requests in flight."""
        self._has_stopped = True
        self._act("stop the traffic")
        self._recorder.traffic_stop_requested()
        self.topology.stop_traffic()

    def strike(self, scheduled: Scheduled) -> None:
        """Let a fault strike now; it ends by itself, or with the story. Any thread may call this.

        Raises:
            BadInput: this runtime does not play it, it cannot strike now, or the story has ended.
        """
        self._faults.now(scheduled)

    @property
    def faults(self) -> tuple[str, ...]:
        """The names of the faults that this runtime plays, in the order of the alphabet."""
        return tuple(sorted(name for name, one in KNOWN.items() if one.reach in self.topology.reaches))

    @contextmanager
    def fault(
        self,
        kind: InjectedFault | Fault,
        part: Part | None = None,
        *,
        at: str | float = 0.0,
        for_: str | float | None = None,
    ) -> Iterator[None]:
        """Let a fault strike while the block lasts: `cutover.fault(TargetKilled("envoy-1"), for_="2m")`.

        The block goes on at once; when it ends, the fault is undone, whatever happens.

        Args:
            kind: one of `testbed.faults`, or its word for a part: `cutover.fault("kill", "envoy-1")`.
            part: with a word, the part that it strikes.
            at: production time from the start of the block until it strikes: `"30s"`, or seconds.
            for_: how long it lasts; None until the block ends. A block that ends first ends the fault.

        Raises:
            BadInput: there is no such fault or part, or this runtime does not play it.
        """
        if isinstance(kind, InjectedFault):
            scheduled = Scheduled(kind, at, for_)
            if part is not None:
                raise BadInput(f"{kind.text} names its part", do="leave out the second argument")
            if scheduled.start or scheduled.lasts is not None:
                playing = self._faults.block(scheduled)
            else:
                playing = self._faults.strike(kind)
            with playing:
                self._mark_action()
                yield
            self._mark_action()
            return
        if part is None:
            raise BadInput(
                f"the fault {kind!r} names no part", do='write one such as fault("kill", "envoy-1")'
            )
        if at or for_ is not None:
            raise BadInput("a word has no times", do='write a fault such as TargetKilled("envoy-1")')
        with self.topology.fault(kind, part):
            self._act(f"{kind} {part}")
            yield
        self._act(f"end of {kind} {part}")

    def _act(self, text: str) -> None:
        self._recorder.action(text)
        self._mark_action()


KINDS = {
    "service": "Service",
    "svc": "Service",
    "ingress": "Ingress",
    "ing": "Ingress",
    "pod": "Pod",
    "node": "Node",
    "namespace": "Namespace",
    "ingressclass": "IngressClass",
    "gateway": "Gateway",
    "gtw": "Gateway",
    "gatewayclass": "GatewayClass",
    "httproute": "HTTPRoute",
    "grpcroute": "GRPCRoute",
    "tlsroute": "TLSRoute",
    "tcproute": "TCPRoute",
    "udproute": "UDPRoute",
}


def _controller(ingress_class: Mapping[str, Any]) -> str:
    return str((ingress_class.get("spec") or {}).get("controller") or "")


def _kind_and_name(text: str) -> tuple[str, str]:
    kind, slash, name = text.partition("/")
    if not slash or kind.lower() not in KINDS:
        known = ", ".join(sorted(KINDS))
        raise BadInput(f"{text!r} names no object", do=f"write KIND/NAME, where KIND is one of {known}")
    return KINDS[kind.lower()], name
