"""The sources `gateway-httproute` and its like: names from routes and listeners, targets from Gateways.

```
route ─ spec.hostnames, hostname annotation ─┐
      ─ status.parents, Accepted=True ───────┤ both name the host ─► endpoint of the route
Gateway ─ listeners[].hostname ──────────────┘
        ─ annotation target, else status.addresses ─────────────► its targets
```

Annotations count on the route, but for `target`, which counts on the Gateway. Whether a Gateway is programmed
is not looked at. Source: external-dns, source/gateway.go.
"""

from __future__ import annotations

import ipaddress
import re
from abc import abstractmethod
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import Any, ClassVar

from testbed.dated_releases import Release
from testbed.external_dns.core.endpoint import Endpoint
from testbed.external_dns.core.facts import Fact
from testbed.external_dns.core.reasons import Reason
from testbed.external_dns.sources.annotated_source import AnnotatedSource, Listed, title
from testbed.external_dns.sources.merging import merged
from testbed.external_dns.sources.source import Object, ObjectsOfKind, SourceContext
from testbed.kubernetes.kinds import GATEWAY_GROUP
from testbed.kubernetes.label_selectors import matches

GATEWAY = "Gateway"
_LABEL = re.compile(r"[a-zA-Z0-9]([a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?")
_LONGEST = 255
_WILDCARD = "*."
_GRANTED = "testbed/target"
"""A field of a status that no object has: the target of a route, to learn what it lacks without it."""
_V1, _V1BETA1, _V1ALPHA2 = (f"{GATEWAY_GROUP}/{version}" for version in ("v1", "v1beta1", "v1alpha2"))


class GatewayRouteSource(AnnotatedSource):
    """Reads routes of one kind, and the Gateways that they name.

    Attributes:
        protocols: of the listeners that such routes attach to.
    """

    since: ClassVar[str] = "v0.14.0"
    grants: ClassVar[Mapping[Reason, Callable[[Object], Object]]] = MappingProxyType(
        {Reason.NO_GATEWAY: lambda item: with_gateway(item)}
    )
    protocols: ClassVar[tuple[str, ...]]

    def __init__(self, context: SourceContext) -> None:
        super().__init__(context)
        self._others: ObjectsOfKind = context.others

    @classmethod
    @abstractmethod
    def route_version(cls, release: Release) -> str:
        """Return the API version in which a release reads the routes."""

    @classmethod
    def read_versions(cls, release: Release) -> Mapping[str, str]:
        """Return the API version in which a release reads each kind."""
        return {GATEWAY: _of_gateways(release), cls.kinds[0]: cls.route_version(release)}

    @classmethod
    def watched(cls) -> tuple[str, ...]:
        """Return the kinds whose changes cause a sync with `--events`."""
        return (GATEWAY, cls.kinds[0], "Namespace")

    @classmethod
    def hosts_in_spec(cls, item: Object) -> Mapping[str, Sequence[str]]:
        """Return the host names of a route."""
        return {"spec.hostnames": (item.get("spec") or {}).get("hostnames") or ()}

    def endpoints(self, objects: Iterable[Object]) -> list[Endpoint]:
        """Return the endpoints of the routes; v0.21 and later merge those of one name.

        Raises:
            SourceError: the template does not fit a route.
        """
        gateways = {_key(one): one for one in self._others(GATEWAY) if self._is_read(one)}
        found = [endpoint for item in objects for endpoint in self._endpoints_at(item, gateways)]
        if self._release.has(Fact.INGRESSES_MERGED):
            return merged(found, self._warn, self._absorbed)
        return found

    def endpoints_of(self, item: Object) -> list[Endpoint]:
        """Return the endpoints of one route.

        Raises:
            SourceError: the template does not fit the route.
        """
        gateways = {_key(one): one for one in self._others(GATEWAY) if self._is_read(one)}
        return self._endpoints_at(item, gateways)

    def _is_read(self, gateway: Object) -> bool:
        """True if the flags let a Gateway through; its name is looked at where a route names it."""
        options, namespace = self._options, _key(gateway)[0]
        if options.gateway_namespace and namespace != options.gateway_namespace:
            return False
        labels = options.gateway_label_filter
        return not labels or matches(labels, gateway["metadata"].get("labels") or {})

    def _endpoints_at(self, route: Object, gateways: Mapping[tuple[str, str], Object]) -> list[Endpoint]:
        if not self._passes(route) or not self._is_ours(route):
            return []
        targets_of: dict[str, list[str]] = {}
        if granted := (route.get("status") or {}).get(_GRANTED):
            targets_of = {host: [granted] for host in self._hosts(route) if host}
        for gateway, reference in self._parents(route, gateways):
            self._match(route, gateway, reference, targets_of)
        endpoints = [
            endpoint
            for host, targets in sorted(targets_of.items())
            for endpoint in self._endpoints(route, [host], sorted(set(targets)))
        ]
        self._log_endpoints(route, endpoints)
        return endpoints

    def _parents(
        self, route: Object, gateways: Mapping[tuple[str, str], Object]
    ) -> Iterator[tuple[Object, Mapping[str, Any]]]:
        """Yield the Gateways that have accepted a route, with the reference that each has in its status."""
        spec, status = route.get("spec") or {}, route.get("status") or {}
        named = {_referent(one, route) for one in spec.get("parentRefs") or ()}
        for entry in status.get("parents") or ():
            reference = entry.get("parentRef") or {}
            group, kind, *key = _referent(reference, route)
            shown = f"Gateway {'/'.join(key)}"
            if self._release.has(Fact.PARENTS_OF_SPEC) and (group, kind, *key) not in named:
                text = (
                    f"Parent reference {'/'.join(key)} not found in routeParentRefs for {self._shown(route)}"
                )
                self._debug(text)
            elif (group, kind) != (GATEWAY_GROUP, GATEWAY):
                self._debug(f"Unsupported parent {group}/{kind} for {self._shown(route)}")
            elif (gateway := gateways.get((key[0], key[1]))) is None:
                self._debug(f"{shown} not found for {self._shown(route)}")
            elif self._options.gateway_name and self._options.gateway_name != key[1]:
                wanted = self._options.gateway_name
                self._debug(f"{shown} does not match {wanted} {title(route)}")
            elif not self._is_accepted(entry, route):
                self._debug(f"{shown} has not accepted the current generation {self._shown(route)}")
            else:
                yield gateway, reference

    def _is_accepted(self, entry: Mapping[str, Any], route: Object) -> bool:
        for one in entry.get("conditions") or ():
            if one.get("type") == "Accepted":
                is_current = one.get("observedGeneration") == route["metadata"].get("generation")
                ignores = not self._release.has(Fact.GENERATION_OBSERVED)
                return one.get("status") == "True" and (ignores or is_current)
        return False

    def _match(
        self,
        route: Object,
        gateway: Object,
        reference: Mapping[str, Any],
        targets_of: dict[str, list[str]],
    ) -> None:
        section, port = reference.get("sectionName"), reference.get("port")
        hosts = self._hosts(route)
        targets = self._annotated_targets(gateway) or _addresses(gateway)
        has_match = False
        for listener in (gateway.get("spec") or {}).get("listeners") or ():
            is_meant = (not section or listener.get("name") == section) and (
                port is None or listener.get("port") == port
            )
            if not is_meant or listener.get("protocol") not in self.protocols:
                continue
            if not self._allows(gateway, listener, route):
                continue
            for host in hosts:
                common = matching_host(listener.get("hostname") or "", host)
                if common:
                    targets_of.setdefault(common, []).extend(targets)
                    has_match = True
        if not has_match:
            shown = " ".join(f'"{host}"' for host in hosts)
            self._debug(
                f'Gateway {title(gateway)} section "{section or ""}" does not match {self._shown(route)} '
                f"hostnames [{shown}]"
            )

    def _hosts(self, route: Object) -> list[str]:
        """Return the names of a route; "" stands for those of the listeners."""
        defined = list(self.hosts_in_spec(route)["spec.hostnames"])
        annotated = [] if self._options.ignores_hostname else self._annotated_hosts(route)
        any_host = [] if defined else [""]
        if self._release.has(Fact.GATEWAY_HOSTNAME_SOURCE):
            source = self._annotation(route, "gateway-hostname-source")
            by_source = {"defined-hosts-only": defined + any_host, "annotation-only": annotated}
            if source is not None and source.lower() in by_source:
                return by_source[source.lower()]
            if source is not None:
                # Unlike an Ingress, a route with a value that nobody knows keeps all of its names.
                self._warn(f"Invalid value for gateway-hostname-source on {title(route)}: {source}")
        hosts = defined + annotated
        if self._options.template is not None and (not hosts or self._options.combines_template):
            hosts += self._templated_hosts(route)
        return hosts + any_host

    def _allows(self, gateway: Object, listener: Mapping[str, Any], route: Object) -> bool:
        allowed = listener.get("allowedRoutes") or {}
        namespaces, namespace = allowed.get("namespaces") or {}, _key(route)[0]
        match namespaces.get("from") or "Same":
            case "All":
                is_allowed = True
            case "Same":
                is_allowed = namespace == _key(gateway)[0]
            case "Selector":
                is_allowed = self._is_selected(namespace, namespaces.get("selector") or {})
            case _:
                is_allowed = False
        kinds = allowed.get("kinds") or ()
        own = GATEWAY_GROUP, self.kinds[0]
        is_of_kind = any((one.get("group") or GATEWAY_GROUP, one.get("kind")) == own for one in kinds)
        return is_allowed and (not kinds or is_of_kind)

    def _is_selected(self, namespace: str, selector: Mapping[str, Any]) -> bool:
        found = next((one for one in self._others("Namespace") if one["metadata"]["name"] == namespace), None)
        if found is None:
            self._say("error", f"Namespace not found for {self.kinds[0]} in {namespace}")
            return False
        labels = found["metadata"].get("labels") or {}
        wanted = selector.get("matchLabels") or {}
        return all(labels.get(key) == value for key, value in wanted.items()) and all(
            _meets(one, labels) for one in selector.get("matchExpressions") or ()
        )

    def _logged(self) -> str:
        return self.kinds[0]

    def _log_endpoints(self, item: Object, endpoints: Sequence[Endpoint]) -> None:
        if endpoints:
            self._say("debug", "Endpoints generated from %s: [%s]", self._shown(item), Listed(endpoints))
        else:
            self._debug(f"No endpoints could be generated from {self._shown(item)}")

    def _shown(self, route: Object) -> str:
        return f"{self.kinds[0]} {title(route)}"


class HttpRouteSource(GatewayRouteSource):
    """Reads HTTPRoutes."""

    name: ClassVar[str] = "gateway-httproute"
    label: ClassVar[str] = "httproute"
    kinds: ClassVar[tuple[str, ...]] = ("HTTPRoute",)
    protocols: ClassVar[tuple[str, ...]] = ("HTTP", "HTTPS")

    @classmethod
    def route_version(cls, release: Release) -> str:
        """Return v1, or v1beta1 from v0.15 to v0.20."""
        return _of_gateways(release)


class GrpcRouteSource(GatewayRouteSource):
    """Reads GRPCRoutes."""

    name: ClassVar[str] = "gateway-grpcroute"
    label: ClassVar[str] = "grpcroute"
    kinds: ClassVar[tuple[str, ...]] = ("GRPCRoute",)
    protocols: ClassVar[tuple[str, ...]] = ("HTTP", "HTTPS")

    @classmethod
    def route_version(cls, release: Release) -> str:
        """Return v1; v1alpha2 before v0.15."""
        return _V1 if release.has(Fact.GRPC_ROUTES_OF_V1) else _V1ALPHA2


class TlsRouteSource(GatewayRouteSource):
    """Reads TLSRoutes."""

    name: ClassVar[str] = "gateway-tlsroute"
    label: ClassVar[str] = "tlsroute"
    kinds: ClassVar[tuple[str, ...]] = ("TLSRoute",)
    protocols: ClassVar[tuple[str, ...]] = ("TLS",)

    @classmethod
    def route_version(cls, release: Release) -> str:
        """Return v1; v1alpha2 before v0.22."""
        return _V1 if release.has(Fact.TLS_ROUTES_OF_V1) else _V1ALPHA2


class TcpRouteSource(GatewayRouteSource):
    """Reads TCPRoutes."""

    name: ClassVar[str] = "gateway-tcproute"
    label: ClassVar[str] = "tcproute"
    kinds: ClassVar[tuple[str, ...]] = ("TCPRoute",)
    protocols: ClassVar[tuple[str, ...]] = ("TCP", "TLS")

    @classmethod
    def route_version(cls, release: Release) -> str:  # noqa: ARG003 the same in every release
        """Return v1alpha2."""
        return _V1ALPHA2


class UdpRouteSource(GatewayRouteSource):
    """Reads UDPRoutes."""

    name: ClassVar[str] = "gateway-udproute"
    label: ClassVar[str] = "udproute"
    kinds: ClassVar[tuple[str, ...]] = ("UDPRoute",)
    protocols: ClassVar[tuple[str, ...]] = ("UDP",)

    @classmethod
    def route_version(cls, release: Release) -> str:  # noqa: ARG003 the same in every release
        """Return v1alpha2."""
        return _V1ALPHA2


def matching_host(one: str, other: str) -> str:
    """Return the narrower of two host names that fit each other; "" if they do not, or both are empty.

    `*.` matches any number of labels, and "" matches every host.
    """
    pair = [_canonical(one), _canonical(other)]
    if None in pair:
        return ""
    first, second = (str(host) for host in pair)
    if not first or not second or first == second:
        return first or second
    if len(second) < len(first) or (len(first) == len(second) and second.startswith(_WILDCARD)):
        first, second = second, first
    return second if first.startswith(_WILDCARD) and second.endswith(first[1:]) else ""


def with_gateway(route: Object) -> Object:
    """Return a route as if a Gateway with an address had accepted it for all of its names."""
    return {**route, "status": {**(route.get("status") or {}), _GRANTED: "load-balancer.invalid"}}


def accepted(route: Object) -> Object:
    """Return a route as its Gateways leave it: each that it names has accepted it."""
    if (route.get("status") or {}).get("parents"):
        return route
    condition = {
        "type": "Accepted",
        "status": "True",
        "observedGeneration": route["metadata"].get("generation"),
    }
    references = (route.get("spec") or {}).get("parentRefs") or ()
    parents = [{"parentRef": one, "conditions": [condition]} for one in references]
    return {**route, "status": {**(route.get("status") or {}), "parents": parents}}


def _of_gateways(release: Release) -> str:
    return _V1BETA1 if release.has(Fact.GATEWAYS_OF_V1BETA1) else _V1


def _canonical(host: str) -> str | None:
    """Return a host name in lower case, "" for any; None if it is none."""
    if not host:
        return ""
    try:
        ipaddress.ip_address(host)
    except ValueError:
        plain = host.removeprefix(_WILDCARD)
        is_name = 0 < len(plain) <= _LONGEST and all(map(_LABEL.fullmatch, plain.split(".")))
        return host.lower() if is_name else None
    return None


def _meets(expression: Mapping[str, Any], labels: Mapping[str, str]) -> bool:
    key, values = expression.get("key", ""), expression.get("values") or ()
    match expression.get("operator"):
        case "In":
            return labels.get(key) in values
        case "NotIn":
            return labels.get(key) not in values
        case "Exists":
            return key in labels
        case "DoesNotExist":
            return key not in labels
    return False


def _addresses(gateway: Object) -> list[str]:
    found = (gateway.get("status") or {}).get("addresses") or ()
    return [str(one["value"]) for one in found if one.get("value")]


def _referent(reference: Mapping[str, Any], route: Object) -> tuple[str, str, str, str]:
    return (
        reference.get("group") or GATEWAY_GROUP,
        reference.get("kind") or GATEWAY,
        reference.get("namespace") or _key(route)[0],
        str(reference.get("name")),
    )


def _key(item: Object) -> tuple[str, str]:
    return item["metadata"].get("namespace", "default"), item["metadata"]["name"]
