"""The setup of a topology, on whatever it runs: one value, made in one place.

`Setup.of` is the only way from a scenario and the options of a run to a topology. Each runtime, the pytest
plugin, the bench and the containers of Compose get this value, so that none of them can forget a field.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from testbed.client_models.population import DEFAULT_POPULATION
from testbed.errors import BadInput
from testbed.options import Options
from testbed.rehearsal.played_releases import played_releases
from testbed.rehearsal.scenario import STORY_LB_CONTROLLER, Scenario, Targets
from testbed.releases import OPEN
from testbed.settings import IPV6_SHARE, PRODUCTION
from testbed.traffic.calls import Call
from testbed.traffic.description import Backend, resolve
from testbed.traffic.played_population import check_pace, client_groups
from testbed.traffic.traffic_plan import ClientGroup

DEFAULT_CLIENTS = client_groups(DEFAULT_POPULATION)
CLUSTER_NAME = "testbed"
"""The name of a cluster that stands alone; the AWS Load Balancer Controller tags its balancers with it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ClusterSetup:
    """A Kubernetes cluster: the controllers that run in it and its target pods.

    Attributes:
        name: unique among the clusters of a topology, and in the AWS account.
        external_dns_version: the version whose decisions ExternalDNS takes.
        external_dns_flags: the `args:` of its Deployment; empty if the cluster has no ExternalDNS.
        lb_controller: the version of the AWS Load Balancer Controller.
        lb_controller_args: the `args:` of its Deployment.
        service_webhook: whether its webhook claims new Services, from v2.5 on.
        external_dns_by, lb_controller_by: who names the version, for people.
        external_dns_binary: the file that is the ExternalDNS of the cluster; "" for the emulation.
        external_dns_binary_release: which release the file is.
        lb_controller_binary: the file that is the LB controller of the cluster; "" for the emulation.
        lb_controller_binary_release: which release the file is.
        external_dns_is_open, lb_controller_is_open: True if a program of the user's own takes that place.
        targets: the pods that the manifests' Services select, at least one kind.
        definitions: the CustomResourceDefinitions among the manifests that stand before the story. They are
            there before a controller starts, which looks once for the kinds that it reads.
    """

    name: str = CLUSTER_NAME
    external_dns_version: str
    external_dns_flags: tuple[str, ...] = ()
    lb_controller: str = STORY_LB_CONTROLLER
    lb_controller_args: tuple[str, ...] = ()
    service_webhook: bool = True
    external_dns_by: str = ""
    lb_controller_by: str = ""
    external_dns_binary: str = ""
    external_dns_binary_release: str = ""
    lb_controller_binary: str = ""
    lb_controller_binary_release: str = ""
    external_dns_is_open: bool = False
    lb_controller_is_open: bool = False
    targets: tuple[Targets, ...] = (Targets(),)
    definitions: tuple[Mapping[str, Any], ...] = ()

    @property
    def played_external_dns(self) -> str:
        """The version of ExternalDNS that runs; "" if the cluster has none."""
        if not self.external_dns_flags:
            return ""
        if self.external_dns_is_open:
            return OPEN
        return self.external_dns_binary_release or self.external_dns_version

    @property
    def played_lb_controller(self) -> str:
        """The version of the AWS Load Balancer Controller that runs."""
        if self.lb_controller_is_open:
            return OPEN
        return self.lb_controller_binary_release or self.lb_controller


@dataclass(frozen=True, slots=True, kw_only=True)
class Setup:
    """The setup of a topology.

    Attributes:
        host: the name that the clients call.
        zone: the hosted zone.
        clusters: at least one.
        connection_age: maximum age of a connection at the targets' TLS listener in production seconds; None
            for no limit.
        balancer_provisioning: production seconds until a load balancer that the story makes is active.
        certificates: names of the certificates that exist before the story, by ARN.
        seed: of everything random.
        port: the port that the clients call.
        ipv6_clients: share of the clients that have IPv6.
        clients: who calls, by client model.
        calls: the calls of the user's own service; empty for those of the sample service.
        backend: the servers behind the target Envoys; without a field, the sample service.
    """

    host: str
    zone: str
    clusters: tuple[ClusterSetup, ...]
    connection_age: float | None = None
    balancer_provisioning: float = PRODUCTION.balancer_provisioning
    certificates: Mapping[str, Sequence[str]] = field(default_factory=dict)
    seed: int = 1
    port: int = 443
    ipv6_clients: float = IPV6_SHARE
    clients: tuple[ClientGroup, ...] = DEFAULT_CLIENTS
    calls: tuple[Call, ...] = ()
    backend: Backend = field(default_factory=Backend)

    @property
    def cluster(self) -> ClusterSetup:
        """The first cluster: the only one, until a story has more."""
        return self.clusters[0]

    @classmethod
    def of(cls, scenario: Scenario, options: Options) -> Setup:
        """Return the setup of a scenario that is run with these options.

        Raises:
            BadInput: the file that describes the scenario's traffic is wrong, or a release is not emulated.
            Missing: the server that should describe the traffic's protos does not answer.
        """
        releases = played_releases(scenario, options)
        external_dns = releases.external_dns.played
        binary = releases.external_dns.binary if scenario.external_dns else ""
        traffic = resolve(scenario.traffic, scenario.folder)
        clients = client_groups(scenario.clients or DEFAULT_POPULATION, scenario.client_count)
        check_pace(clients, options.speed, options.rate)
        for call in traffic.calls if traffic else ():
            if not any(group.is_grpc == (call.protocol == "grpc") for group in clients):
                raise BadInput(
                    f"no client of the scenario calls {call.title}: none speaks {call.protocol}",
                    do="add one to clients",
                )
        return cls(
            host=scenario.host,
            zone=scenario.zone,
            clusters=(
                ClusterSetup(
                    external_dns_version=external_dns,
                    external_dns_flags=releases.external_dns_flags,
                    lb_controller=releases.lb_controller.played,
                    lb_controller_args=releases.lb_controller_args,
                    service_webhook=releases.service_webhook,
                    external_dns_by=releases.external_dns.by if scenario.external_dns else "",
                    external_dns_binary=binary,
                    external_dns_binary_release=releases.external_dns.tag if binary else "",
                    lb_controller_by=releases.lb_controller.by,
                    lb_controller_binary=releases.lb_controller.binary,
                    lb_controller_binary_release=releases.lb_controller.tag
                    if releases.lb_controller.binary
                    else "",
                    external_dns_is_open=releases.external_dns.is_open,
                    lb_controller_is_open=releases.lb_controller.is_open,
                    targets=scenario.targets,
                    definitions=releases.definitions,
                ),
            ),
            connection_age=scenario.connection_age,
            balancer_provisioning=scenario.balancer_provisioning,
            certificates={arn: list(names) for arn, names in scenario.certificates.items()},
            seed=options.seed,
            port=scenario.port,
            ipv6_clients=scenario.ipv6_clients,
            clients=clients,
            calls=traffic.calls if traffic else (),
            backend=traffic.backend if traffic else Backend(),
        )
