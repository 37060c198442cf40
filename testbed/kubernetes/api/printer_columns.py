"""The columns of `kubectl get` for the kinds of Kubernetes itself.

Source: kubernetes pkg/printers/internalversion/printers.go. A column of priority 1 shows with `-o wide`.
Pure: object and time in, cells out.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from testbed.kubernetes.api.ages import age
from testbed.kubernetes.object_fields import balancer_entries

NONE = "<none>"
_UNKNOWN = "<unknown>"
Cells = Callable[[Mapping[str, Any], float], Sequence[Any]]


@dataclass(frozen=True, slots=True)
class Column:
    """A column: `type` as in OpenAPI, `priority` 0 for a column that always shows."""

    name: str
    type: str = "string"
    format: str = ""
    priority: int = 0


NAME = Column("Name", format="name")
AGE = Column("Age")


@dataclass(frozen=True, slots=True)
class Printer:
    """The columns of a kind, and a function that returns the cells of a row, without the name."""

    columns: Sequence[Column]
    cells: Cells


def _columns(*names: str, wide: Sequence[str] = ()) -> tuple[Column, ...]:
    return (NAME, *(Column(name) for name in names), *(Column(name, priority=1) for name in wide))


def _spec(item: Mapping[str, Any]) -> Mapping[str, Any]:
    return item.get("spec") or {}


def _status(item: Mapping[str, Any]) -> Mapping[str, Any]:
    return item.get("status") or {}


def _age(item: Mapping[str, Any], now: float) -> str:
    return age(item["metadata"].get("creationTimestamp"), now)


def labels(found: Mapping[str, str] | None) -> str:
    """Return labels as `a=1,b=2`."""
    return ",".join(f"{key}={value}" for key, value in sorted((found or {}).items())) or NONE


def _service(item: Mapping[str, Any], now: float) -> Sequence[Any]:
    spec = _spec(item)
    ports = [
        f"{port['port']}:{port['nodePort']}/{port.get('protocol', 'TCP')}"
        if port.get("nodePort")
        else f"{port['port']}/{port.get('protocol', 'TCP')}"
        for port in spec.get("ports") or ()
    ]
    return [
        spec.get("type", "ClusterIP"),
        spec.get("clusterIP") or NONE,
        _external_ip(item),
        ",".join(ports) or NONE,
        _age(item, now),
        labels(spec.get("selector")),
    ]


def _external_ip(item: Mapping[str, Any]) -> str:
    spec = _spec(item)
    outside = list(spec.get("externalIPs") or ())
    if spec.get("type") == "ExternalName":
        return spec.get("externalName") or NONE
    if spec.get("type") != "LoadBalancer":
        return ",".join(outside) or NONE
    return ",".join([*filter(None, [_balancers(item)]), *outside]) or "<pending>"


def _balancers(item: Mapping[str, Any]) -> str:
    addresses = {one.get("ip") or one.get("hostname") or "" for one in balancer_entries(item)}
    return ",".join(sorted(addresses - {""}))


def _ingress(item: Mapping[str, Any], now: float) -> Sequence[Any]:
    spec = _spec(item)
    hosts = list(dict.fromkeys(rule["host"] for rule in spec.get("rules") or () if rule.get("host")))
    shown = ",".join(hosts[:3]) + (f" + {len(hosts) - 3} more..." if len(hosts) > 3 else "")
    ports = "80, 443" if spec.get("tls") else "80"
    return [spec.get("ingressClassName") or NONE, shown or "*", _balancers(item), ports, _age(item, now)]


def _ingress_class(item: Mapping[str, Any], now: float) -> Sequence[Any]:
    found = _spec(item).get("parameters")
    shown = NONE
    if found:
        kind = f"{found.get('kind')}.{found['apiGroup']}" if found.get("apiGroup") else found.get("kind")
        shown = f"{kind}/{found.get('name')}"
    return [_spec(item).get("controller") or NONE, shown, _age(item, now)]


def _endpoints(item: Mapping[str, Any], now: float) -> Sequence[Any]:
    found = [
        f"{address['ip']}:{port['port']}"
        for subset in item.get("subsets") or ()
        for port in subset.get("ports") or ()
        for address in subset.get("addresses") or ()
    ]
    return [_few(found), _age(item, now)]


def _endpoint_slice(item: Mapping[str, Any], now: float) -> Sequence[Any]:
    ports = [str(port.get("port") or port.get("name") or "*") for port in item.get("ports") or ()]
    addresses = [one for endpoint in item.get("endpoints") or () for one in endpoint.get("addresses") or ()]
    return [
        item.get("addressType", _UNKNOWN),
        _few(ports, "<unset>"),
        _few(addresses, "<unset>"),
        _age(item, now),
    ]


def _few(found: Sequence[str], none: str = NONE) -> str:
    shown = ",".join(found[:3]) + (f" + {len(found) - 3} more..." if len(found) > 3 else "")
    return shown or none


def _pod(item: Mapping[str, Any], now: float) -> Sequence[Any]:
    spec, status = _spec(item), _status(item)
    containers = status.get("containerStatuses") or ()
    ready = sum(1 for one in containers if one.get("ready"))
    word = status.get("reason") or status.get("phase") or ""
    for one in containers:
        state = one.get("state") or {}
        stopped = state.get("waiting") or state.get("terminated")
        if stopped and stopped.get("reason"):
            word = stopped["reason"]
    if item["metadata"].get("deletionTimestamp"):
        word = "Terminating"
    gates = spec.get("readinessGates") or ()
    conditions = {one["type"]: one["status"] for one in status.get("conditions") or ()}
    passed = sum(1 for gate in gates if conditions.get(gate.get("conditionType")) == "True")
    return [
        f"{ready}/{len(spec.get('containers') or ())}",
        word,
        str(sum(one.get("restartCount", 0) for one in containers)),
        _age(item, now),
        status.get("podIP") or NONE,
        spec.get("nodeName") or NONE,
        status.get("nominatedNodeName") or NONE,
        f"{passed}/{len(gates)}" if gates else NONE,
    ]


_ROLE = "node-role.kubernetes.io/"


def _node(item: Mapping[str, Any], now: float) -> Sequence[Any]:
    status, info = _status(item), _status(item).get("nodeInfo") or {}
    ready = [one for one in status.get("conditions") or () if one["type"] == "Ready"]
    words = [("Ready" if one["status"] == "True" else "NotReady") for one in ready] or ["Unknown"]
    if _spec(item).get("unschedulable"):
        words.append("SchedulingDisabled")
    roles = sorted(
        key.removeprefix(_ROLE) for key in item["metadata"].get("labels") or {} if key.startswith(_ROLE)
    )
    # Reversed, so that of several addresses of a type the first one stays.
    addresses = {one["type"]: one["address"] for one in reversed(status.get("addresses") or ())}
    return [
        ",".join(words),
        ",".join(roles) or NONE,
        _age(item, now),
        info.get("kubeletVersion", ""),
        addresses.get("InternalIP", NONE),
        addresses.get("ExternalIP", NONE),
        info.get("osImage") or _UNKNOWN,
        info.get("kernelVersion") or _UNKNOWN,
        info.get("containerRuntimeVersion") or _UNKNOWN,
    ]


def _namespace(item: Mapping[str, Any], now: float) -> Sequence[Any]:
    return [_status(item).get("phase", "Active"), _age(item, now)]


def _event(item: Mapping[str, Any], now: float) -> Sequence[Any]:
    about, source = item.get("involvedObject") or {}, item.get("source") or {}
    first, last = item.get("firstTimestamp"), item.get("lastTimestamp")
    who = source.get("component", "") + (f", {source['host']}" if source.get("host") else "")
    return [
        age(last or item.get("eventTime") or first, now),
        item.get("type", ""),
        item.get("reason", ""),
        f"{about.get('kind', '').lower()}/{about.get('name', '')}",
        about.get("fieldPath", ""),
        who,
        (item.get("message") or "").strip(),
        age(first or item.get("eventTime"), now),
        item.get("count", 1),
        item["metadata"]["name"],
    ]


def _data(item: Mapping[str, Any], now: float) -> Sequence[Any]:
    return [len(item.get("data") or {}) + len(item.get("binaryData") or {}), _age(item, now)]


def _secret(item: Mapping[str, Any], now: float) -> Sequence[Any]:
    return [item.get("type", "Opaque"), len(item.get("data") or {}), _age(item, now)]


def _lease(item: Mapping[str, Any], now: float) -> Sequence[Any]:
    return [_spec(item).get("holderIdentity") or "", _age(item, now)]


def _deployment(item: Mapping[str, Any], now: float) -> Sequence[Any]:
    spec, status = _spec(item), _status(item)
    containers = ((spec.get("template") or {}).get("spec") or {}).get("containers") or ()
    return [
        f"{status.get('readyReplicas', 0)}/{spec.get('replicas', 1)}",
        status.get("updatedReplicas", 0),
        status.get("availableReplicas", 0),
        _age(item, now),
        ",".join(one.get("name", "") for one in containers),
        ",".join(one.get("image", "") for one in containers),
        labels((spec.get("selector") or {}).get("matchLabels")),
    ]


def _definition(item: Mapping[str, Any], now: float) -> Sequence[Any]:  # noqa: ARG001 one signature
    return [item["metadata"].get("creationTimestamp", "")]


def _only_age(item: Mapping[str, Any], now: float) -> Sequence[Any]:
    return [_age(item, now)]


_BINDING = _columns("Service-Name", "Service-Port", "Target-Type", wide=["ARN"])


def _binding(item: Mapping[str, Any], now: float) -> Sequence[Any]:
    spec = _spec(item)
    service = spec.get("serviceRef") or {}
    return [
        service.get("name"),
        service.get("port"),
        spec.get("targetType"),
        spec.get("targetGroupARN"),
        _age(item, now),
    ]


DEFAULT = Printer((NAME, AGE), _only_age)
PRINTERS: Mapping[str, Printer] = {
    "Service": Printer(
        _columns("Type", "Cluster-IP", "External-IP", "Port(s)", "Age", wide=["Selector"]), _service
    ),
    "Ingress": Printer(_columns("Class", "Hosts", "Address", "Ports", "Age"), _ingress),
    "IngressClass": Printer(_columns("Controller", "Parameters", "Age"), _ingress_class),
    "Endpoints": Printer(_columns("Endpoints", "Age"), _endpoints),
    "EndpointSlice": Printer(_columns("AddressType", "Ports", "Endpoints", "Age"), _endpoint_slice),
    "Pod": Printer(
        _columns(
            *("Ready", "Status", "Restarts", "Age"), wide=["IP", "Node", "Nominated Node", "Readiness Gates"]
        ),
        _pod,
    ),
    "Node": Printer(
        _columns(
            *("Status", "Roles", "Age", "Version"),
            wide=["Internal-IP", "External-IP", "OS-Image", "Kernel-Version", "Container-Runtime"],
        ),
        _node,
    ),
    "Namespace": Printer(_columns("Status", "Age"), _namespace),
    "Event": Printer(
        (
            *(Column("Last Seen"), Column("Type"), Column("Reason"), Column("Object")),
            *(Column("Subobject", priority=1), Column("Source", priority=1), Column("Message")),
            *(Column("First Seen", priority=1), Column("Count", priority=1), Column("Name", priority=1)),
        ),
        _event,
    ),
    "ConfigMap": Printer(_columns("Data", "Age"), _data),
    "Secret": Printer(_columns("Type", "Data", "Age"), _secret),
    "Lease": Printer(_columns("Holder", "Age"), _lease),
    "Deployment": Printer(
        _columns(*("Ready", "Up-to-date", "Available", "Age"), wide=["Containers", "Images", "Selector"]),
        _deployment,
    ),
    "CustomResourceDefinition": Printer(_columns("Created At"), _definition),
    "TargetGroupBinding": Printer((*_BINDING, AGE), _binding),
}
