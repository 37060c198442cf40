"""What the API server refuses of a Service. Source: pkg/apis/core/validation/validation.go. Pure."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Collection, Iterator, Mapping
from typing import Any

from testbed.kubernetes.admission import NODE_PORTS
from testbed.kubernetes.api.rules import (
    LABEL,
    PORT_RANGE,
    SUBDOMAIN,
    Raw,
    duplicate,
    forbidden,
    invalid,
    is_label,
    is_subdomain,
    labels,
    required,
    unsupported,
)
from testbed.kubernetes.api.statuses import Cause

_TYPES = ("ClusterIP", "ExternalName", "LoadBalancer", "NodePort")
_PROTOCOLS = ("SCTP", "TCP", "UDP")
_OUTSIDE = ("LoadBalancer", "NodePort")


def problems(
    item: Mapping[str, Any], old: Mapping[str, Any] | None, taken: Collection[int]
) -> Iterator[Cause]:
    """Everything that is wrong.

    Args:
        item: the Service as the client wants it.
        old: as it is stored, None for a new one.
        taken: node ports of other Services.
    """
    spec = item.get("spec") or {}
    kind = spec.get("type") or "ClusterIP"
    if kind not in _TYPES:
        yield unsupported("spec.type", kind, _TYPES)
        return
    headless = spec.get("clusterIP") == "None"
    if not spec.get("ports") and kind != "ExternalName" and not headless:
        yield required("spec.ports")
    if kind == "ExternalName":
        yield from _external_name(spec)
    if headless and kind in _OUTSIDE:
        yield invalid("spec.clusterIPs[0]", "None", "may not be set to 'None' for LoadBalancer services")
    yield from _ports(spec, kind, taken)
    yield from labels("spec.selector", spec.get("selector") or {})
    if spec.get("sessionAffinity") not in (None, "", "None", "ClientIP"):
        yield unsupported("spec.sessionAffinity", spec["sessionAffinity"], ("ClientIP", "None"))
    yield from _addresses(spec)
    yield from _policies(spec, kind)
    yield from _changes(spec, (old or {}).get("spec") or {}, kind)


def _external_name(spec: Mapping[str, Any]) -> Iterator[Cause]:
    name = (spec.get("externalName") or "").removesuffix(".")
    if not name:
        yield required("spec.externalName")
    elif not is_subdomain(name):
        yield invalid("spec.externalName", spec["externalName"], SUBDOMAIN)
    if spec.get("clusterIP") not in (None, ""):
        yield forbidden("spec.clusterIPs[0]", "may not be set for ExternalName services")


def _ports(spec: Mapping[str, Any], kind: str, taken: Collection[int]) -> Iterator[Cause]:
    ports = spec.get("ports") or []
    names: set[str] = set()
    numbers: set[tuple[str, Any]] = set()
    for index, port in enumerate(ports):
        where = f"spec.ports[{index}]"
        name, protocol = port.get("name") or "", port.get("protocol") or "TCP"
        if not name and len(ports) > 1:
            yield required(f"{where}.name")
        elif name and not is_label(name):
            yield invalid(f"{where}.name", name, LABEL)
        elif name and name in names:
            yield duplicate(f"{where}.name", name)
        names.add(name)
        if not _is_port(port.get("port")):
            yield invalid(f"{where}.port", port.get("port") or 0, PORT_RANGE)
        if protocol not in _PROTOCOLS:
            yield unsupported(f"{where}.protocol", protocol, _PROTOCOLS)
        yield from _target_port(f"{where}.targetPort", port.get("targetPort"))
        yield from _node_port(f"{where}.nodePort", port.get("nodePort"), kind, taken)
        if (protocol, port.get("port")) in numbers:
            yield duplicate(where, Raw(_go_port(protocol, port.get("port"))))
        numbers.add((protocol, port.get("port")))


def _is_port(number: Any) -> bool:
    return isinstance(number, int) and 1 <= number <= 65535


def _target_port(where: str, target: Any) -> Iterator[Cause]:
    if isinstance(target, int):
        if not _is_port(target):
            yield invalid(where, target, PORT_RANGE)
    elif isinstance(target, str) and target:
        if len(target) > 15:
            yield invalid(where, target, "must be no more than 15 characters")
        if not re.fullmatch(r"[-a-z0-9]+", target):
            why = "must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-)"
            yield invalid(where, target, why)
        elif not re.search("[a-z]", target):
            yield invalid(where, target, "must contain at least one letter (a-z)")


def _node_port(where: str, port: Any, kind: str, taken: Collection[int]) -> Iterator[Cause]:
    if not port:
        return
    if kind not in _OUTSIDE:
        yield forbidden(where, f"may not be used when `type` is '{kind}'")
    elif port not in NODE_PORTS:
        why = "provided port is not in the valid range. The range of valid ports is "
        yield invalid(where, port, f"{why}{NODE_PORTS.start}-{NODE_PORTS.stop - 1}")
    elif port in taken:
        yield invalid(where, port, "provided port is already allocated")


def _go_port(protocol: str, port: Any) -> str:
    return (
        f'core.ServicePort{{Name:"", Protocol:"{protocol}", AppProtocol:(*string)(nil), Port:{port}, '
        'TargetPort:intstr.IntOrString{Type:0, IntVal:0, StrVal:""}, NodePort:0}'
    )


def _addresses(spec: Mapping[str, Any]) -> Iterator[Cause]:
    for index, text in enumerate(spec.get("externalIPs") or ()):
        try:
            ipaddress.ip_address(text)
        except ValueError:
            why = "must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)"
            yield invalid(f"spec.externalIPs[{index}]", text, why)
    for index, text in enumerate(spec.get("loadBalancerSourceRanges") or ()):
        try:
            ipaddress.ip_network(text.strip(), strict=False)
        except ValueError:
            why = "must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)"
            yield invalid(f"spec.loadBalancerSourceRanges[{index}]", text, why)


def _policies(spec: Mapping[str, Any], kind: str) -> Iterator[Cause]:
    policy = spec.get("externalTrafficPolicy")
    if policy and policy not in ("Cluster", "Local"):
        yield unsupported("spec.externalTrafficPolicy", policy, ("Cluster", "Local"))
    elif policy and kind not in _OUTSIDE and not spec.get("externalIPs"):
        why = "may only be set for externally-accessible services"
        yield invalid("spec.externalTrafficPolicy", policy, why)
    if spec.get("loadBalancerClass") and kind != "LoadBalancer":
        yield forbidden("spec.loadBalancerClass", "may only be used when `type` is 'LoadBalancer'")
    if spec.get("loadBalancerSourceRanges") and kind != "LoadBalancer":
        why = "may only be used when `type` is 'LoadBalancer'"
        yield forbidden("spec.LoadBalancerSourceRanges", why)


def _changes(spec: Mapping[str, Any], old: Mapping[str, Any], kind: str) -> Iterator[Cause]:
    before, after = old.get("clusterIP"), spec.get("clusterIP")
    if before and after and before != after and "ExternalName" not in (kind, old.get("type")):
        yield invalid("spec.clusterIPs[0]", Raw(f'[]string{{"{after}"}}'), "may not change once set")
    if kind == old.get("type") == "LoadBalancer" and spec.get("loadBalancerClass") != old.get(
        "loadBalancerClass"
    ):
        why = "may not change once set"
        yield invalid("spec.loadBalancerClass", spec.get("loadBalancerClass"), why)
