"""A scenario: a plain Python function that plays a cutover, and what it needs.

```python
from testbed import Cutover, scenario

@scenario("Our move to the ALB", host="api.example.com")
def story(cutover: Cutover) -> None:
    with cutover.step("The NLB serves everything", why="This is how production stands today."):
        cutover.apply("manifests/service.yaml")
        ...
```

The first function of a script is its story; the others are variants, named `PATH:function`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import UnionType
from typing import TYPE_CHECKING, Any, TypeVar

import dns.exception
import dns.name

from testbed.client_models.population import DEFAULT_POPULATION, Population
from testbed.errors import BadInput
from testbed.faults import Scheduled
from testbed.rehearsal import durations
from testbed.settings import IPV6_SHARE, PRODUCTION
from testbed.traffic.played_population import CLIENTS, client_groups

if TYPE_CHECKING:
    from testbed.traffic.description import Traffic

# Not Callable[[Cutover], None]: a Cutover knows its scenario, so that would be a circle of imports.
Play = Callable[..., None]
"""Plays a cutover; its one argument is a `testbed.rehearsal.cutover.Cutover`."""
AnyPlay = TypeVar("AnyPlay", bound=Play)

_LAST_PORT = 65535
MOST_TARGETS = 12
"""Kinds of target pods of a cluster: their addresses are twelve rows of one subnet."""
STORY_EXTERNAL_DNS, STORY_LB_CONTROLLER = "v0.7.4", "v2.1.0"
EXTERNAL_DNS_FLAGS = (
    "--source=service",
    "--source=ingress",
    "--provider=aws",
    "--policy=sync",
    "--registry=txt",
    "--txt-owner-id=testbed",
    "--log-level=debug",
)


@dataclass(frozen=True, slots=True)
class Targets:
    """Pods that the manifests' Services select: Envoys with a TLS and a plain listener.

    Attributes:
        labels: labels of the pods; their Services select by some of them.
        namespace: namespace of the pods.
        tls_ports: each `targetPort` that gets TLS: from an NLB that passes it through, or from an ALB with
            `backend-protocol: HTTPS`.
        plain_ports: each `targetPort` that gets no TLS.
        port_names: names of these ports, for Services whose `targetPort` is a name.
        proxy_protocol: True if the pods expect the NLB's PROXY protocol at their TLS ports.
        name: the name of the pods, `envoy-0`; each kind of pods has its own.
        server_names: the names by which the pods choose what they do with TLS (SNI): a connection without
            one of them, such as every one of an ALB, is closed. Empty: they take each connection.
        plain_age: True if connections at the plain ports have the maximum age of the scenario, too: clients
            reach them through an NLB that ends TLS. Behind an ALB, whose connections clients never see, no.
    """

    labels: Mapping[str, str] = field(default_factory=lambda: {"app": "envoy"})
    namespace: str = "default"
    tls_ports: tuple[int, ...] = (8443,)
    plain_ports: tuple[int, ...] = (8080,)
    port_names: Mapping[str, int] = field(default_factory=lambda: {"https": 8443, "http": 8080})
    proxy_protocol: bool = False
    name: str = "envoy"
    server_names: tuple[str, ...] = ()
    plain_age: bool = False


@dataclass(frozen=True, slots=True)
class Manifests:
    """Some objects of some files, as `cutover.apply` takes them.

    Attributes:
        paths: a file or folder, or several, relative to the scenario's folder.
        only: of these the objects `kind/name` or `kind/namespace/name`; empty for all.
        annotations: what those that the manifests have are instead; None leaves one out.
        values: by the names that the manifests have in `${}`.

    Raises:
        BadInput: `only` is one text.
    """

    paths: str | Sequence[str]
    only: Sequence[str] = ()
    annotations: Mapping[str, str | None] = field(default_factory=dict)
    values: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if isinstance(self.only, str):
            raise BadInput(f"only={self.only!r} is one text, not a list", do=f"write only=[{self.only!r}]")

    @property
    def files(self) -> tuple[str, ...]:
        """The paths, also if there is one."""
        return (self.paths,) if isinstance(self.paths, str) else tuple(self.paths)


@dataclass(frozen=True, slots=True)
class StandingBalancer:
    """The load balancer of another controller, which stands before the cutover.

    Attributes:
        name: the object that has it, `ingress/web`; it is among the manifests.
        target_port, port, certificate, namespace, targets, address: as of `cutover.foreign_balancer`.
    """

    name: str
    target_port: int
    port: int = 443
    certificate: str | None = None
    namespace: str = "default"
    targets: str = ""
    address: str = ""


@dataclass(frozen=True, slots=True)
class Scenario:
    """A cutover that can be played.

    Attributes:
        play: the function; its argument is the `Cutover` that it plays on.
        name: name of the function.
        title: one line for the report.
        host: the name whose alias moves.
        zone: the hosted zone of the host; by default the host without its first label.
        folder: the folder that paths of manifests are relative to.
        manifests: the manifests of the time before the cutover. They are applied before the first step, and
            their load balancers are active then.
        certificates: certificates of ACM or IAM that exist before the cutover: the ARN that the manifests
            name, and the names that it is for.
        balancers: load balancers of other controllers that stand before the cutover.
        connection_age: maximum age of a client's connection at the target Envoy's TLS listener, in production
            seconds; None for no limit.
        balancer_provisioning: production seconds for which a load balancer that the story makes is set up:
            its name resolves, and nothing answers.
        external_dns: the `args:` of the ExternalDNS Deployment; empty: there is none.
        has_own_flags: False if these are the testbed's, because the script names none. Then a user's own
            ExternalDNS has those of its Deployment among the manifests.
        external_dns_by_version: further args for a release of ExternalDNS, `v0.22.0`, or for all patches of
            one, `v0.22`.
        external_dns_release: the release of ExternalDNS; None for the story's, of 2020.
        lb_controller: the release of the AWS Load Balancer Controller; None for the story's, of 2020.
        service_webhook: False if the controller is installed without its webhook for Services. From v2.5 on
            it claims each Service of type LoadBalancer that a step creates without a class.
        thresholds: limits of the verdict, as `testbed.verdict.thresholds` reads them.
        traffic: the calls of the user's own service: a file (`traffic.toml`), or a
            `testbed.traffic.description.Traffic`; None for those of the sample service.
        clients: who calls, by client model; None for the population that is assumed then.
        client_count: how many clients the run has; each has connections of its own.
        targets: the pods that the manifests' Services select, one value for each kind of them.
        port: the port that the clients call.
        ipv6_clients: share of the clients, from 0 to 1, that have IPv6. They go where AAAA leads, if the name
            has an AAAA record that leads to a dualstack balancer; else they use A as the others do.
        faults: what strikes during the traffic; the times count from its start.
    """

    play: Play
    name: str
    title: str
    host: str
    zone: str
    folder: Path
    manifests: tuple[Manifests, ...] = ()
    certificates: Mapping[str, Sequence[str]] = field(default_factory=dict)
    balancers: tuple[StandingBalancer, ...] = ()
    connection_age: float | None = 300.0
    balancer_provisioning: float = PRODUCTION.balancer_provisioning
    external_dns: tuple[str, ...] = EXTERNAL_DNS_FLAGS
    has_own_flags: bool = True
    external_dns_by_version: Mapping[str, Sequence[str]] = field(default_factory=dict)
    external_dns_release: str | None = None
    lb_controller: str | None = None
    service_webhook: bool = True
    thresholds: tuple[str, ...] = ()
    traffic: str | Traffic | None = None
    clients: Population | None = None
    client_count: int = CLIENTS
    targets: tuple[Targets, ...] = (Targets(),)
    port: int = 443
    ipv6_clients: float = IPV6_SHARE
    faults: tuple[Scheduled, ...] = ()

    def flags(self, version: str) -> list[str]:
        """Return all ExternalDNS args for a version."""
        if not self.external_dns:
            return []
        further = [
            flag
            for name, flags in self.external_dns_by_version.items()
            if version == name or version.startswith(f"{name}.")
            for flag in flags
        ]
        return [*self.external_dns, *further]


def scenario(
    title: str,
    *,
    host: str,
    zone: str | None = None,
    manifests: Sequence[str | Manifests] = (),
    certificates: Mapping[str, Sequence[str]] | None = None,
    balancers: Sequence[StandingBalancer] = (),
    connection_age: float | None = 300.0,
    balancer_provisioning: float = PRODUCTION.balancer_provisioning,
    external_dns: Sequence[str] | None = None,
    external_dns_by_version: Mapping[str, Sequence[str]] | None = None,
    external_dns_release: str | None = None,
    lb_controller: str | None = None,
    service_webhook: bool = True,
    thresholds: Sequence[str] = (),
    traffic: str | Traffic | None = None,
    clients: Mapping[str, Any] | Sequence[Any] | None = None,
    client_count: int = CLIENTS,
    targets: Targets | Sequence[Targets] = (),
    port: int = 443,
    ipv6_clients: float = IPV6_SHARE,
    faults: Sequence[Scheduled] = (),
) -> Callable[[AnyPlay], AnyPlay]:
    """Mark a function as a scenario; the arguments are those of `Scenario`.

    A release that an option, the environment, `pyproject.toml` or a Deployment among `manifests` names wins
    over `external_dns_release` and `lb_controller`; an image whose tag tells no release does not.

    `clients` gives each client model its share, `{"grpcio": 0.5, "java-http1": 0.5}`, or tables with the keys
    of `testbed.client_models.population`.

    Raises:
        BadInput: an argument has a value that no topology can have.
    """
    population = None if clients is None else Population.of(clients)
    if not _is_number(client_count, int):
        raise BadInput(f"client_count={client_count!r} is not a number", do="write one such as 10")
    client_groups(population or DEFAULT_POPULATION, client_count)  # refuses what cannot be played
    _check_name("host", host)
    _check_name("zone", host.partition(".")[2] if zone is None else zone)
    for name, values in (
        ("manifests", manifests),
        ("external_dns", external_dns),
        ("thresholds", thresholds),
    ):
        if isinstance(values, str):
            raise BadInput(f"{name}={values!r} is one text, not a list", do=f"write {name}=[{values!r}]")
    for arn, names in (certificates or {}).items():
        if isinstance(names, str) or not names:
            raise BadInput(
                f"certificates: {arn!r} has {names!r}, which is no list of names",
                do="write ['api.example.com']",
            )
    kinds = (targets,) if isinstance(targets, Targets) else tuple(targets) or (Targets(),)
    names = [one.name for one in kinds]
    if len(names) > MOST_TARGETS or len(set(names)) < len(names):
        raise BadInput(
            f"targets are {len(names)} kinds of pods: {', '.join(names)}",
            do=f"give each its own name=, and at most {MOST_TARGETS} of them",
        )
    if not _is_number(port, int) or not 1 <= port <= _LAST_PORT:
        raise BadInput(f"port={port!r} is not a port", do=f"write a number from 1 to {_LAST_PORT}")
    if not _is_number(ipv6_clients, int | float) or not 0 <= ipv6_clients <= 1:
        raise BadInput(
            f"ipv6_clients={ipv6_clients!r} is not a share of the clients", do="write a number from 0 to 1"
        )
    if any(not isinstance(one, Scheduled) for one in faults):
        raise BadInput("faults are no schedule", do='write [Scheduled(TargetKilled("envoy-1"), at="2m")]')
    if connection_age is not None and not durations.is_duration(connection_age):
        raise BadInput(
            f"connection_age={connection_age!r} is not an age in seconds",
            do=f"write a number up to {durations.MOST:g}, or None for no limit",
        )
    if not durations.is_duration(balancer_provisioning):
        raise BadInput(
            f"balancer_provisioning={balancer_provisioning!r} is not a duration in seconds",
            do=f"write a number up to {durations.MOST:g}",
        )

    def mark(play: AnyPlay) -> AnyPlay:
        play.__dict__["testbed_scenario"] = Scenario(
            play=play,
            name=play.__name__,
            title=title,
            host=host,
            zone=zone or host.partition(".")[2],
            folder=Path(play.__code__.co_filename).parent,
            manifests=tuple(one if isinstance(one, Manifests) else Manifests(one) for one in manifests),
            certificates=certificates or {},
            balancers=tuple(balancers),
            connection_age=connection_age,
            balancer_provisioning=balancer_provisioning,
            external_dns=EXTERNAL_DNS_FLAGS if external_dns is None else tuple(external_dns),
            has_own_flags=external_dns is not None or bool(external_dns_by_version),
            external_dns_by_version=external_dns_by_version or {},
            external_dns_release=external_dns_release,
            lb_controller=lb_controller,
            service_webhook=service_webhook,
            thresholds=tuple(thresholds),
            traffic=traffic,
            clients=population,
            client_count=client_count,
            targets=kinds,
            port=port,
            ipv6_clients=ipv6_clients,
            faults=tuple(faults),
        )
        return play

    return mark


def _check_name(argument: str, name: str) -> None:
    try:
        labels = dns.name.from_text(name).labels[:-1]
    except (dns.exception.DNSException, TypeError, AttributeError):
        labels = ()
    # The clients' TLS and the certificates know names of hosts only.
    if not labels or (argument == "host" and len(labels) == 1):
        raise BadInput(f"{argument}={name!r} is not a domain name", do="write one such as api.example.com")


def _is_number(value: object, kind: type | UnionType) -> bool:
    return isinstance(value, kind) and not isinstance(value, bool)
