"""Addresses from other objects than the Service: nodes of a NodePort Service, pods of a headless one.

```
NodePort   web 30080/TCP        app.example.com A <nodes>      _web._tcp.app.example.com SRV 0 50 30080 app…
headless   pod web-0, web-1     app.example.com A <pods>       web-0.app.example.com A <pod>
```

Source: external-dns, source/service.go (extractNodePortTargets, extractHeadlessEndpoints). A node's or pod's
IPv6 addresses are taken as its others are.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from testbed.dated_releases import Release
from testbed.external_dns.core.facts import Fact

Object = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Cluster:
    """The other objects that the addresses of a Service come from; `of_kind` lists them."""

    of_kind: Callable[[str], Iterable[Object]]

    def node_targets(self, service: Object, access: str | None) -> list[str]:
        """Return addresses of the nodes; for `externalTrafficPolicy: Local` only of nodes with a pod of it.

        Args:
            service: of type NodePort.
            access: the annotation `access`: `public`, `private`, or None for external addresses, if any.
        """
        nodes = list(self.of_kind("Node"))
        if (service.get("spec") or {}).get("externalTrafficPolicy") == "Local":
            names = {_spec(pod).get("nodeName") for pod in self._pods(service) if _is_running(pod)}
            nodes = [node for node in nodes if node["metadata"]["name"] in names]
        entries = [entry for node in nodes for entry in (node.get("status") or {}).get("addresses") or ()]
        external, internal = (
            [entry["address"] for entry in entries if entry["type"] == kind]
            for kind in ("ExternalIP", "InternalIP")
        )
        if access in ("public", "private"):
            return external if access == "public" else internal
        return external or internal

    def pod_targets(
        self, service: Object, host: str, *, host_ip: bool, unready_too: bool
    ) -> dict[str, list[str]]:
        """Return names and pod addresses of a headless Service; a pod's own hostname makes another name."""
        pods = {pod["metadata"]["name"]: pod for pod in self._pods(service)}
        unready_too = unready_too or bool(_spec(service).get("publishNotReadyAddresses"))
        targets_by_name: dict[str, list[str]] = {}
        for address in self._addresses(service, unready_too=unready_too):
            target = address.get("targetRef") or {}
            pod = pods.get(target.get("name", "")) if target.get("kind") == "Pod" else None
            if pod is None:
                continue
            own = _spec(pod).get("hostname")
            for name in (host, *([f"{own}.{host}"] if own else ())):
                value = (pod.get("status") or {}).get("hostIP", "") if host_ip else address["ip"]
                if value and value not in targets_by_name.setdefault(name, []):
                    targets_by_name[name].append(value)
        return dict(sorted(targets_by_name.items()))

    def _addresses(self, service: Object, *, unready_too: bool) -> Iterable[Mapping[str, Any]]:
        for item in self.of_kind("Endpoints"):
            if _place(item) != _place(service):
                continue
            for subset in item.get("subsets") or ():
                yield from subset.get("addresses") or ()
                if unready_too:
                    yield from subset.get("notReadyAddresses") or ()

    def _pods(self, service: Object) -> Iterable[Object]:
        selector = _spec(service).get("selector") or {}
        for pod in self.of_kind("Pod"):
            labels = pod["metadata"].get("labels") or {}
            is_near = _place(pod)[0] == _place(service)[0]
            if selector and is_near and all(labels.get(name) == value for name, value in selector.items()):
                yield pod


def services_of_ports(service: Object, host: str, release: Release) -> Sequence[tuple[str, str]]:
    """Return name and value of a NodePort Service's SRV records, which are planned only if SRV is managed."""
    name = service["metadata"]["name"]
    # Later versions refuse an SRV target without its last dot (`endpoint_validation`).
    end = "." if release.has(Fact.SRV_WITH_DOT) else ""
    return [
        (
            f"_{name}._{(port.get('protocol') or 'TCP').lower()}.{host}",
            f"0 50 {port['nodePort']} {host}{end}",
        )
        for port in _spec(service).get("ports") or ()
        if port.get("nodePort")
    ]


def _spec(item: Object) -> Mapping[str, Any]:
    spec: Mapping[str, Any] = item.get("spec") or {}
    return spec


def _is_running(pod: Object) -> bool:
    return bool((pod.get("status") or {}).get("phase") == "Running")


def _place(item: Object) -> tuple[str, str]:
    return item["metadata"].get("namespace", "default"), item["metadata"]["name"]
