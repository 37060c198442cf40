"""The source `service`: names from a Service's annotation, targets by its type.

```
LoadBalancer  its balancer      NodePort   the nodes      ClusterIP None   its pods
ExternalName  that name         ClusterIP  its own address, with --publish-internal-services
```

Source: external-dns, source/service.go.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import ClassVar

from testbed.external_dns.core.endpoint import Endpoint
from testbed.external_dns.core.facts import Fact
from testbed.external_dns.core.reasons import Reason
from testbed.external_dns.sources.annotated_source import (
    AnnotatedSource,
    balancer_targets,
    targets_sorted,
    title,
    with_balancer,
)
from testbed.external_dns.sources.merging import merged, merged_services
from testbed.external_dns.sources.node_addresses import Cluster, services_of_ports
from testbed.external_dns.sources.source import Object, SourceContext

TYPES = ("ClusterIP", "NodePort", "LoadBalancer", "ExternalName")


def as_load_balancer(service: Object) -> Object:
    """Return the Service as one of type LoadBalancer."""
    return {**service, "spec": {**(service.get("spec") or {}), "type": "LoadBalancer"}}


class ServiceSource(AnnotatedSource):
    """Reads Services."""

    name: ClassVar[str] = "service"
    label: ClassVar[str] = "service"
    kinds: ClassVar[tuple[str, ...]] = ("Service",)
    filters: ClassVar[Mapping[str, str]] = MappingProxyType({"service-type-filter": "service_types"})
    grants: ClassVar[Mapping[Reason, Callable[[Object], Object]]] = MappingProxyType(
        {Reason.SERVICE_TYPE: as_load_balancer, Reason.NO_ADDRESS: with_balancer}
    )

    def __init__(self, context: SourceContext) -> None:
        super().__init__(context)
        self._cluster = Cluster(context.others)

    def endpoints(self, objects: Iterable[Object]) -> list[Endpoint]:
        """Return the endpoints of the Services that have a hostname annotation or that the template names.

        Raises:
            SourceError: the template does not fit a Service.
        """
        endpoints = [endpoint for item in objects for endpoint in self.endpoints_of(item)]
        has = self._release.has
        if has(Fact.SERVICES_MERGED_WHOLE):
            whole = merged_services(endpoints, self._absorbed)
            # Without the second step the targets of a Service alone stay as they are.
            return merged(whole, self._warn, self._absorbed) if has(Fact.INGRESSES_MERGED) else whole
        return targets_sorted(self._merged(endpoints) if has(Fact.SERVICES_MERGED) else endpoints)

    def _merged(self, endpoints: Iterable[Endpoint]) -> list[Endpoint]:
        """Make neighbours of one name one, with the first target of each (v0.7.5 to v0.18)."""
        has = self._release.has
        by_type, by_identifier = has(Fact.SERVICES_SORTED_BY_TYPE), has(Fact.SERVICES_MERGED_BY_IDENTIFIER)
        ordered = sorted(endpoints, key=lambda one: one.resource)
        ordered.sort(key=lambda one: (one.name, one.type if by_type else ""))
        merged: list[Endpoint] = []
        for endpoint in ordered:
            last = merged[-1] if merged else None
            if (
                last is None
                or (last.name, last.type, last.ttl) != (endpoint.name, endpoint.type, endpoint.ttl)
                or (by_identifier and last.set_identifier != endpoint.set_identifier)
                or (endpoint.type == "CNAME" and has(Fact.CNAMES_OF_SERVICES_APART))
            ):
                merged.append(endpoint)
                continue
            # Two balancers make one CNAME with two targets. AWS gets the first only, so the record never
            # equals the wish, and it is sent again at every sync.
            merged[-1] = last._replace(targets=(*last.targets, endpoint.targets[0]))
            if last.resource != endpoint.resource:
                self._absorbed(merged[-1], endpoint)
        return merged

    def endpoints_of(self, item: Object) -> list[Endpoint]:
        """Return the endpoints of one Service, before they meet those of others.

        Raises:
            SourceError: the template does not fit the Service.
        """
        if not self._passes(item) or self._is_type_filtered(item) or not self._is_ours(item):
            return []
        endpoints: list[Endpoint] = []
        if not self._options.ignores_hostname:
            endpoints = self._named(item, self._annotated_hosts(item))
            if self._release.has(Fact.INTERNAL_HOSTNAME):
                hosts = self._annotated_hosts(item, "internal-hostname")
                endpoints += self._endpoints(item, hosts, self._internal_targets(item))
        if self._uses_template(endpoints):
            endpoints += self._named(item, self._templated_hosts(item))
        self._log_endpoints(item, endpoints)
        return endpoints

    def _is_type_filtered(self, service: Object) -> bool:
        types = self._options.service_types
        if not types or _type(service) in types:
            return False
        if self._release.has(Fact.SERVICE_TYPE_FILTER_LOGGED):
            self._debug(
                f"filtered service {title(service)} out with service types filter [{' '.join(types)}]"
            )
        return True

    def _named(self, service: Object, hosts: Sequence[str]) -> list[Endpoint]:
        """Return the endpoints of a Service under some names."""
        targets = self._targets(service) if hosts else []
        endpoints = self._endpoints(service, hosts, targets)
        # Annotated targets replace all others, so the names of pods and ports fall away with them.
        if self._annotated_targets(service) and self._release.has(Fact.TARGET_ON_SERVICES):
            return endpoints
        for host in hosts:
            names: Mapping[str, Sequence[str]] = {}
            if _type(service) == "ClusterIP" and (service.get("spec") or {}).get("clusterIP") == "None":
                names = self._cluster.pod_targets(
                    service,
                    host,
                    host_ip=self._options.publishes_host_ip,
                    unready_too=self._options.publishes_unready,
                )
            for name, addresses in names.items():
                endpoints += self._endpoints(service, [name], addresses)
            if _type(service) == "NodePort":
                for name, value in services_of_ports(service, host, self._release):
                    endpoints += [
                        one._replace(type="SRV") for one in self._endpoints(service, [name], [value])
                    ]
        return endpoints

    def _targets(self, service: Object) -> list[str]:
        spec = service.get("spec") or {}
        annotated = self._annotated_targets(service)
        if annotated and self._release.has(Fact.TARGET_ON_SERVICES):
            return annotated
        service_type = _type(service)
        if service_type == "ExternalName":
            if spec.get("externalIPs") and self._release.has(Fact.EXTERNAL_IPS_OF_EXTERNAL_NAME):
                return list(spec["externalIPs"])
            return [spec["externalName"]]
        if service_type == "NodePort":
            return self._cluster.node_targets(service, self._annotation(service, "access"))
        if service_type == "ClusterIP" and self._options.publishes_internal:
            return _cluster_addresses(service)
        if service_type != "LoadBalancer":
            return []
        # External IPs hide the balancer's addresses, as in the real one.
        return list(spec.get("externalIPs") or ()) or balancer_targets(service)

    def _internal_targets(self, service: Object) -> list[str]:
        """Return the targets of `internal-hostname` (v0.7.6+): the cluster IP."""
        if annotated := self._annotated_targets(service):
            return annotated
        return _cluster_addresses(service) if _type(service) in ("ClusterIP", "LoadBalancer") else []


def _cluster_addresses(service: Object) -> list[str]:
    address = (service.get("spec") or {}).get("clusterIP")
    return [] if address in (None, "", "None") else [address]


def _type(service: Object) -> str:
    """Return the type; a manifest may leave out what the API server would default."""
    service_type: str = (service.get("spec") or {}).get("type") or "ClusterIP"
    return service_type
