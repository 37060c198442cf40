"""Reads the state of a running cutover: from the public APIs, ExternalDNS's log, and the clients' counts.

An `Observer` only reads. Conditions get one, so that a look changes nothing.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from testbed.aws.balancer_names import balancer_type
from testbed.aws.route53_names import stored_name
from testbed.balancer_identity import BalancerNames, plain_dns_name
from testbed.errors import BadInput
from testbed.kubernetes.kinds import ROUTE_KINDS
from testbed.network import BalancerType
from testbed.rehearsal.scenario import Scenario
from testbed.rehearsal.topology import Topology
from testbed.traffic.balancer_probe import ProbeResult
from testbed.traffic.counts import Counts


@dataclass(frozen=True, slots=True)
class AliasTarget:
    """The target of the host's alias record; `type` is that of its DNS name, None if no balancer has such."""

    dns_name: str
    type: BalancerType | None


@dataclass(frozen=True, slots=True)
class BalancerState:
    """A load balancer as the ELBv2 API describes it."""

    arn: str
    dns_name: str
    state: str
    type: BalancerType


class Observer:
    """Reads the state of a topology while a scenario is played on it.

    Attributes:
        scenario: the scenario that is played.
        topology: the running topology; a condition rarely needs it.
    """

    def __init__(self, scenario: Scenario, topology: Topology) -> None:
        self.scenario = scenario
        self.topology = topology
        self._counts_at_step = Counts()
        self._log_at_step = self._errors_at_step = 0
        self._syncs_at_action = 0
        self._zone_id: str | None = None
        self._given: Mapping[str, str] = {}
        self._external_dns: tuple[str, tuple[str, ...]] | None = None
        self._silent_since: dict[str, tuple[int, float]] = {}

    @property
    def names(self) -> BalancerNames:
        """All load balancers that the run has had so far, with their names."""
        return BalancerNames(tuple(self.topology.balancers()), self._given)

    def alias(self, type: str = "A") -> AliasTarget | None:  # noqa: A002 the field's own name
        """Return the target of the host's alias record, or None if there is no such record."""
        for record in self._records():
            if self._is_of_host(record) and record["Type"] == type:
                target = record.get("AliasTarget", {}).get("DNSName", "").rstrip(".")
                return AliasTarget(target, balancer_type(target)) if target else None
        return None

    def weights(self) -> dict[str, int]:
        """Return the weights of the host's alias records by the name of the balancer that they point to.

        A balancer that the run has not had counts under its type.
        """
        names, weight_by_name = self.names, dict[str, int]()
        for record in self._records():
            if self._is_of_host(record) and record["Type"] == "A":
                target = record.get("AliasTarget", {}).get("DNSName", "").rstrip(".")
                name = names.name(target) if names.get(target) else balancer_type(target)
                if name and "Weight" in record:
                    weight_by_name[name] = weight_by_name.get(name, 0) + record["Weight"]
        return weight_by_name

    def resource_labels(self) -> list[str]:
        """Return the resources that ExternalDNS's TXT records name for the host: `service/default/envoy`."""
        setup = self.topology.setup.cluster
        release, given = self._external_dns or (setup.external_dns_version, setup.external_dns_flags)
        if not given:
            return []
        # Imported here: a scenario without ExternalDNS does not need the whole model of it.
        from testbed.external_dns.core.facts import release_of
        from testbed.external_dns.process import flags
        from testbed.external_dns.registry.txt_labels import labels_of

        version = release_of(release)
        # A binary of the user may have flags without a model here; its TXTs do not depend on them.
        arguments = (
            flags.emulated(given, version).flags if setup.external_dns_binary else flags.parse(given, version)
        )
        claims = labels_of(self.scenario.host, self._records(), arguments, version)
        return [claim.labels["resource"] for claim in claims if "resource" in claim.labels]

    def certificate_arn(self, name: str) -> str:
        """Return the ARN of the ACM certificate that was requested for a name.

        Raises:
            BadInput: ACM has no certificate for it.
        """
        for page in self.topology.clients.acm.get_paginator("list_certificates").paginate():
            for certificate in page["CertificateSummaryList"]:
                if certificate["DomainName"] == name:
                    return certificate["CertificateArn"]
        raise BadInput(f"ACM has no certificate for {name}", do="request it in an earlier step")

    def balancers(self, name: str) -> list[BalancerState]:
        """Return the load balancers that a name means, as ELBv2 describes them; those that are deleted not.

        Args:
            name: `nlb` or `alb`, an owner such as `service/shop/envoy`, a DNS name, or a given name.

        Raises:
            BadInput: the name means nothing, or is short and stands for balancers of several owners.
        """
        meant = {plain_dns_name(one.dns_name) for one in self.names.resolve(name)}
        return [
            one
            for one in self._all_balancers()
            # A type also means the balancer that was made a moment ago, which the run does not know yet.
            if plain_dns_name(one.dns_name) in meant or one.type == name
        ]

    def balancers_of_type(self, type: str) -> list[BalancerState]:  # noqa: A002
        """Return the load balancers of a type, as ELBv2 describes them, whatever owners they have."""
        return [one for one in self._all_balancers() if one.type == type]

    def addresses(self, balancer: BalancerState) -> Sequence[str]:
        """Return the addresses of the balancer's DNS name, one per zone in service."""
        return self.topology.addresses(balancer.dns_name)

    def open_connections(self, balancer: str) -> int:
        """Return how many client connections are open at a balancer (ActiveFlowCount)."""
        return sum(self.topology.flows(one.dns_name) for one in self.names.resolve(balancer))

    def probe(self, balancer: BalancerState) -> Sequence[ProbeResult]:
        """Send one gRPC and one REST request of the host to the balancer, called by its own DNS name."""
        return self.topology.probe(balancer.dns_name)

    def has_targets(self, balancer: BalancerState) -> bool:
        """True if the balancer forwards to a target group, whatever the health of its targets."""
        groups = self.topology.clients.elbv2.describe_target_groups(LoadBalancerArn=balancer.arn)
        return bool(groups["TargetGroups"])

    def unhealthy_targets(self, balancers: Sequence[BalancerState]) -> list[str]:
        """Return the unhealthy targets of these balancers, as `id:port state`, and their empty groups."""
        elbv2 = self.topology.clients.elbv2
        words = []
        for one in balancers:
            for group in elbv2.describe_target_groups(LoadBalancerArn=one.arn)["TargetGroups"]:
                health = elbv2.describe_target_health(TargetGroupArn=group["TargetGroupArn"])
                targets = health["TargetHealthDescriptions"]
                if not targets:
                    # A group without targets has none that is unhealthy, and would pass for a healthy one.
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
            for one in self.topology.cluster.objects.list("Event")
            if one["type"] == "Warning"
            for about in [one["involvedObject"]]
            if about["kind"] == kind
        ]
        return [text for _, text in sorted(found, reverse=True)]

    def forwarded_versions(self, balancer: str, port: int) -> list[str]:
        """Return the protocol versions of the target groups that a listener forwards to, in rule order."""
        elbv2 = self.topology.clients.elbv2
        versions = {
            group["TargetGroupArn"]: group.get("ProtocolVersion", "")
            for group in elbv2.describe_target_groups()["TargetGroups"]
        }
        forwarded: list[str] = []
        for one in self.balancers(balancer):
            for listener in elbv2.describe_listeners(LoadBalancerArn=one.arn)["Listeners"]:
                if listener["Port"] != port:
                    continue
                for rule in elbv2.describe_rules(ListenerArn=listener["ListenerArn"])["Rules"]:
                    for action in rule["Actions"]:
                        for arn in _forwarded_groups(action):
                            if versions[arn] not in forwarded:
                                forwarded.append(versions[arn])
        return forwarded

    def served_in_step(self, balancer: str) -> int:
        """Return how many requests were answered through a balancer since the step began."""
        served = self._served_in_step()
        return sum(served.get(one.dns_name, 0) for one in self.names.resolve(balancer))

    def clients_at(self, balancer: str) -> Mapping[str, int]:
        """Return the open connections that the clients have at a balancer, by client model."""
        mine = {one.dns_name for one in self.names.resolve(balancer)}
        found = Counter[str]()
        for (dns_name, model), count in self.topology.counts().connections.items():
            if dns_name in mine:
                found[model] += count
        return found

    def has_served(self, balancer: str) -> bool:
        """True if a request was answered through a balancer at any time in the run."""
        served = self.topology.counts().served
        return any(served.get(one.dns_name, 0) for one in self.names.resolve(balancer))

    def leaves_traces(self) -> bool:
        """True if each client keeps a connection, so that whoever uses a balancer has one open there."""
        clients = self.scenario.clients
        return clients is None or all(part.model.keeps_connection for part in clients.parts)

    def silence(self, balancer: str) -> float:
        """Return for how many production seconds looks have seen no request answered through a balancer."""
        counts, clock = self.topology.counts().served, self.topology.clock
        served, now = sum(counts.get(one.dns_name, 0) for one in self.names.resolve(balancer)), clock.wall()
        before, since = self._silent_since.get(balancer, (-1, now))
        if served != before:
            since = now
        self._silent_since[balancer] = served, since
        return (now - since) * clock.speed

    def served_by_name_in_step(self) -> dict[str, int]:
        """Return how many requests were answered through each balancer since the step began, by its name."""
        served = self._served_in_step()
        return {name: served.get(one.dns_name, 0) for name, one in self.names.by_name.items()}

    def external_dns_log_in_step(self) -> Sequence[str]:
        """Return the messages that ExternalDNS logged since the step began."""
        return self.topology.cluster.external_dns_log()[self._log_at_step :]

    def external_dns_log(self) -> Sequence[str]:
        """Return the messages that ExternalDNS logged since it started."""
        return self.topology.cluster.external_dns_log()

    def known_names(self) -> frozenset[str]:
        """Return the names that a message may have: host, zone, and objects as `namespace/name`."""
        objects = [
            item["metadata"]
            for kind in ("Service", "Ingress", "Gateway", *ROUTE_KINDS)
            for item in self.topology.cluster.objects.list(kind)
        ]
        named = {f"{one.get('namespace', 'default')}/{one['name']}" for one in objects}
        return frozenset({self.scenario.host, self.scenario.zone, *named})

    def external_dns_error_in_step(self) -> str:
        """Return the last error that ExternalDNS logged since the step began; "" if it logged none."""
        count, message = self.topology.cluster.external_dns_error()
        return message if count > self._errors_at_step else ""

    def syncs_since_action(self) -> int:
        """Return how many syncs ExternalDNS began and finished since the operator's last action."""
        return max(0, self.topology.cluster.external_dns_syncs()[1] - self._syncs_at_action)

    def _served_in_step(self) -> Mapping[str, int]:
        return self.topology.counts().since(self._counts_at_step).served

    def _all_balancers(self) -> list[BalancerState]:
        return [
            BalancerState(
                one["LoadBalancerArn"],
                one["DNSName"],
                one["State"]["Code"],
                "nlb" if one["Type"] == "network" else "alb",
            )
            for page in self.topology.clients.elbv2.get_paginator("describe_load_balancers").paginate()
            for one in page["LoadBalancers"]
        ]

    def _is_of_host(self, record: Mapping[str, Any]) -> bool:
        return stored_name(record["Name"]) == stored_name(self.scenario.host)

    def _records(self) -> list[Mapping[str, Any]]:
        pages = self.topology.clients.route53.get_paginator("list_resource_record_sets")
        return [
            record
            for page in pages.paginate(HostedZoneId=self._zone())
            for record in page["ResourceRecordSets"]
        ]

    def _zone(self) -> str:
        if self._zone_id is None:  # asked once: conditions look many times a second
            zones = self.topology.clients.route53.list_hosted_zones_by_name(DNSName=self.scenario.zone)
            self._zone_id = zones["HostedZones"][0]["Id"]
        return self._zone_id

    def _mark_step(self) -> None:
        """Start counting anew for a step."""
        self._counts_at_step = self.topology.counts()
        self._log_at_step = len(self.topology.cluster.external_dns_log())
        self._errors_at_step = self.topology.cluster.external_dns_error()[0]

    def _mark_action(self) -> None:
        """Start counting anew for an action of the operator."""
        # A sync that is running now may have listed the objects already, so it does not count.
        self._syncs_at_action = self.topology.cluster.external_dns_syncs()[0]


def _forwarded_groups(action: Mapping[str, Any]) -> list[str]:
    if action["Type"] != "forward":
        return []
    # A forward to a single group may name it in the action itself (ELBv2 API, Action).
    groups = action.get("ForwardConfig", {}).get("TargetGroups") or [action]
    return [group["TargetGroupArn"] for group in groups]
