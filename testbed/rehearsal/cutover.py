"""The one object that a scenario acts on: what an operator does, waits for, expects and demands.

Actions go through the public APIs (Kubernetes, AWS); conditions look at what those APIs, ExternalDNS's log
and the clients say. Everything that happens is an event in the journal, from which the verdict is computed.

Durations are production seconds; the run's clock divides them by its speed.
"""

from __future__ import annotations

import string
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from testbed import journal
from testbed.aws.names import balancer_type
from testbed.aws.route53_rules import stored_name
from testbed.errors import BadInput
from testbed.kubernetes import manifests as manifest_files
from testbed.kubernetes.last_applied import with_last_applied
from testbed.kubernetes.references import check_references
from testbed.network import KUBERNETES_PORT
from testbed.options import EXTERNAL_DNS_VERSIONS
from testbed.rehearsal import runbook
from testbed.rehearsal.conditions import Condition, Observation
from testbed.rehearsal.scenario import Scenario
from testbed.rehearsal.topology import BalancerType, Topology
from testbed.runtime.counts import Counts
from testbed.settings import PATIENCE

RUNBOOK_LIMIT = 600.0
"""Production seconds that a command of a runbook may take."""


class StepFailed(Exception):
    """A condition was not reached; what comes after it in the story would mean nothing."""


@dataclass(frozen=True, slots=True)
class AliasTarget:
    """Where the host's alias record points."""

    dns_name: str
    type: BalancerType | None


@dataclass(frozen=True, slots=True)
class BalancerState:
    """A load balancer as the ELBv2 API describes it."""

    arn: str
    dns_name: str
    state: str
    type: BalancerType


class Cutover:
    """Plays one scenario on a running topology.

    Attributes:
        scenario: what is played.
        topology: where it is played; a scenario rarely needs it.
        has_failed: whether an expectation failed so far.
        unmet: what `expect` was asked and did not hold, with what was seen instead.
    """

    def __init__(
        self,
        scenario: Scenario,
        topology: Topology,
        rate: float,
        external_dns: str = EXTERNAL_DNS_VERSIONS[0],
    ) -> None:
        self.scenario = scenario
        self.topology = topology
        self._rate = rate
        self._external_dns = external_dns
        self._number = 0
        self._pause = threading.Event()
        self._counts_at_step = Counts()
        self._log_at_step = 0
        self._syncs_at_action = 0
        self._zone_id: str | None = None
        self.unmet: list[str] = []
        self._asked: list[Condition] = []
        self.has_failed = False

    # --- the story ---------------------------------------------------------------------------------

    @contextmanager
    def step(self, title: str, *, why: str) -> Iterator[None]:
        """A step of the story: what happens inside the block belongs to it."""
        self._number += 1
        if self._number > 1:
            self._pause.wait(PATIENCE.ledger)  # what was answered before the step must not count in it
        self._counts_at_step = self.topology.counts()
        self._log_at_step = len(self.topology.external_dns_log())
        self._write(journal.StepStarted(time=self._wall(), number=self._number, title=title, why=why))
        outcome = "interrupted"
        try:
            yield
            outcome = "passed"
        except StepFailed:
            outcome = "failed"
            raise
        finally:
            self._write(journal.StepFinished(time=self._wall(), number=self._number, outcome=outcome))

    def accept_lost_requests(self, *, why: str) -> None:
        """Lost requests do not fail the verdict of this run; by default each of them does.

        The report tells them, and why they were accepted; thresholds still limit them.
        """
        self._write(journal.LossesAccepted(time=self._wall(), why=why))

    def wait_until(self, condition: Condition, *, within: float) -> None:
        """Wait until a condition holds, `within` production seconds and some patience at most.

        Raises:
            StepFailed: it does not; the failed expectation is in the journal.
        """
        clock = self.topology.clock
        self._asked.append(condition)
        asked = clock.now()
        deadline = clock.wall() + clock.scaled(within) + PATIENCE.condition
        while True:
            seen = self._look(condition)
            if seen.holds:
                took = clock.now() - asked
                self._answer(condition, seen, f"after {took:.0f} s of production time")
                return
            if clock.wall() > deadline:
                self._answer(condition, seen, f"not within {within:g} s of production time")
                raise StepFailed(condition.text)
            self._pause.wait(PATIENCE.look)

    def expect(self, condition: Condition, *, within: float = 0.0) -> bool:
        """Record whether a condition holds now, or becomes true within production seconds.

        A failed expectation fails the verdict; the story goes on.
        """
        clock = self.topology.clock
        self._asked.append(condition)
        deadline = clock.wall() + clock.scaled(within)
        while True:
            seen = self._look(condition)
            if seen.holds or clock.wall() >= deadline:
                self._answer(condition, seen)
                if not seen.holds:
                    self.unmet.append(f"{condition.text}: {seen.seen}")
                return seen.holds
            self._pause.wait(PATIENCE.look)

    def hold(self, seconds: float) -> None:
        """Let the traffic run for production `seconds`."""
        clock = self.topology.clock
        deadline = clock.wall() + clock.scaled(seconds)
        while (left := deadline - clock.wall()) > 0:
            self.topology.check()
            self._pause.wait(min(left, PATIENCE.look))

    def end(self) -> None:
        """The story is over: what was asked and never answered, as in a thread, has failed."""
        for condition in list(self._asked):
            self._answer(condition, Observation(False, "the story ended before the answer"))

    # --- what the operator does --------------------------------------------------------------------

    def apply(
        self,
        *paths: str,
        only: Sequence[str] = (),
        annotations: Mapping[str, str | None] | None = None,
        **values: str,
    ) -> None:
        """`kubectl apply -f` manifests of the scenario's folder; `${NAME}` in them is replaced by a value.

        Args:
            paths: files, or folders of them.
            only: of these the objects `kind/name` or `kind/namespace/name`; by default all.
            annotations: what those that the manifests have are instead, None to leave one out: the ids of
                an account do not exist here.
            values: by the names that the manifests have in `${}`.

        Raises:
            BadInput: a manifest is wrong, names what does not exist, or lacks a value. None is applied then.
        """
        files = [self.scenario.folder / path for path in paths]
        loaded = manifest_files.load(files, custom=bool(only))
        if only:
            loaded = _selected(loaded, only)
        replaced = [item.with_object(_with_annotations(item.object, annotations or {})) for item in loaded]
        filled = [item.with_object(_fill(item, values)) for item in replaced]
        check_references(filled, zones=[self.scenario.zone], existing=self.topology.store.list_all())
        self._act(" ".join(["apply", *paths, *(("only", *only) if only else ())]))
        for item in filled:
            self.topology.store.apply(with_last_applied(item.object))

    def delete(self, name: str, *, namespace: str = "default") -> None:
        """`kubectl delete KIND/NAME`."""
        kind, plain = _kind_and_name(name)
        self._act(f"delete {name}")
        self.topology.store.delete(kind, namespace, plain)

    def annotate(
        self, name: str, annotations: Mapping[str, str | None], *, namespace: str = "default"
    ) -> None:
        """`kubectl annotate KIND/NAME`; the value None removes the annotation."""
        kind, plain = _kind_and_name(name)
        words = [f"{key}-" if value is None else f"{key}={value}" for key, value in annotations.items()]
        self._act(f"annotate {name} {' '.join(words)}")
        self.topology.store.annotate(kind, namespace, plain, dict(annotations))

    def change_alias(self, balancer: BalancerType, *, action: str = "UPSERT") -> None:
        """`aws route53 change-resource-record-sets`: the host's alias A record, by hand.

        Args:
            balancer: the type of the one balancer that the record leads to.
            action: CREATE, UPSERT or DELETE.

        Raises:
            BadInput: there is no such balancer, or more than one.
        """
        found = [
            one
            for page in self.topology.clients.elbv2.get_paginator("describe_load_balancers").paginate()
            for one in page["LoadBalancers"]
            if (one["Type"] == "network") == (balancer == "nlb")
        ]
        if len(found) != 1:
            raise BadInput(f"there are {len(found)} {balancer.upper()}s, not one")
        host = self.scenario.host
        self._act(f"route53 change-resource-record-sets: {action} {host} A, alias of the {balancer.upper()}")
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
                                "DNSName": found[0]["DNSName"],
                                "HostedZoneId": found[0]["CanonicalHostedZoneId"],
                                "EvaluateTargetHealth": True,
                            },
                        },
                    }
                ]
            },
        )

    def run(self, command: str, *, shell: str | None = None, within: float = RUNBOOK_LIMIT) -> runbook.Done:
        """Run a command of the runbook as it is written, in the scenario's folder; what it said.

        Args:
            command: split into words as a shell does; nothing else of a shell happens to it.
            shell: `bash`, `sh`...: this shell runs the command, with pipes and variables.
            within: production seconds, beyond some patience, after which a command that hangs is ended.

        Raises:
            BadInput: it cannot be read, or points to another cluster or account.
            Missing: there is no such program.
            StepFailed: it failed or hung; the failed expectation is in the journal.
        """
        arguments = runbook.words(command, shell)
        tools = self.topology.tools()
        runbook.check(command, tools, f"https://{self.topology.network.control}:{KUBERNETES_PORT}")
        self._act(command)
        done = runbook.run(
            command,
            arguments,
            folder=self.scenario.folder,
            variables=runbook.environment(tools),
            wall_seconds=self.topology.clock.scaled(within) + PATIENCE.condition,
            watch=self.topology.check,
        )
        self._write(
            journal.Command(
                time=self._wall(),
                step=self._number,
                command=command,
                status=done.status,
                stdout=done.stdout,
                stderr=done.stderr,
                seconds=done.seconds,
            )
        )
        # What it changed may have come after a sync that began while it ran.
        self._syncs_at_action = self.topology.external_dns_syncs()[0]
        if done.status == 0:
            return done
        how = (
            f"it had not ended after {within:g} s of production time, and was killed"
            if done.status is None
            else f"status {done.status}: {done.last_words}"
        )
        self._record(f"`{command}` succeeds", Observation(holds=False, seen=how))
        raise StepFailed(command)

    def request_certificate(self, *names: str) -> str:
        """Request an ACM certificate for these names; its ARN."""
        self._act(f"request an ACM certificate for {', '.join(names)}")
        answer = self.topology.clients.acm.request_certificate(
            DomainName=names[0],
            SubjectAlternativeNames=list(names),
            ValidationMethod="DNS",
        )
        return answer["CertificateArn"]

    def start_traffic(self) -> None:
        """Start the clients of the host, at the rate of the run."""
        self._act(f"start {self._rate:g} requests per second")
        self.topology.start_traffic(self._rate)

    def stop_traffic(self) -> None:
        """Stop sending and wait for what is in flight."""
        self._act("stop the traffic")
        self.topology.stop_traffic()

    @contextmanager
    def fault(self, kind: str, part: str) -> Iterator[None]:
        """Strike a container while the block lasts: `stop`, `kill`, `pause` or `cut_off`.

        Raises:
            BadInput: no such fault or part, or not on containers (`--on compose`, from the host).
        """
        with self.topology.fault(kind, part):
            self._act(f"{kind} {part}")
            yield
        self._act(f"end of {kind} {part}")

    # --- what can be seen --------------------------------------------------------------------------

    def alias(self, type: str = "A") -> AliasTarget | None:  # noqa: A002 the field's own name
        """Where the host's alias record points, or None if there is no such record."""
        for record in self._records():
            if self._is_of_host(record) and record["Type"] == type:
                target = record.get("AliasTarget", {}).get("DNSName", "").rstrip(".")
                return AliasTarget(target, balancer_type(target)) if target else None
        return None

    def weights(self) -> dict[str, int]:
        """The weights of the host's alias records, by the type of balancer that they lead to."""
        found: dict[str, int] = {}
        for record in self._records():
            if self._is_of_host(record) and record["Type"] == "A":
                kind = balancer_type(record.get("AliasTarget", {}).get("DNSName", "").rstrip("."))
                if kind and "Weight" in record:
                    found[kind] = found.get(kind, 0) + record["Weight"]
        return found

    def resource_labels(self) -> list[str]:
        """The resources that ExternalDNS's TXT records of the host name, e.g. `service/default/envoy`."""
        if not self.scenario.external_dns:
            return []
        from testbed.external_dns import flags
        from testbed.external_dns.profile import profile
        from testbed.external_dns.txt_labels import labels_of

        version = profile(self._external_dns)
        arguments = flags.parse(self.scenario.flags(self._external_dns), version)
        found = labels_of(self.scenario.host, self._records(), arguments, version)
        return [label.labels["resource"] for label in found if "resource" in label.labels]

    def certificate_arn(self, name: str) -> str:
        """The ARN of the ACM certificate that was requested for a name.

        Raises:
            BadInput: ACM has none.
        """
        for page in self.topology.clients.acm.get_paginator("list_certificates").paginate():
            for certificate in page["CertificateSummaryList"]:
                if certificate["DomainName"] == name:
                    return certificate["CertificateArn"]
        raise BadInput(f"ACM has no certificate for {name}", do="request it in an earlier step")

    def balancers(self, type: BalancerType) -> list[BalancerState]:  # noqa: A002
        """The load balancers of a type, as ELBv2 describes them."""
        found = []
        for page in self.topology.clients.elbv2.get_paginator("describe_load_balancers").paginate():
            for one in page["LoadBalancers"]:
                kind: BalancerType = "nlb" if one["Type"] == "network" else "alb"
                if kind == type:
                    state = one["State"]["Code"]
                    found.append(BalancerState(one["LoadBalancerArn"], one["DNSName"], state, kind))
        return found

    def addresses(self, balancer: BalancerState) -> Sequence[str]:
        """The addresses that the balancer's DNS name answers with, one a zone in service."""
        return self.topology.addresses(balancer.dns_name)

    def unhealthy_targets(self, balancers: Sequence[BalancerState]) -> list[str]:
        """Targets of these balancers that are not healthy, as `id:port state`; also empty groups."""
        elbv2 = self.topology.clients.elbv2
        words = []
        for one in balancers:
            for group in elbv2.describe_target_groups(LoadBalancerArn=one.arn)["TargetGroups"]:
                health = elbv2.describe_target_health(TargetGroupArn=group["TargetGroupArn"])
                targets = health["TargetHealthDescriptions"]
                if not targets:
                    words.append(f"{group['TargetGroupName']} has no targets")
                for item in targets:
                    state = item["TargetHealth"]["State"]
                    if state != "healthy":
                        words.append(f"{item['Target']['Id']}:{item['Target']['Port']} {state}")
        return words

    def warnings(self, kind: str) -> list[str]:
        """The Warning events of a kind's objects, the latest first: what a controller did not do, and why."""
        found = [
            (
                one["lastTimestamp"],
                f"{kind} {about.get('namespace')}/{about['name']} got {one['reason']}: {one['message']}",
            )
            for one in self.topology.store.list_all()
            if one["kind"] == "Event" and one["type"] == "Warning"
            for about in [one["involvedObject"]]
            if about["kind"] == kind
        ]
        return [text for _, text in sorted(found, reverse=True)]

    def forwarded_versions(self, type: BalancerType, port: int) -> list[str]:  # noqa: A002
        """Protocol versions of the target groups that the listener's rules forward to, in rule order."""
        elbv2 = self.topology.clients.elbv2
        versions = {
            group["TargetGroupArn"]: group.get("ProtocolVersion", "")
            for group in elbv2.describe_target_groups()["TargetGroups"]
        }
        found: list[str] = []
        for one in self.balancers(type):
            for listener in elbv2.describe_listeners(LoadBalancerArn=one.arn)["Listeners"]:
                if listener["Port"] != port:
                    continue
                for rule in elbv2.describe_rules(ListenerArn=listener["ListenerArn"])["Rules"]:
                    for action in rule["Actions"]:
                        for arn in _forwarded_groups(action):
                            if versions[arn] not in found:
                                found.append(versions[arn])
        return found

    def served_in_step(self, balancer: BalancerType) -> int:
        """Requests that were answered through a balancer type since the step began."""
        return self.topology.counts().served_by(balancer) - self._counts_at_step.served_by(balancer)

    def external_dns_log_in_step(self) -> Sequence[str]:
        """What ExternalDNS logged since the step began."""
        return self.topology.external_dns_log()[self._log_at_step :]

    def syncs_since_action(self) -> int:
        """Syncs that ExternalDNS began and finished since the operator last acted."""
        return max(0, self.topology.external_dns_syncs()[1] - self._syncs_at_action)

    def _is_of_host(self, record: Mapping[str, Any]) -> bool:
        return stored_name(record["Name"]) == stored_name(self.scenario.host)

    def _records(self) -> list[Mapping[str, Any]]:
        pages = self.topology.clients.route53.get_paginator("list_resource_record_sets")
        return [
            record
            for page in pages.paginate(HostedZoneId=self._zone())
            for record in page["ResourceRecordSets"]
        ]

    # --- the journal -------------------------------------------------------------------------------

    def _zone(self) -> str:
        if self._zone_id is None:
            zones = self.topology.clients.route53.list_hosted_zones_by_name(DNSName=self.scenario.zone)
            self._zone_id = zones["HostedZones"][0]["Id"]
        return self._zone_id

    def _look(self, condition: Condition) -> Observation:
        self.topology.check()
        return condition.look(self)

    def _act(self, text: str) -> None:
        self._write(journal.Action(time=self._wall(), step=self._number, text=text))
        # A sync that is running now may have listed the objects already, so it does not count.
        self._syncs_at_action = self.topology.external_dns_syncs()[0]

    def _answer(self, condition: Condition, seen: Observation, when: str = "") -> None:
        if condition in self._asked:  # else the story ended before
            self._asked.remove(condition)
            self._record(condition.text, seen, when)

    def _record(self, text: str, seen: Observation, when: str = "") -> None:
        self.has_failed = self.has_failed or not seen.holds
        detail = "; ".join(filter(None, (seen.seen, when)))
        self._write(
            journal.Expectation(
                time=self._wall(), step=self._number, text=text, passed=seen.holds, detail=detail
            )
        )

    def _write(self, event: journal.Event) -> None:
        self.topology.journal.write(event)

    def _wall(self) -> float:
        return self.topology.clock.wall()


def _forwarded_groups(action: Mapping[str, Any]) -> list[str]:
    if action["Type"] != "forward":
        return []
    groups = action.get("ForwardConfig", {}).get("TargetGroups") or [action]
    return [group["TargetGroupArn"] for group in groups]


KINDS = {
    "service": "Service",
    "svc": "Service",
    "ingress": "Ingress",
    "ing": "Ingress",
    "pod": "Pod",
    "node": "Node",
    "namespace": "Namespace",
    "ingressclass": "IngressClass",
}


def _kind_and_name(text: str) -> tuple[str, str]:
    kind, slash, name = text.partition("/")
    if not slash or kind.lower() not in KINDS:
        known = ", ".join(sorted(KINDS))
        raise BadInput(f"{text!r} names no object", do=f"write KIND/NAME, where KIND is one of {known}")
    return KINDS[kind.lower()], name


def _selected(
    loaded: Sequence[manifest_files.Manifest], only: Sequence[str]
) -> list[manifest_files.Manifest]:
    """The objects of these names, in the order of the manifests."""
    names = {
        name.lower(): item
        for item in loaded
        for kind, namespace, plain in [item.key]
        for name in (f"{kind}/{plain}", f"{kind}/{namespace}/{plain}")
    }
    missing = [name for name in only if name.lower() not in names]
    if missing:
        raise BadInput(f"the manifests have no {missing[0]}", do="name it as KIND/NAME")
    wanted = [names[name.lower()] for name in only]
    return [item for item in loaded if any(item is one for one in wanted)]


def _with_annotations(item: Mapping[str, Any], annotations: Mapping[str, str | None]) -> dict[str, Any]:
    """The object with other values for annotations that it has; None leaves one out."""
    metadata = dict(item["metadata"])
    given = metadata.get("annotations") or {}
    kept = {key: annotations.get(key, value) for key, value in given.items()}
    if kept:
        metadata["annotations"] = {key: value for key, value in kept.items() if value is not None}
    return {**item, "metadata": metadata}


def _fill(item: manifest_files.Manifest, values: Mapping[str, str]) -> dict[str, Any]:
    def fill(node: Any, path: tuple[str | int, ...]) -> Any:
        if isinstance(node, dict):
            return {key: fill(value, (*path, key)) for key, value in node.items()}
        if isinstance(node, list):
            return [fill(value, (*path, index)) for index, value in enumerate(node)]
        if not isinstance(node, str) or "${" not in node:
            return node
        try:
            return string.Template(node).substitute(values)
        except (KeyError, ValueError) as error:
            raise BadInput(
                f"no value for {error} in {node!r}", where=item.line(*path), do="pass it to apply(...)"
            ) from None

    filled = fill(item.object, ())
    assert isinstance(filled, dict)
    return filled
