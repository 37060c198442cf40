"""Kubernetes objects to endpoints: the Service and Ingress sources.

Sources: external-dns, source/service.go, source/ingress.go, source/annotations/ [v0.7.x: source/source.go].
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from testbed.external_dns.command_line import seconds
from testbed.external_dns.endpoint import DUALSTACK, RESOURCE, Endpoint, by_type, is_name, too_long
from testbed.external_dns.flags import INGRESS_CLASS, Flags
from testbed.external_dns.go_template import TemplateError
from testbed.external_dns.log import Say
from testbed.external_dns.merging import Absorbed, merged, merged_services, unheard
from testbed.external_dns.node_addresses import Cluster, services_of_ports
from testbed.external_dns.profile import Profile
from testbed.external_dns.selector import matches

Object = Mapping[str, Any]
CONTROLLER = "dns-controller"
IP_TYPE = "alb.ingress.kubernetes.io/ip-address-type"
_MOST_TTL = 2**31 - 1


class SourceError(Exception):
    """The objects cannot be read; the text is the one that ExternalDNS logs."""


class Sources:
    """Reads endpoints from objects, as one version with its flags does."""

    def __init__(
        self,
        profile: Profile,
        flags: Flags,
        say: Say,
        others: Callable[[str], Iterable[Object]] = lambda _: (),
    ) -> None:
        """Make the sources.

        Args:
            profile: the version.
            flags: what was asked for.
            say: takes log lines.
            others: the objects of a kind, for the nodes and pods that NodePort and headless Services need.
        """
        self._profile, self._flags, self._say = profile, flags, say
        self._cluster = Cluster(others)
        self._told: dict[str, str] = {}
        self._prefix = flags.annotation_prefix
        self.absorbed: Absorbed = unheard

    def services(self, services: Iterable[Object]) -> list[Endpoint]:
        """Endpoints of the Services that have a hostname annotation or that the template names.

        Raises:
            SourceError: the template does not fit a Service.
        """
        found: list[Endpoint] = []
        for service in self._wanted(services):
            if self._is_type_filtered(service) or not self._is_mine(service, "service"):
                continue
            endpoints: list[Endpoint] = []
            if not self._flags.ignores_hostname:
                endpoints = self._service(service, self._hosts(service))
                if self._profile.typed:
                    hosts, targets = self._hosts(service, "internal-hostname"), self._internal(service)
                    endpoints += self._endpoints(service, hosts, targets, "service")
            if self._uses_template(endpoints):
                endpoints += self._service(service, self._templated(service, "Service"))
            self._tell("service", _title(service), endpoints)
            found += endpoints
        if self._profile.typed:
            return merged(merged_services(found, self.absorbed), self._warn, self.absorbed)
        return _sorted(_merged(found) if self._profile.merges_services else found)

    def ingresses(self, ingresses: Iterable[Object]) -> list[Endpoint]:
        """Endpoints of the hosts of Ingresses: rules, TLS, annotation, template.

        Raises:
            SourceError: the template does not fit an Ingress.
        """
        found = [one for ingress in ingresses for one in self.ingress(ingress)]
        if not self._profile.typed:
            return _sorted(found)
        return merged(found, self._warn, self.absorbed)

    def ingress(self, ingress: Object) -> list[Endpoint]:
        """Endpoints of one Ingress, before they meet those of others."""
        if not list(self._wanted([ingress])) or not self._is_classed(ingress):
            return []
        if not self._is_mine(ingress, "ingress"):
            return []
        title, targets = _title(ingress), self._annotated_targets(ingress) or _balancer_targets(ingress)
        endpoints = self._endpoints(ingress, self._ingress_hosts(ingress), targets, "ingress")
        if self._uses_template(endpoints):
            hosts = self._templated(ingress, "Ingress")
            endpoints += self._endpoints(ingress, hosts, targets, "ingress")
        if endpoints and not self._profile.typed and _annotations(ingress).get(IP_TYPE) == DUALSTACK:
            self._debug(f"Adding dualstack label to ingress {title}.")
            endpoints = [one._replace(labels={**one.labels, DUALSTACK: "true"}) for one in endpoints]
        self._tell("ingress", title, endpoints)
        return endpoints

    # --- which objects ---------------------------------------------------------------------------------

    def _wanted(self, items: Iterable[Object]) -> Iterable[Object]:
        """Those of the namespace that pass the filters; v0.7.x filters no Service or Ingress by label."""
        flags = self._flags
        for item in items:
            is_inside = not flags.namespace or item["metadata"].get("namespace", "default") == flags.namespace
            is_labelled = not self._profile.typed or matches(
                flags.label_filter, item["metadata"].get("labels") or {}
            )
            if is_inside and is_labelled and matches(flags.annotation_filter, _annotations(item)):
                yield item

    def _is_type_filtered(self, service: Object) -> bool:
        wanted = self._flags.service_types
        if not wanted or _type(service) in wanted:
            return False
        if self._profile.typed:
            self._debug(
                f"filtered service {_title(service)} out with service types filter [{' '.join(wanted)}]"
            )
        return True

    def _is_classed(self, ingress: Object) -> bool:
        wanted = self._flags.ingress_classes
        name = (ingress.get("spec") or {}).get("ingressClassName") or _annotations(ingress).get(INGRESS_CLASS)
        if not wanted or name in wanted:
            return True
        self._debug(
            f"Discarding ingress {_title(ingress)} because it does not match required ingress classes "
            f"[{' '.join(wanted)}]"
        )
        return False

    def _is_mine(self, item: Object, kind: str) -> bool:
        value = self._annotation(item, "controller")
        if value is None or value == CONTROLLER:
            return True
        title = f"{kind}/{_title(item)}"
        if not self._profile.typed:
            end = f"controller value does not match, found: {value}, required: {CONTROLLER}"
            self._debug(f"Skipping {kind} {_title(item)} because {end}")
        elif self._told.get(title) != value:  # told where the object is indexed, which is not every sync
            self._told[title] = value
            self._debug(
                f"Skipping '/{_title(item)}' because controller '{self._prefix}controller' value does not "
                f"match, found: '{value}', required: '{CONTROLLER}'"
            )
        return False

    # --- what is told ----------------------------------------------------------------------------------

    def _debug(self, text: str) -> None:
        self._say("debug", text)

    def _warn(self, text: str) -> None:
        self._say("warning", text)

    def _tell(self, kind: str, title: str, endpoints: Sequence[Endpoint]) -> None:
        if endpoints:
            listed = " ".join(map(str, endpoints))
            self._debug(f"Endpoints generated from {kind}: {title}: [{listed}]")
            return
        name = f"'{kind}/{title}'" if self._profile.typed else f"{kind} {title}"
        self._debug(f"No endpoints could be generated from {name}")

    # --- which names -----------------------------------------------------------------------------------

    def _hosts(self, item: Object, annotation: str = "hostname") -> list[str]:
        text = self._annotation(item, annotation)
        if text is None:
            return []
        return [host.rstrip(".") for host in text.replace(" ", "").split(",")]

    def _ingress_hosts(self, ingress: Object) -> list[str]:
        flags, spec = self._flags, ingress.get("spec") or {}
        rules = () if flags.ignores_rules else spec.get("rules") or ()
        entries = () if flags.ignores_tls else spec.get("tls") or ()
        hosts = [rule.get("host") or "" for rule in rules]
        hosts += [host for tls in entries for host in tls.get("hosts") or ()]
        hosts = [host for host in hosts if host]
        annotated = [] if flags.ignores_hostname else self._hosts(ingress)
        source = self._annotation(ingress, "ingress-hostname-source") if self._profile.typed else None
        if source is None:
            return hosts + annotated
        by_source = {"defined-hosts-only": hosts, "annotation-only": annotated}
        return by_source.get(source.lower(), [])

    def _uses_template(self, endpoints: Sequence[Endpoint]) -> bool:
        return self._flags.template is not None and (self._flags.combines_template or not endpoints)

    def _templated(self, item: Object, kind: str) -> list[str]:
        assert self._flags.template is not None
        try:
            metadata = {"namespace": "default", **item["metadata"]}
            return self._flags.template.hosts({"kind": kind, **item, "metadata": metadata})
        except TemplateError as error:
            raise SourceError(
                f"failed to get endpoints from template: failed to apply template on {kind} {_title(item)}: "
                f"template: endpoint: {error}"
            ) from error

    def _service(self, service: Object, hosts: Sequence[str]) -> list[Endpoint]:
        """Endpoints of a Service under the given names."""
        targets = self._service_targets(service) if hosts else []
        endpoints = self._endpoints(service, hosts, targets, "service")
        if self._profile.target_annotation_on_services and self._annotated_targets(service):
            return endpoints
        for host in hosts:
            names: Mapping[str, Sequence[str]] = {}
            if _type(service) == "ClusterIP" and (service.get("spec") or {}).get("clusterIP") == "None":
                names = self._cluster.pod_targets(
                    service,
                    host,
                    host_ip=self._flags.publishes_host_ip,
                    unready_too=self._flags.publishes_unready,
                )
            for name, addresses in names.items():
                endpoints += self._endpoints(service, [name], addresses, "service")
            if _type(service) == "NodePort":
                records = services_of_ports(service, host, typed=self._profile.typed)
                for name, value in records:
                    found = self._endpoints(service, [name], [value], "service")
                    endpoints += [one._replace(type="SRV") for one in found]
        return endpoints

    # --- which targets ---------------------------------------------------------------------------------

    def _service_targets(self, service: Object) -> list[str]:
        spec = service.get("spec") or {}
        if self._profile.target_annotation_on_services and (given := self._annotated_targets(service)):
            return given
        kind = _type(service)
        if kind == "ExternalName":
            if self._profile.typed and spec.get("externalIPs"):
                return list(spec["externalIPs"])
            return [spec["externalName"]]
        if kind == "NodePort":
            return self._cluster.node_targets(service, self._annotation(service, "access"))
        if kind == "ClusterIP" and self._flags.publishes_internal:
            return _cluster_addresses(service)
        if kind != "LoadBalancer":
            return []
        return list(spec.get("externalIPs") or ()) or _balancer_targets(service)

    def _internal(self, service: Object) -> list[str]:
        """Targets of `internal-hostname` (v0.7.6+): the cluster IP."""
        if given := self._annotated_targets(service):
            return given
        return _cluster_addresses(service) if _type(service) in ("ClusterIP", "LoadBalancer") else []

    def _annotated_targets(self, item: Object) -> list[str]:
        text = self._annotation(item, "target") or ""
        return [target.rstrip(".") for target in text.replace(" ", "").split(",") if target]

    # --- endpoints -------------------------------------------------------------------------------------

    def _endpoints(
        self, item: Object, hosts: Sequence[str], targets: Sequence[str], kind: str
    ) -> list[Endpoint]:
        found = by_type(targets, typed=self._profile.typed) if hosts else {}
        if not found:
            return []
        identifier = self._annotation(item, "set-identifier") or ""
        ttl, properties = self._ttl(item, kind), self._properties(item)
        endpoints = []
        for host in hosts:
            if self._profile.typed and not is_name(host):
                self._say("error", too_long(host))
                continue
            endpoints += [
                Endpoint(
                    host,
                    of_type,
                    tuple(values),
                    ttl,
                    identifier,
                    {RESOURCE: f"{kind}/{_title(item)}"},
                    properties,
                )
                for of_type, values in found.items()
            ]
        return endpoints

    def _properties(self, item: Object) -> dict[str, str]:
        found = {}
        if self._annotation(item, "alias") == "true":
            found["alias"] = "true"
        for name, value in sorted(_annotations(item).items()):
            if name.startswith(f"{self._prefix}aws-"):
                found["aws/" + name.removeprefix(f"{self._prefix}aws-")] = value
        return found

    def _ttl(self, item: Object, kind: str) -> int:
        """Seconds; 0 for none, or for one that is not valid."""
        text = self._annotation(item, "ttl")
        if text is None:
            return 0
        where = f"{kind}/{_title(item)}: " if self._profile.typed else ""
        try:
            value = int(text) if text.lstrip("+-").isdigit() else int(seconds(text))
        except ValueError:
            end = f': time: invalid duration "{text}"' if self._profile.typed else ""
            self._warn(f'{where}"{text}" is not a valid TTL value{end}')
            return 0
        if 1 <= value <= _MOST_TTL:
            return value
        number = f" {value}" if self._profile.typed else ""
        self._warn(f"TTL value{number} must be between [1, {_MOST_TTL}]")
        return 0

    def _annotation(self, item: Object, name: str) -> str | None:
        return _annotations(item).get(self._prefix + name)


def _merged(endpoints: Iterable[Endpoint]) -> list[Endpoint]:
    """v0.7.5, source/service.go: neighbours of one name become one, with the first target of each."""
    merged: list[Endpoint] = []
    for endpoint in sorted(sorted(endpoints, key=lambda one: one.resource), key=lambda one: one.name):
        last = merged[-1] if merged else None
        if last and (last.name, last.type, last.ttl) == (endpoint.name, endpoint.type, endpoint.ttl):
            merged[-1] = last._replace(targets=(*last.targets, endpoint.targets[0]))
        else:
            merged.append(endpoint)
    return merged


def _sorted(endpoints: Iterable[Endpoint]) -> list[Endpoint]:
    return [
        one._replace(targets=tuple(sorted(one.targets))) if len(one.targets) > 1 else one for one in endpoints
    ]


def _balancer_targets(item: Object) -> list[str]:
    entries = ((item.get("status") or {}).get("loadBalancer") or {}).get("ingress") or ()
    return [entry[key] for entry in entries for key in ("ip", "hostname") if entry.get(key)]


def _cluster_addresses(service: Object) -> list[str]:
    address = (service.get("spec") or {}).get("clusterIP")
    return [] if address in (None, "", "None") else [address]


def _type(service: Object) -> str:
    """The type; what the API server would default, a manifest may leave out."""
    kind: str = (service.get("spec") or {}).get("type") or "ClusterIP"
    return kind


def _annotations(item: Object) -> Mapping[str, str]:
    return item["metadata"].get("annotations") or {}


def _title(item: Object) -> str:
    return f"{item['metadata'].get('namespace', 'default')}/{item['metadata']['name']}"
