"""Kubernetes objects to endpoints: the Service and Ingress sources, and the removal of duplicates.

Sources: external-dns, source/service.go, source/ingress.go, source/wrappers/dedupsource.go.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from testbed.external_dns.endpoint import DUALSTACK, RESOURCE, Endpoint, address_type
from testbed.external_dns.log import Say
from testbed.external_dns.merging import Absorbed, merged, merged_services, unheard
from testbed.external_dns.profile import Profile
from testbed.external_dns.selector import matches

Object = Mapping[str, Any]
Debug = Callable[[str], None]
CONTROLLER = "dns-controller"
IP_TYPE = "alb.ingress.kubernetes.io/ip-address-type"
_DURATION = re.compile(r"(?:(\d+)h)?(?:(\d+)m)?(?:(\d+)s)?")
_MOST_TTL = 2**31 - 1


class Sources:
    """Reads endpoints from objects, as one version with one annotation prefix does."""

    def __init__(self, profile: Profile, prefix: str, say: Say, annotation_filter: str = "") -> None:
        self._profile, self._prefix, self._say = profile, prefix, say
        self._filter = annotation_filter
        self.absorbed: Absorbed = unheard

    def services(self, services: Iterable[Object]) -> list[Endpoint]:
        """Endpoints of Services of type LoadBalancer with a hostname annotation."""
        found: list[Endpoint] = []
        for service in services:
            if not matches(self._filter, _annotations(service)):
                continue
            title = _title(service)
            hosts = self._hosts(service)
            endpoints: list[Endpoint] = []
            if self._is_mine(service, "service"):
                targets = self._service_targets(service)
                endpoints = self._endpoints(service, hosts, targets, f"service/{title}")
                if self._profile.typed:
                    hosts, targets = self._hosts(service, "internal-hostname"), self._internal(service)
                    endpoints += self._endpoints(service, hosts, targets, f"service/{title}")
                self._tell("service", title, endpoints)
            found += endpoints
        if self._profile.typed:
            return merged(merged_services(found, self.absorbed), self._warn, self.absorbed)
        return _merged(found) if self._profile.merges_services else found

    def ingresses(self, ingresses: Iterable[Object]) -> list[Endpoint]:
        """Endpoints of the hosts of Ingresses: rules, TLS and annotation."""
        found: list[Endpoint] = []
        for ingress in ingresses:
            if not matches(self._filter, _annotations(ingress)) or not self._is_mine(ingress, "ingress"):
                continue
            title, spec = _title(ingress), ingress.get("spec") or {}
            targets = self._annotated_targets(ingress) or _balancer_targets(ingress)
            hosts = [rule.get("host") or "" for rule in spec.get("rules") or ()]
            hosts += [host for tls in spec.get("tls") or () for host in tls.get("hosts") or ()]
            hosts = [host for host in hosts if host]
            source = self._annotation(ingress, "ingress-hostname-source") if self._profile.typed else None
            if source is None:
                hosts += self._hosts(ingress)
            elif source.lower() != "defined-hosts-only":
                hosts = self._hosts(ingress) if source.lower() == "annotation-only" else []
            endpoints = self._endpoints(ingress, hosts, targets, f"ingress/{title}")
            if endpoints and not self._profile.typed and _annotations(ingress).get(IP_TYPE) == DUALSTACK:
                self._debug(f"Adding dualstack label to ingress {title}.")
                endpoints = [replace(one, labels={**one.labels, DUALSTACK: "true"}) for one in endpoints]
            self._tell("ingress", title, endpoints)
            found += endpoints
        return merged(found, self._warn, self.absorbed) if self._profile.typed else found

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

    def _is_mine(self, item: Object, kind: str) -> bool:
        value = self._annotation(item, "controller")
        if value is None or value == CONTROLLER:
            return True
        self._debug(
            f"Skipping {kind} {_title(item)} because controller value does not match, "
            f"found: {value}, required: {CONTROLLER}"
        )
        return False

    def _hosts(self, item: Object, annotation: str = "hostname") -> list[str]:
        text = self._annotation(item, annotation)
        if text is None:
            return []
        return [host.rstrip(".") for host in text.replace(" ", "").split(",")]

    def _service_targets(self, service: Object) -> list[str]:
        spec = service.get("spec") or {}
        if self._profile.target_annotation_on_services and (given := self._annotated_targets(service)):
            return given
        if spec.get("type") == "ExternalName":
            if self._profile.typed and spec.get("externalIPs"):
                return list(spec["externalIPs"])
            return [spec["externalName"]]
        if spec.get("type") != "LoadBalancer":
            return []
        return list(spec.get("externalIPs") or ()) or _balancer_targets(service)

    def _internal(self, service: Object) -> list[str]:
        """Targets of `internal-hostname` (v0.7.6+): the cluster IP."""
        spec = service.get("spec") or {}
        if given := self._annotated_targets(service):
            return given
        address = spec.get("clusterIP")
        has_one = spec.get("type", "ClusterIP") in ("ClusterIP", "LoadBalancer")
        return [address] if has_one and address not in (None, "", "None") else []

    def _annotated_targets(self, item: Object) -> list[str]:
        text = self._annotation(item, "target") or ""
        return [target.rstrip(".") for target in text.replace(" ", "").split(",") if target]

    def _endpoints(
        self, item: Object, hosts: Iterable[str], targets: Sequence[str], resource: str
    ) -> list[Endpoint]:
        by_type: dict[str, list[str]] = {}
        for target in targets:
            by_type.setdefault(address_type(target, typed=self._profile.typed), []).append(target)
        types = ("A", "AAAA", "CNAME")
        ttl, identifier, properties = (
            self._ttl(item),
            self._annotation(item, "set-identifier") or "",
            self._properties(item),
        )
        return [
            Endpoint(
                host, kind, tuple(sorted(by_type[kind])), ttl, identifier, {RESOURCE: resource}, properties
            )
            for host in hosts
            for kind in types
            if kind in by_type
        ]

    def _properties(self, item: Object) -> dict[str, str]:
        found = {}
        if self._annotation(item, "alias") == "true":
            found["alias"] = "true"
        for name, value in sorted(_annotations(item).items()):
            if name.startswith(f"{self._prefix}aws-"):
                found["aws/" + name.removeprefix(f"{self._prefix}aws-")] = value
        return found

    def _ttl(self, item: Object) -> int:
        text = self._annotation(item, "ttl")
        if text is None:
            return 0
        match = _DURATION.fullmatch(text)
        if text.isdigit():
            seconds = int(text)
        elif match and text:
            hours, minutes, rest = (int(part or 0) for part in match.groups())
            seconds = hours * 3600 + minutes * 60 + rest
        else:
            return 0
        return seconds if 1 <= seconds <= _MOST_TTL else 0

    def _annotation(self, item: Object, name: str) -> str | None:
        return _annotations(item).get(self._prefix + name)


def deduplicated(
    endpoints: Iterable[Endpoint],
    profile: Profile,
    debug: Debug,
    duplicate: Absorbed = unheard,
) -> Iterator[Endpoint]:
    """Each endpoint once: the first of those with equal name, set identifier and targets survives.

    `duplicate` hears of the survivor and of each that is dropped for it.
    """
    seen: dict[tuple[object, ...], Endpoint] = {}
    for endpoint in endpoints:
        if profile.typed and len(endpoint.targets) > 1:
            endpoint = replace(endpoint, targets=tuple(sorted(set(endpoint.targets))))
        key = (
            endpoint.type if profile.typed else "",
            endpoint.name,
            endpoint.set_identifier,
            endpoint.targets,
        )
        if key in seen:
            debug(f"Removing duplicate endpoint {endpoint}")
            if seen[key].resource != endpoint.resource:
                duplicate(seen[key], endpoint)
            continue
        seen[key] = endpoint
        yield endpoint


def _merged(endpoints: Iterable[Endpoint]) -> list[Endpoint]:
    """v0.7.5, source/service.go: neighbours of one name become one, with the first target of each."""
    merged: list[Endpoint] = []
    for endpoint in sorted(sorted(endpoints, key=lambda one: one.resource), key=lambda one: one.name):
        last = merged[-1] if merged else None
        if last and (last.name, last.type, last.ttl) == (endpoint.name, endpoint.type, endpoint.ttl):
            merged[-1] = replace(last, targets=(*last.targets, endpoint.targets[0]))
        else:
            merged.append(endpoint)
    return [replace(one, targets=tuple(sorted(one.targets))) for one in merged]


def _balancer_targets(item: Object) -> list[str]:
    entries = ((item.get("status") or {}).get("loadBalancer") or {}).get("ingress") or ()
    return [entry[key] for entry in entries for key in ("ip", "hostname") if entry.get(key)]


def _annotations(item: Object) -> Mapping[str, str]:
    return item["metadata"].get("annotations") or {}


def _title(item: Object) -> str:
    return f"{item['metadata'].get('namespace', 'default')}/{item['metadata']['name']}"
