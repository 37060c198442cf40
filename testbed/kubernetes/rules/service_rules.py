"""What the API server refuses of a Service. Pure.

Source: `ValidateService` in pkg/apis/core/validation/validation.go of Kubernetes 1.33, and the allocators of
node ports in pkg/registry/core/service.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any

from testbed.kubernetes.rules import formats
from testbed.kubernetes.rules.metadata_rules import label_problems
from testbed.kubernetes.rules.problems import (
    Path,
    Problem,
    Raw,
    duplicate,
    forbidden,
    go_strings,
    invalid,
    required,
    unsupported,
)
from testbed.kubernetes.rules.shapes import (
    AFFINITIES,
    IP_FAMILIES,
    IP_FAMILY_POLICIES,
    PROTOCOLS,
    SERVICE_TYPES,
    TRAFFIC_POLICIES,
)

NODE_PORTS = range(30000, 32768)
"""`--service-node-port-range` of the API server."""
SOURCE_RANGES_ANNOTATION = "service.beta.kubernetes.io/load-balancer-source-ranges"
_WITH_NODE_PORTS = ("LoadBalancer", "NodePort")
_DISTRIBUTIONS = ("PreferClose", "PreferSameNode", "PreferSameZone")
_MOST_AFFINITY_SECONDS = 86400
_MOST_CLUSTER_IPS = 2
_FIRST_IP = "spec.clusterIPs[0]"
"""The API server's name of `clusterIP`, which it copies there before it looks at the rules."""
_ONLY_FOR_BALANCERS = "may only be used when `type` is 'LoadBalancer'"


def problems(
    item: Mapping[str, Any], old: Mapping[str, Any] | None, node_ports: Collection[int]
) -> Iterator[Problem]:
    """Yield everything that is wrong with a Service.

    Args:
        item: the Service as the client sends it; fields that the server fills in may be absent.
        old: as it is stored, None for a new one.
        node_ports: node ports of other Services.
    """
    spec, before = item.get("spec") or {}, (old or {}).get("spec") or {}
    kind = spec.get("type") or "ClusterIP"
    # The order is that of the API server: clients see its problems in this order.
    yield from _changes(spec, before, kind)
    is_headless = spec.get("clusterIP") == "None"
    if not spec.get("ports") and kind != "ExternalName" and not is_headless:
        yield required(("spec", "ports"))
    if is_headless and kind in _WITH_NODE_PORTS:
        why = f"may not be set to 'None' for {kind} services"
        yield invalid(("spec", "clusterIP"), "None", why, alias=_FIRST_IP)
    if kind == "ExternalName":
        yield from _external_name(spec)
    yield from _ports(spec.get("ports") or ())
    yield from label_problems(("spec", "selector"), spec.get("selector") or {})
    yield from _affinity(spec)
    if kind != "ExternalName":
        yield from _cluster_ips(spec, old)
    yield from _addresses(spec)
    if kind not in SERVICE_TYPES:
        yield unsupported(("spec", "type"), kind, SERVICE_TYPES)
    yield from _node_ports(spec, kind, node_ports)
    yield from _same_ports(spec)
    yield from _source_ranges(item, kind)
    yield from _balancer(spec, kind)
    yield from _traffic_policies(spec, kind)
    yield from _health_check_port(spec, kind, node_ports)


def _changes(spec: Mapping[str, Any], old: Mapping[str, Any], kind: str) -> Iterator[Problem]:
    before, after = old.get("clusterIP"), spec.get("clusterIP")
    # Without one the Service keeps its address: `defaults` fills the old one in again.
    if before and after and before != after and "ExternalName" not in (kind, old.get("type")):
        why = "may not change once set"
        yield invalid(("spec", "clusterIP"), go_strings([after]), why, alias=_FIRST_IP)
    name = spec.get("loadBalancerClass")
    if kind == old.get("type") == "LoadBalancer" and name != old.get("loadBalancerClass"):
        yield invalid(("spec", "loadBalancerClass"), name, "may not change once set")
    before, after = old.get("healthCheckNodePort"), spec.get("healthCheckNodePort")
    if before and after and before != after:
        yield forbidden(("spec", "healthCheckNodePort"), "field is immutable")


def _external_name(spec: Mapping[str, Any]) -> Iterator[Problem]:
    why = "may not be set for ExternalName services"
    if spec.get("clusterIP") or spec.get("clusterIPs"):
        yield forbidden(("spec", "clusterIP"), why, alias="spec.clusterIPs")
    for field in ("ipFamilies", "ipFamilyPolicy"):
        if spec.get(field):
            yield forbidden(("spec", field), why)
    name = (spec.get("externalName") or "").removesuffix(".")
    if not name:
        yield required(("spec", "externalName"))
    for words in formats.subdomain(name) if name else ():
        yield invalid(("spec", "externalName"), name, words)


def _ports(ports: Sequence[Mapping[str, Any]]) -> Iterator[Problem]:
    names: set[str] = set()
    for index, port in enumerate(ports):
        path: Path = ("spec", "ports", index)
        name = port.get("name") or ""
        if name:
            for words in formats.label(name):
                yield invalid((*path, "name"), name, words)
            if name in names:
                yield duplicate((*path, "name"), name)
            names.add(name)
        elif len(ports) > 1:
            yield required((*path, "name"))
        yield from _port(path, port)


def _port(path: Path, port: Mapping[str, Any]) -> Iterator[Problem]:
    number = port.get("port") or 0
    for words in formats.port_number(number):
        yield invalid((*path, "port"), number, words)
    protocol = port.get("protocol") or "TCP"
    if protocol not in PROTOCOLS:
        yield unsupported((*path, "protocol"), protocol, PROTOCOLS)
    target = port.get("targetPort")
    if isinstance(target, str) and target:
        for words in formats.port_name(target):
            yield invalid((*path, "targetPort"), target, words)
    elif target:  # 0 and "" are filled in from the port
        for words in formats.port_number(target):
            yield invalid((*path, "targetPort"), target, words)
    for words in formats.qualified_name(port["appProtocol"]) if port.get("appProtocol") else ():
        yield invalid((*path, "appProtocol"), port["appProtocol"], words)


def _affinity(spec: Mapping[str, Any]) -> Iterator[Problem]:
    affinity, config = spec.get("sessionAffinity") or "None", spec.get("sessionAffinityConfig")
    path: Path = ("spec", "sessionAffinityConfig")
    if affinity not in AFFINITIES:
        yield unsupported(("spec", "sessionAffinity"), affinity, AFFINITIES)
    elif affinity == "ClientIP" and config is not None:
        seconds = (config.get("clientIP") or {}).get("timeoutSeconds")
        if seconds is not None and not 0 < seconds <= _MOST_AFFINITY_SECONDS:
            why = f"must be greater than 0 and less than {_MOST_AFFINITY_SECONDS}"
            yield invalid((*path, "clientIP", "timeoutSeconds"), seconds, why)


def _cluster_ips(spec: Mapping[str, Any], old: Mapping[str, Any] | None) -> Iterator[Problem]:
    """Yield what is wrong with `clusterIPs`, as `ValidateServiceClusterIPsRelatedFields` does.

    Which families there are, and two of them, depends on the cluster: a file may be meant for another one.
    """
    first, addresses = spec.get("clusterIP") or "", spec.get("clusterIPs") or []
    path: Path = ("spec", "clusterIPs")
    shown = go_strings(addresses)
    # An update may change one of the two fields; the API server then brings the other in line.
    if old is None and addresses and not first:
        yield invalid(path, shown, "must be empty when `clusterIP` is not specified")
    elif old is None and addresses and addresses[0] != first:
        yield invalid(path, shown, "first value must match `clusterIP`")
    if addresses[:1] == ["None"] and len(addresses) > 1:
        yield invalid(path, shown, "'None' must be the first and only value")
    for index, address in enumerate(addresses):
        if index or address not in ("None", first):  # `_addresses` looks at the first one
            yield from (invalid((*path, index), address, words) for words in formats.ip_address(address))
    if len(addresses) > _MOST_CLUSTER_IPS:
        yield invalid(path, shown, f"may only hold up to {_MOST_CLUSTER_IPS} values")


def _addresses(spec: Mapping[str, Any]) -> Iterator[Problem]:
    address = spec.get("clusterIP") or "None"
    for words in formats.ip_address(address) if address != "None" else ():
        yield invalid(("spec", "clusterIP"), address, words, alias=_FIRST_IP)
    for index, family in enumerate(spec.get("ipFamilies") or ()):
        if family not in IP_FAMILIES:
            yield unsupported(("spec", "ipFamilies", index), family, IP_FAMILIES)
        if family in spec["ipFamilies"][:index]:
            yield duplicate(("spec", "ipFamilies", index), family)
    policy = spec.get("ipFamilyPolicy")
    if policy and policy not in IP_FAMILY_POLICIES:
        yield unsupported(("spec", "ipFamilyPolicy"), policy, IP_FAMILY_POLICIES)
    for index, text in enumerate(spec.get("externalIPs") or ()):
        wrong = [*formats.ip_address(text)] or [*_special_address(text)]
        yield from (invalid(("spec", "externalIPs", index), text, words) for words in wrong)


def _special_address(text: str) -> Iterator[str]:
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return  # zeros lead, which Python does not read
    if address.is_unspecified:
        yield f"may not be unspecified ({address})"
    if address.is_loopback:
        yield "may not be in the loopback range (127.0.0.0/8, ::1/128)"
    if address.is_link_local:
        yield "may not be in the link-local range (169.254.0.0/16, fe80::/10)"
    if any(address in network for network in _LOCAL_MULTICAST if network.version == address.version):
        yield "may not be in the link-local multicast range (224.0.0.0/24, ff02::/10)"


_LOCAL_MULTICAST = tuple(map(ipaddress.ip_network, ("224.0.0.0/24", "ff02::/16")))


def _node_ports(spec: Mapping[str, Any], kind: str, taken: Collection[int]) -> Iterator[Problem]:
    seen: set[tuple[str, int]] = set()
    for index, port in enumerate(spec.get("ports") or ()):
        number, path = port.get("nodePort") or 0, ("spec", "ports", index, "nodePort")
        key = port.get("protocol") or "TCP", number  # TCP and UDP may share a number
        if not number:
            continue
        if kind == "ClusterIP":
            yield forbidden(path, f"may not be used when `type` is '{kind}'")
        if key in seen:
            yield duplicate(path, number)
        elif kind in _WITH_NODE_PORTS and number not in NODE_PORTS:
            yield invalid(path, number, _OUT_OF_RANGE)
        elif kind in _WITH_NODE_PORTS and number in taken:
            yield taken_node_port(path, number)
        seen.add(key)


_OUT_OF_RANGE = (
    "provided port is not in the valid range. The range of valid ports is "
    f"{NODE_PORTS.start}-{NODE_PORTS.stop - 1}"
)


def _health_check_port(spec: Mapping[str, Any], kind: str, taken: Collection[int]) -> Iterator[Problem]:
    """Yield what the allocator refuses (`allocHealthCheckNodePort`); its status is InternalError there."""
    port = spec.get("healthCheckNodePort") or 0
    is_right = not list(formats.port_number(port))
    if is_right and kind == "LoadBalancer" and spec.get("externalTrafficPolicy") == "Local":
        why = f"failed to allocate requested HealthCheck NodePort {port}"
        path: Path = ("spec", "healthCheckNodePort")
        if port not in NODE_PORTS:
            yield invalid(path, port, f"{why}: {_OUT_OF_RANGE}")
        elif port in taken:
            yield invalid(path, port, f"{why}: provided port is already allocated")


def taken_node_port(path: Path, number: int) -> Problem:
    """Return the problem of a node port that another Service holds."""
    return invalid(path, number, "provided port is already allocated")


def _same_ports(spec: Mapping[str, Any]) -> Iterator[Problem]:
    seen: set[tuple[str, int]] = set()
    for index, port in enumerate(spec.get("ports") or ()):
        key = port.get("protocol") or "TCP", port.get("port") or 0
        if key in seen:
            shown = (
                f'core.ServicePort{{Name:"", Protocol:"{key[0]}", AppProtocol:(*string)(nil), Port:{key[1]}, '
                'TargetPort:intstr.IntOrString{Type:0, IntVal:0, StrVal:""}, NodePort:0}'
            )
            yield duplicate(("spec", "ports", index), Raw(shown))
        seen.add(key)


def _source_ranges(item: Mapping[str, Any], kind: str) -> Iterator[Problem]:
    ranges = item["spec"].get("loadBalancerSourceRanges") if item.get("spec") else None
    annotation = (item["metadata"].get("annotations") or {}).get(SOURCE_RANGES_ANNOTATION)
    if ranges:
        path: Path = ("spec", "loadBalancerSourceRanges")
        alias = "spec.LoadBalancerSourceRanges"  # as the source spells it
        if kind != "LoadBalancer":
            yield forbidden(path, _ONLY_FOR_BALANCERS, alias=alias)
        for index, text in enumerate(ranges):
            for words in formats.cidr(text.strip()):
                yield invalid((*path, index), text.strip(), words, alias=f"{alias}[{index}]")
    elif annotation is not None:  # the annotation of old counts only where the field is empty
        path = ("metadata", "annotations", SOURCE_RANGES_ANNOTATION)
        if kind != "LoadBalancer":
            yield forbidden(path, _ONLY_FOR_BALANCERS)
        for text in annotation.strip().split(",") if annotation.strip() else ():
            yield from (invalid(path, text.strip(), words) for words in formats.cidr(text.strip()))


def _balancer(spec: Mapping[str, Any], kind: str) -> Iterator[Problem]:
    name = spec.get("loadBalancerClass")
    path: Path = ("spec", "loadBalancerClass")
    if spec.get("allocateLoadBalancerNodePorts") is not None and kind != "LoadBalancer":
        yield forbidden(("spec", "allocateLoadBalancerNodePorts"), _ONLY_FOR_BALANCERS)
    if name is None:
        return
    if kind != "LoadBalancer":
        yield forbidden(path, _ONLY_FOR_BALANCERS)
    else:
        yield from (invalid(path, name, words) for words in formats.qualified_name(name))


def _traffic_policies(spec: Mapping[str, Any], kind: str) -> Iterator[Problem]:
    external = spec.get("externalTrafficPolicy")
    is_accessible = kind in _WITH_NODE_PORTS or (kind == "ClusterIP" and spec.get("externalIPs"))
    if external and not is_accessible:
        why = "may only be set for externally-accessible services"
        yield invalid(("spec", "externalTrafficPolicy"), external, why)
    elif external and external not in TRAFFIC_POLICIES:
        yield unsupported(("spec", "externalTrafficPolicy"), external, TRAFFIC_POLICIES)
    port = spec.get("healthCheckNodePort") or 0
    if port and not (kind == "LoadBalancer" and external == "Local"):
        why = "may only be set when `type` is 'LoadBalancer' and `externalTrafficPolicy` is 'Local'"
        yield invalid(("spec", "healthCheckNodePort"), port, why)
    elif port:
        for words in formats.port_number(port):
            yield invalid(("spec", "healthCheckNodePort"), port, words)
    internal = spec.get("internalTrafficPolicy")
    if internal and internal not in TRAFFIC_POLICIES:
        yield unsupported(("spec", "internalTrafficPolicy"), internal, TRAFFIC_POLICIES)
    distribution = spec.get("trafficDistribution")
    if distribution is not None and distribution not in _DISTRIBUTIONS:
        yield unsupported(("spec", "trafficDistribution"), distribution, _DISTRIBUTIONS)
