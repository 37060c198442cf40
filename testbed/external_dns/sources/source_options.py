"""The flags of ExternalDNS that its sources read."""

from __future__ import annotations

from dataclasses import dataclass

from testbed.external_dns.sources.go_template import Template


@dataclass(frozen=True, kw_only=True)
class SourceOptions:
    """Options that choose sources, objects, names and targets.

    Attributes:
        sources: names of `--source`, in their order.
        annotation_prefix: of all annotations, with its slash.
        annotation_filter, label_filter: selectors that an object must meet.
        namespace: the only one that is read, or "" for all.
        service_types, ingress_classes: the only types and classes that are read; empty for all.
        template: names from `--fqdn-template`; `combines_template` adds them to the annotated ones.
        ignores_hostname, ignores_rules, ignores_tls: where no names are read.
        publishes_internal: Services of type ClusterIP get records.
        gateway_namespace, gateway_label_filter, gateway_name: of the only Gateways that count, or "" for all.
        publishes_host_ip, publishes_unready: addresses of a headless Service's pods.
    """

    sources: tuple[str, ...]
    annotation_prefix: str
    annotation_filter: str = ""
    label_filter: str = ""
    namespace: str = ""
    service_types: tuple[str, ...] = ()
    ingress_classes: tuple[str, ...] = ()
    template: Template | None = None
    combines_template: bool = False
    ignores_hostname: bool = False
    ignores_rules: bool = False
    ignores_tls: bool = False
    publishes_internal: bool = False
    publishes_host_ip: bool = False
    publishes_unready: bool = False
    gateway_namespace: str = ""
    gateway_label_filter: str = ""
    gateway_name: str = ""
