"""The source `ingress`: names from an Ingress's rules, TLS hosts and annotation, targets from its balancer.

Source: external-dns, source/ingress.go.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import ClassVar

from testbed.external_dns.core.endpoint import DUALSTACK, Endpoint
from testbed.external_dns.core.facts import Fact
from testbed.external_dns.core.reasons import Reason
from testbed.external_dns.sources.annotated_source import (
    AnnotatedSource,
    annotations_of,
    balancer_targets,
    targets_sorted,
    title,
    with_balancer,
)
from testbed.external_dns.sources.merging import merged
from testbed.external_dns.sources.source import Object

CLASS_ANNOTATION = "kubernetes.io/ingress.class"
IP_TYPE = "alb.ingress.kubernetes.io/ip-address-type"


class IngressSource(AnnotatedSource):
    """Reads Ingresses."""

    name: ClassVar[str] = "ingress"
    label: ClassVar[str] = "ingress"
    kinds: ClassVar[tuple[str, ...]] = ("Ingress",)
    filters: ClassVar[Mapping[str, str]] = MappingProxyType({"ingress-class": "ingress_classes"})
    grants: ClassVar[Mapping[Reason, Callable[[Object], Object]]] = MappingProxyType(
        {Reason.NO_ADDRESS: with_balancer}
    )

    def endpoints(self, objects: Iterable[Object]) -> list[Endpoint]:
        """Return the endpoints of Ingresses; v0.21 and later merge those of one name.

        Raises:
            SourceError: the template does not fit an Ingress.
        """
        endpoints = [endpoint for item in objects for endpoint in self.endpoints_of(item)]
        if not self._release.has(Fact.INGRESSES_MERGED):
            return targets_sorted(endpoints)
        return merged(endpoints, self._warn, self._absorbed)

    def endpoints_of(self, item: Object) -> list[Endpoint]:
        """Return the endpoints of one Ingress, before they meet those of others.

        Raises:
            SourceError: the template does not fit the Ingress.
        """
        if not self._passes(item) or not self._is_classed(item) or not self._is_ours(item):
            return []
        targets = self._annotated_targets(item) or balancer_targets(item)
        endpoints = self._endpoints(item, self._hosts(item), targets)
        if self._uses_template(endpoints):
            endpoints += self._endpoints(item, self._templated_hosts(item), targets)
        # The plan does not compare the label, so adding it to a record that exists changes nothing.
        is_dualstack = annotations_of(item).get(IP_TYPE) == DUALSTACK
        if endpoints and is_dualstack and self._release.has(Fact.DUALSTACK_LABEL):
            self._debug(f"Adding dualstack label to ingress {title(item)}.")
            endpoints = [one._replace(labels={**one.labels, DUALSTACK: "true"}) for one in endpoints]
        self._log_endpoints(item, endpoints)
        return endpoints

    @classmethod
    def hosts_in_spec(cls, item: Object) -> Mapping[str, Sequence[str]]:
        """Return the hosts of the rules and of the TLS entries; "" for a rule that takes every host."""
        spec = item.get("spec") or {}
        return {
            "spec.rules": [rule.get("host") or "" for rule in spec.get("rules") or ()],
            "spec.tls": [host for tls in spec.get("tls") or () for host in tls.get("hosts") or ()],
        }

    def _hosts(self, ingress: Object) -> list[str]:
        options, in_spec = self._options, self.hosts_in_spec(ingress)
        hosts = [] if options.ignores_rules else [host for host in in_spec["spec.rules"] if host]
        hosts += [] if options.ignores_tls else [host for host in in_spec["spec.tls"] if host]
        annotated = [] if options.ignores_hostname else self._annotated_hosts(ingress)
        has_source = self._release.has(Fact.INGRESS_HOSTNAME_SOURCE)
        source = self._annotation(ingress, "ingress-hostname-source") if has_source else None
        if source is None:
            return hosts + annotated
        by_source = {"defined-hosts-only": hosts, "annotation-only": annotated}
        # Any other value, the empty one too, gives no host at all, as in the real one.
        return by_source.get(source.lower(), [])

    def _is_classed(self, ingress: Object) -> bool:
        classes = self._options.ingress_classes
        spec = ingress.get("spec") or {}
        # The annotation counts only where the field is empty; the two are never compared.
        name = spec.get("ingressClassName") or annotations_of(ingress).get(CLASS_ANNOTATION)
        if not classes or name in classes:
            return True
        self._debug(
            f"Discarding ingress {title(ingress)} because it does not match required ingress classes "
            f"[{' '.join(classes)}]"
        )
        return False
