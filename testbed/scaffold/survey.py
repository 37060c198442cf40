"""What the manifests of a move hold: who has the name, which Ingresses take it over, what is called where."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from testbed.check.reading import ACCOUNT, ALB, NLB, PREFIXES, Reading, annotation
from testbed.errors import BadInput
from testbed.external_dns import flags
from testbed.external_dns.profile import profile
from testbed.kubernetes.manifests import Manifest
from testbed.kubernetes.services import Service
from testbed.lb_controller.inputs import Version
from testbed.lb_controller.nlb_target_groups import PROXY_PROTOCOL
from testbed.lb_controller.plan import PlannedStack
from testbed.lb_controller.stack import Stack
from testbed.options import EXTERNAL_DNS_VERSIONS
from testbed.scaffold.calls import calls
from testbed.settings import PRODUCTION
from testbed.traffic.calls import Call

CERTIFICATES = (ALB + "certificate-arn", NLB + "ssl-cert")
HTTPS = 443
DEFAULT_VERSION = EXTERNAL_DNS_VERSIONS[0]
NEW_PREFIX_VERSION = "v0.22"
"""The one that reads external-dns.kubernetes.io/ by default."""


@dataclass(frozen=True, slots=True)
class Survey:
    """What a scenario needs to know.

    Attributes:
        controller: the version of the AWS Load Balancer Controller that the Ingresses are written for.
        host: the name that moves; `zone` the hosted zone of all names.
        others_moving: hosts that Services and Ingresses claim too, which are not called.
        claim: the value of the Service's annotation; `names` what the ALB's certificate must name.
        hostname: the key of the Service's annotation.
        service: the Service behind the NLB.
        ingresses: those that claim the host.
        others: what is applied with the Service: all but Ingresses, and Services with balancers of their own.
        labels, namespace, tls_ports, proxy_protocol, plain_ports, port_names: of the pods that the Services
            select.
        port: that clients call.
        calls: one for each path that the ALB forwards.
        external_dns: its flags, None if its Deployment is not there or has flags that are not emulated;
            `left_out` says then which.
        interval: seconds between two of its syncs.
        version: of ExternalDNS that the manifests ask for, None for the default.
        unemulated: its release, if no profile decides as it does.
        account: annotations of the Ingresses and the Service that name what an account has.
        has_certificates: whether an object names a certificate.
    """

    controller: Version
    host: str
    others_moving: tuple[str, ...]
    claim: str
    names: tuple[str, ...]
    zone: str
    hostname: str
    service: Manifest
    ingresses: tuple[Manifest, ...]
    others: tuple[Manifest, ...]
    labels: Mapping[str, str]
    namespace: str
    tls_ports: tuple[int, ...]
    proxy_protocol: bool
    plain_ports: tuple[int, ...]
    port_names: Mapping[str, int]
    port: int
    calls: tuple[Call, ...]
    account: tuple[str, ...]
    has_certificates: bool
    external_dns: tuple[str, ...] | None
    left_out: str
    interval: float
    version: str | None
    unemulated: str | None


def survey(manifests: Sequence[Manifest], wanted: str = "") -> Survey:
    """Look at the manifests; `wanted` is the host whose move is played, "" for the first that moves.

    Custom resources are left out.

    Raises:
        BadInput: they hold no move, or one that cannot be played as it is written.
    """
    manifests = [manifest for manifest in manifests if not manifest.is_custom]
    service, hostname = _service(manifests, wanted)
    asked = NEW_PREFIX_VERSION if hostname.startswith(PREFIXES[1]) else None
    controller = _controller(manifests)
    reading = Reading.of(manifests, asked, controller)
    told = _external_dns(reading, asked)
    host, alb = _move(reading, service, wanted.lower())
    assert alb.stack
    members = tuple(reading.members(alb))
    behind = _services_behind(reading, alb.stack)
    labels = _labels([service, *behind])
    ports = list(Service.of(service.object).ports)
    names = _container_ports(manifests)
    listens = [listener.port for listener in alb.stack.listeners]
    port = next((one for one in (HTTPS, *(p.port for p in ports)) if one in listens), None)
    if port is None or port not in [one.port for one in ports]:
        has = ", ".join(str(one.port) for one in ports)
        raise BadInput(
            f"{service.title} has the ports {has}, the ALB listens on {', '.join(map(str, listens))}: no "
            "client can call both",
            where=service.where,
            do=f"give both a port, e.g. with {ALB}listen-ports",
        )
    ended = annotation(service, NLB + "ssl-cert") is not None
    plain = [one for item in behind for one in Service.of(item.object).ports]
    tls = [] if ended else ports
    named: dict[str, int] = {}
    tls_ports = _numbers(tls, names, named, 8443)
    plain_ports = _numbers([*plain, *(ports if ended else [])], names, named, 8080)
    twice = set(tls_ports) & set(plain_ports)
    if twice:
        raise BadInput(
            f"the NLB passes TLS to target port {twice.pop()}, to which the ALB leads without TLS",
            where=service.where,
            do="let the Services behind the Ingress lead to the pods' plain port",
        )
    claimed = [host, *reading.claims]
    return Survey(
        controller=controller,
        host=host,
        others_moving=tuple(one for one in reading.contested if one != host),
        claim=annotation(service, hostname) or host,
        names=tuple(dict.fromkeys((host, *_claimed(reading, *members)))),
        zone=_zone(claimed, host),
        hostname=hostname,
        service=service,
        ingresses=members,
        others=tuple(one for one in manifests if one is service or not _has_balancer(one)),
        labels=labels,
        namespace=service.key[1],
        tls_ports=tls_ports or (8443,),
        proxy_protocol=_sends_proxy_protocol(reading, service),
        plain_ports=plain_ports or (8080,),
        port_names=named,
        port=port,
        calls=tuple(calls(alb.stack, host, port)),
        account=tuple(key for key in ACCOUNT if any(annotation(one, key) for one in (*members, service))),
        has_certificates=any(annotation(one, key) for one in (*members, service) for key in CERTIFICATES),
        external_dns=told.arguments,
        left_out=told.left_out,
        interval=told.interval,
        version=told.version,
        unemulated=told.unemulated,
    )


@dataclass(frozen=True, slots=True)
class _ExternalDns:
    arguments: tuple[str, ...] | None = None
    left_out: str = ""
    interval: float = PRODUCTION.external_dns_interval
    version: str | None = None
    unemulated: str | None = None


def _external_dns(reading: Reading, version: str | None) -> _ExternalDns:
    """The flags of the Deployment, as its version has them, or else the oldest that knows them all."""
    if reading.external_dns is None:
        return _ExternalDns(version=version)
    told = reading.external_dns
    unemulated = None if told.is_emulated else told.release
    candidates: tuple[str | None, ...] = (told.profile, NEW_PREFIX_VERSION)
    if version or (told.release and told.is_emulated):
        candidates = (version or told.profile,)
    arguments = told.arguments()
    problem = ""
    for candidate in candidates:
        try:
            found = flags.parse(arguments, profile(candidate or DEFAULT_VERSION), {})
        except BadInput as error:
            problem = problem or str(error)
        else:
            return _ExternalDns(arguments, "", found.interval, _unless_default(candidate), unemulated)
    return _ExternalDns(left_out=problem, version=_unless_default(candidates[0]), unemulated=unemulated)


def _unless_default(version: str | None) -> str | None:
    return None if version == DEFAULT_VERSION else version


def _controller(manifests: Iterable[Manifest]) -> Version:
    """Path types came with networking.k8s.io/v1; the controller of the story does not know them."""
    of_v1 = any(
        one.object["kind"] == "Ingress" and one.object["apiVersion"] == "networking.k8s.io/v1"
        for one in manifests
    )
    return Version.NEWEST if of_v1 else Version.V2_1


def _sends_proxy_protocol(reading: Reading, service: Manifest) -> bool:
    nlb = reading.stack_of(service)
    groups = nlb.stack.target_groups if nlb and nlb.stack else ()
    return any(group.attributes.get(PROXY_PROTOCOL) == "true" for group in groups)


def _service(manifests: Iterable[Manifest], wanted: str) -> tuple[Manifest, str]:
    """The first Service whose name moves, of those with the wanted host if there are any; and the key."""
    services = [one for one in manifests if one.object["kind"] == "Service"]
    for manifest in sorted(services, key=lambda one: not _asks_for(one, wanted)):
        if (manifest.object.get("spec") or {}).get("type") != "LoadBalancer":
            continue
        for prefix in PREFIXES:
            if annotation(manifest, prefix + "hostname"):
                return manifest, prefix + "hostname"
    raise BadInput(
        "no Service of type LoadBalancer has a hostname annotation of ExternalDNS",
        do=f"give a Service with {PREFIXES[0]}hostname, and Ingresses with the host",
    )


def _asks_for(service: Manifest, host: str) -> bool:
    given = [annotation(service, prefix + "hostname") or "" for prefix in PREFIXES]
    return bool(host) and host.lower() in re.split(r"[\s,]+", ",".join(given).lower())


def _move(reading: Reading, service: Manifest, wanted: str) -> tuple[str, PlannedStack]:
    """The host that is wanted, or the first of the Service, that Ingresses claim too; and their ALB."""
    if reading.stack_of(service) is None:
        raise BadInput(
            f"{service.title} gets no NLB", where=service.where, do="annotate its load balancer type: nlb"
        )
    hosts = _claimed(reading, service)
    if not hosts:
        raise BadInput(
            f"ExternalDNS {reading.profile.version} does not read the hostname of {service.title}: its "
            f"annotations begin with {reading.prefix}",
            where=service.where,
            do="rename the annotation, or give its Deployment --annotation-prefix",
        )
    if wanted and wanted not in hosts:
        raise BadInput(
            f"{service.title} has no host {wanted}", where=service.where, do=f"it has {', '.join(hosts)}"
        )
    hosts = [wanted] if wanted else hosts
    for host in hosts:
        ingresses = tuple(c.manifest for c in reading.claims[host] if c.kind == "Ingress")
        if not ingresses:
            continue
        alb = reading.stack_of(ingresses[0])
        if alb is None or alb.stack is None:
            reason = alb.error if alb else "no controller takes it"
            raise BadInput(f"{ingresses[0].title} gets no ALB: {reason}", where=ingresses[0].where)
        for other in ingresses[1:]:
            if reading.stack_of(other) is not alb:
                raise BadInput(
                    f"{other.title} and {ingresses[0].title} have the host {host} and get an ALB each",
                    where=other.where,
                    do=f"give them the same {ALB}group.name",
                )
        return host, alb
    raise BadInput(
        f"no Ingress has the host {hosts[0]} of {service.title}",
        where=service.where,
        do="add the Ingresses as they shall be after the move",
    )


def _claimed(reading: Reading, *by: Manifest) -> list[str]:
    """The hosts that some objects claim."""
    return [host for host, claims in reading.claims.items() if any(one.manifest in by for one in claims)]


def _has_balancer(manifest: Manifest) -> bool:
    spec = manifest.object.get("spec") or {}
    kind = manifest.object["kind"]
    return kind == "Ingress" or (kind == "Service" and spec.get("type") == "LoadBalancer")


def _services_behind(reading: Reading, stack: Stack) -> list[Manifest]:
    found = {}
    for binding in stack.bindings:
        service = reading.service(binding.namespace, binding.service_name)
        if service:
            found[service.key] = service
    if not found:
        raise BadInput(f"the Ingress group {stack.id} leads to no Service of these manifests")
    return list(found.values())


def _labels(services: Sequence[Manifest]) -> dict[str, str]:
    """Labels that satisfy all selectors: the same pods stand behind both balancers."""
    labels: dict[str, str] = {}
    for service in services:
        for key, value in ((service.object.get("spec") or {}).get("selector") or {}).items():
            if labels.setdefault(key, value) != value:
                raise BadInput(
                    f"{service.title} selects pods with {key}={value}, {services[0].title} with "
                    f"{key}={labels[key]}: the testbed plays one set of pods behind both balancers",
                    where=service.line("spec", "selector"),
                )
        if service.key[1] != services[0].key[1]:
            raise BadInput(
                f"{service.title} and {services[0].title} are in two namespaces", where=service.where
            )
    return labels


def _container_ports(manifests: Iterable[Manifest]) -> dict[str, int]:
    """Ports that Deployments and their like name."""
    found: dict[str, int] = {}
    for manifest in manifests:
        spec = manifest.object.get("spec") or {}
        pods = (spec.get("template") or {}).get("spec") or spec
        for container in pods.get("containers") or () if isinstance(pods, Mapping) else ():
            for port in container.get("ports") or ():
                if port.get("name") and port.get("containerPort"):
                    found.setdefault(str(port["name"]), int(port["containerPort"]))
    return found


def _numbers(
    ports: Iterable[Any], names: Mapping[str, int], named: dict[str, int], unknown: int
) -> tuple[int, ...]:
    """The numbers of target ports; a name that no manifest gives a number gets one."""
    numbers: dict[int, None] = {}
    for port in ports:
        target = port.target_port
        is_name = isinstance(target, str)
        numbers[named.setdefault(target, names.get(target, unknown)) if is_name else target] = None
    return tuple(numbers)


def _zone(hosts: Sequence[str], host: str) -> str:
    """The longest suffix of all hosts, of two labels at least; of one host, what follows its first label."""
    plain = [one.lower().removeprefix("*.").split(".") for one in dict.fromkeys(hosts)]
    if len(plain) == 1:
        labels = plain[0]
        return ".".join(labels[1:] if len(labels) > 2 else labels)
    common: list[str] = []
    for parts in zip(*(reversed(one) for one in plain), strict=False):
        if len(set(parts)) > 1:
            break
        common.insert(0, parts[0])
    if len(common) < 2:
        raise BadInput(f"the hosts {', '.join(hosts)} have no hosted zone in common")
    return ".".join(common) if ".".join(common) != host or len(common) == 2 else ".".join(common[1:])
