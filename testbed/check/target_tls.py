"""Traps of TLS between a load balancer and its targets.

An NLB with a TCP listener passes the client's TLS to the target, server name and all. An ALB ends it, and
opens a connection of its own: in plain text, or with `backend-protocol: HTTPS` in TLS without a server name
(SNI) and without a look at the certificate.

Sources: ALB guide, target groups (routing protocol); envoyproxy/gateway#4520, istio/istio#31421,
uswitch/yggdrasil#30 (without SNI an Envoy that picks its filter chain by it closes; the ALB answers 502).
"""

from __future__ import annotations

import enum
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from testbed.check.findings import Severity
from testbed.check.manifest_reading import ALB, Reading
from testbed.check.planned_group import PlannedGroup
from testbed.check.rule_registry import Trap, rule
from testbed.errors import Location
from testbed.kubernetes import object_fields
from testbed.kubernetes.manifests import Manifest
from testbed.lb_controller.core.stack import TargetGroup
from testbed.lb_controller.ingress.listen_ports import HTTP, HTTPS

_TLS_PORTS, _PLAIN_PORTS = (443, 8443), (80, 8080)
_TLS_NAMES, _PLAIN_NAMES = ("https", "tls", "ssl", "grpcs"), ("http", "http1", "h2c", "web")
_TLS_PROTOCOLS = ("https", "tls", "grpcs", "kubernetes.io/wss")
_PLAIN_PROTOCOLS = ("http", "kubernetes.io/h2c", "kubernetes.io/ws")
_PICKS_BY_NAME = (
    "targets that pick their filter chain or certificate by server name (Envoy Gateway, Istio, Contour, an "
    "nginx without a default server) close the connection: the health check fails, and clients get 502"
)
_WITHOUT_NAME = (
    "give the targets a listener without server names, and try it with `openssl s_client -noservername`"
)


class Speaks(enum.StrEnum):
    """What a port of a pod speaks, as far as manifests tell."""

    TLS = "TLS"
    PLAIN = "plain text"


@dataclass(frozen=True, slots=True)
class PodPort:
    """A port of the pods of a selector."""

    namespace: str
    selector: tuple[tuple[str, str], ...]
    port: int | str

    @classmethod
    def of(cls, service: Manifest, port: Mapping[str, Any]) -> PodPort | None:
        """The pods' port behind a port of a Service; None without a selector."""
        selector = object_fields.spec(service.object).get("selector") or {}
        if not selector:
            return None
        pairs = tuple(sorted((str(key), str(value)) for key, value in selector.items()))
        return cls(service.key[1], pairs, port.get("targetPort", port.get("port", 0)))


@dataclass(frozen=True, slots=True)
class _Backend:
    """A target group of an ALB, the port of the Service behind it, and the line that leads there."""

    group: TargetGroup
    ingress: str
    service: Manifest
    port: Mapping[str, Any]
    where: Location

    @property
    def pod_port(self) -> int | str:
        """The number or name of the pods' port."""
        found: int | str = self.port.get("targetPort", self.port.get("port", ""))
        return found

    @property
    def pods(self) -> PodPort | None:
        return PodPort.of(self.service, self.port)


@rule("http-to-tls-port", Severity.ERROR)
def http_to_tls_port(reading: Reading) -> Iterator[Trap]:
    """The ALB speaks plain HTTP to a port of the pods to which the NLB passes TLS."""
    for backend, nlb in _meeting(reading, HTTP, Speaks.TLS):
        yield Trap(
            backend.where,
            f"{backend.ingress} speaks plain HTTP to port {backend.pod_port} of the pods, to which the "
            f"NLB of {nlb.title} passes TLS: the targets refuse it, and clients get 502 or 400",
            f"lead it to the plain port of the pods, or set {ALB}backend-protocol: HTTPS",
        )


@rule("tls-to-plain-port", Severity.ERROR)
def tls_to_plain_port(reading: Reading) -> Iterator[Trap]:
    """The ALB speaks TLS to a port of the pods to which the NLB sends plain text."""
    for backend, nlb in _meeting(reading, HTTPS, Speaks.PLAIN):
        yield Trap(
            backend.where,
            f"{backend.ingress} speaks TLS to port {backend.pod_port} of the pods, to which the NLB of "
            f"{nlb.title} sends plain text: the handshake fails, and clients get 502",
            f"remove {ALB}backend-protocol: HTTPS, or lead it to the TLS port of the pods",
        )


@rule("sni-is-lost", Severity.WARNING)
def sni_is_lost(reading: Reading) -> Iterator[Trap]:
    """The NLB passes the client's server name to the targets; the ALB opens TLS without one."""
    for backend, nlb in _meeting(reading, HTTPS, Speaks.TLS):
        yield Trap(
            backend.where,
            f"behind the NLB of {nlb.title} the targets see the client's server name; the ALB of "
            f"{backend.ingress} opens TLS to them without one (no SNI): {_PICKS_BY_NAME}",
            f"{_WITHOUT_NAME}, or lead the Ingress to their plain port",
        )


@rule("no-sni-to-targets", Severity.NOTE)
def no_sni_to_targets(reading: Reading) -> Iterator[Trap]:
    """An ALB sends no server name to HTTPS targets, and does not look at their certificate."""
    moved = {backend.group.id for backend, _, speaks in _shared(reading) if speaks is Speaks.TLS}
    by_ingress: dict[str, list[_Backend]] = {}
    for backend in _backends(reading):
        if backend.group.protocol == HTTPS and backend.group.id not in moved:
            by_ingress.setdefault(backend.ingress, []).append(backend)
    for ingress, backends in by_ingress.items():
        services = " and ".join(dict.fromkeys(one.service.title for one in backends))
        yield Trap(
            backends[0].where,
            f"the ALB of {ingress} opens TLS to the targets of {services} without a server name (no SNI): "
            f"{_PICKS_BY_NAME}",
            _WITHOUT_NAME,
        )


@rule("protocol-and-port-disagree", Severity.WARNING)
def protocol_and_port_disagree(reading: Reading) -> Iterator[Trap]:
    """The ALB speaks HTTP to a Service port that is called HTTPS, or the other way around."""
    judged = {backend.group.id for backend, _, _ in _shared(reading)}
    for backend in _backends(reading):
        speaks = _as_called(backend.port)
        wants = Speaks.TLS if backend.group.protocol == HTTPS else Speaks.PLAIN
        if backend.group.id in judged or speaks is None or speaks is wants:
            continue
        to = f"port {_called(backend.port)} of {backend.service.title}"
        if wants is Speaks.PLAIN:
            yield Trap(
                backend.where,
                f"{backend.ingress} speaks plain HTTP to {to}: a target that speaks TLS there answers 400, "
                "redirects for ever, or closes, which clients see as 502",
                f"set {ALB}backend-protocol: HTTPS, or lead it to the plain port",
            )
        else:
            yield Trap(
                backend.where,
                f"{backend.ingress} speaks TLS to {to}: on a target that speaks plain text the handshake "
                "fails, and clients get 502",
                f"remove {ALB}backend-protocol: HTTPS, or lead it to the TLS port",
            )


def _meeting(reading: Reading, protocol: str, speaks: Speaks) -> Iterator[tuple[_Backend, Manifest]]:
    """Yield where an ALB speaks a protocol to pods to which an NLB sends this."""
    for backend, nlb, sent in _shared(reading):
        if backend.group.protocol == protocol and sent is speaks:
            yield backend, nlb


def _shared(reading: Reading) -> Iterator[tuple[_Backend, Manifest, Speaks]]:
    """Yield each target group of an ALB whose pods' port an NLB has too, and what the NLB sends there."""
    behind = _behind_nlbs(reading)
    for backend in _backends(reading):
        found = behind.get(backend.pods) if backend.pods else None
        if found:
            yield backend, *found


def _behind_nlbs(reading: Reading) -> Mapping[PodPort, tuple[Manifest, Speaks]]:
    """What the NLBs of Services send to ports of pods, where listener and port say it."""
    found: dict[PodPort, tuple[Manifest, Speaks]] = {}
    both: set[PodPort] = set()
    for service in reading.of_kind("Service"):
        planned = reading.stack_of(service)
        if planned is None or planned.stack is None:
            continue
        protocols = {one.port: one.protocol for one in planned.stack.listeners}
        targets = {
            binding.service_port: group.protocol
            for group in planned.stack.target_groups
            for binding in planned.stack.bindings
            if binding.id == group.id
        }
        for port in object_fields.spec(service.object).get("ports") or ():
            pods, number = PodPort.of(service, port), port.get("port")
            target = targets.get(number, targets.get(port.get("name")))
            speaks = _sent(protocols.get(number), target, port)
            if pods and speaks and found.setdefault(pods, (service, speaks))[1] is not speaks:
                both.add(pods)
    # A port that gets TLS and plain text takes either, as that of Argo CD does.
    return {pods: sent for pods, sent in found.items() if pods not in both}


def _sent(listener: str | None, target: str | None, port: Mapping[str, Any]) -> Speaks | None:
    if listener == "TLS":
        return Speaks.TLS if target == "TLS" else Speaks.PLAIN
    return _as_called(port) if listener == "TCP" else None


def _as_called(port: Mapping[str, Any]) -> Speaks | None:
    """What a Service's port speaks by its appProtocol, name or number, the first that tells; else None."""
    protocol, name = str(port.get("appProtocol") or "").lower(), str(port.get("name") or "").lower()
    if protocol in _TLS_PROTOCOLS:
        return Speaks.TLS
    if protocol in _PLAIN_PROTOCOLS:
        return Speaks.PLAIN
    words = name.split("-")
    if any(word in _TLS_NAMES for word in words):
        return Speaks.TLS
    if port.get("port") in _TLS_PORTS:
        return Speaks.TLS if not name or name in _TLS_NAMES else None
    if any(word in _PLAIN_NAMES for word in words):
        return Speaks.PLAIN
    return Speaks.PLAIN if port.get("port") in _PLAIN_PORTS and not name else None


def _called(port: Mapping[str, Any]) -> str:
    """`443 (https)`."""
    more = [str(port[field]) for field in ("name", "appProtocol") if port.get(field)]
    return f"{port.get('port')} ({', '.join(more)})" if more else str(port.get("port"))


def _backends(reading: Reading) -> Iterator[_Backend]:
    for planned in reading.groups:
        lines = _lines(planned)
        for group in planned.stack.target_groups:
            binding = planned.bindings[group.id]
            service = reading.service(binding.namespace, binding.service_name)
            if service is None or group.id not in lines:
                continue
            ports = object_fields.spec(service.object).get("ports") or ()
            port = next(
                (one for one in ports if binding.service_port in (one.get("port"), one.get("name"))), None
            )
            if port:
                ingress = f"Ingress {object_fields.key(planned.member_of(group).ingress)}"
                yield _Backend(group, ingress, service, port, lines[group.id])


def _lines(planned: PlannedGroup) -> Mapping[str, Location]:
    """The first line that leads to each target group."""
    lines: dict[str, Location] = {}
    for item in planned.stack.rules:
        for group in planned.target_groups_of(item.actions):
            lines.setdefault(group.id, planned.rule_line(item))
    for listener in planned.stack.listeners:
        for group in planned.target_groups_of(listener.default_actions):
            lines.setdefault(group.id, planned.line(planned.member_of(group), "spec", "defaultBackend"))
    return lines
