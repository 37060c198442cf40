"""ExternalDNS's flags by their own names and defaults, so that a Deployment's `args:` can be pasted.

A flag that the emulation does not have is an error, never ignored: what it would have done is not known here.
Source: external-dns, pkg/apis/externaldns/types.go, docs/flags.md.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from testbed.errors import BadInput
from testbed.external_dns.batches import BatchLimits
from testbed.external_dns.command_line import Flag, expression, number, one_of, read, seconds, switch
from testbed.external_dns.domain_filter import DomainFilter
from testbed.external_dns.go_template import Template, TemplateError
from testbed.external_dns.profile import Profile
from testbed.external_dns.selector import selector
from testbed.external_dns.txt_cipher import key_of
from testbed.external_dns.zones import ZoneFilter


@dataclass(frozen=True, slots=True)
class Flags:
    """What a sync needs to know. Durations are production seconds."""

    sources: tuple[str, ...]
    policy: str
    registry: str
    owner: str
    txt_prefix: str
    txt_suffix: str
    txt_wildcard: str
    annotation_prefix: str
    interval: float
    log_level: str
    once: bool
    dry_run: bool
    prefer_cname: bool
    evaluate_target_health: bool
    zones: ZoneFilter = field(default_factory=ZoneFilter)
    zones_cache: float = 0.0
    batches: BatchLimits = field(default_factory=BatchLimits)
    batch_interval: float = 1.0
    api_retries: int = 3
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
    default_targets: tuple[str, ...] = ()
    forces_default_targets: bool = False
    least_ttl: int = 0
    prefers_alias: bool = False
    txt_cache_interval: float = 0.0
    managed: tuple[str, ...] = ()
    migrate_from_owner: str = ""
    encrypts_txt: bool = False
    txt_key: bytes | None = None
    events: bool = False
    least_event_interval: float = 5.0
    log_format: str = "text"
    metrics_port: int | None = None


SERVICE_TYPES = ("ClusterIP", "NodePort", "LoadBalancer", "ExternalName")
_KEY = "txt-encrypt-aes-key"
_MOST_PORT = 2**16 - 1
INGRESS_CLASS = "kubernetes.io/ingress.class"


def _key(text: str) -> bytes | None:
    return key_of(text) if text else None


def metrics_port(text: str) -> int:
    """The port of `--metrics-address`; the host is that of the run, whatever the flag says."""
    port = text.rpartition(":")[2]
    if not port.isdigit() or int(port) > _MOST_PORT:
        raise ValueError(f"{text!r} has no port, such as :7979")
    return int(port)


_FLAGS = (
    Flag("source", one_of("service", "ingress"), None, many=True),
    Flag("provider", one_of("aws"), "aws"),
    Flag("annotation-filter", selector),
    Flag("label-filter", selector),
    Flag("namespace"),
    Flag("service-type-filter", many=True, default=None),
    Flag("ingress-class", many=True, default=None, since=(0, 13, 5)),
    Flag("fqdn-template"),
    Flag("combine-fqdn-annotation", switch, "false"),
    Flag("ignore-hostname-annotation", switch, "false"),
    Flag("ignore-ingress-rules-spec", switch, "false", since=(0, 9)),
    Flag("ignore-ingress-tls-spec", switch, "false"),
    Flag("publish-internal-services", switch, "false"),
    Flag("publish-host-ip", switch, "false"),
    Flag("always-publish-not-ready-addresses", switch, "false"),
    Flag("default-targets", many=True, default=None, since=(0, 9)),
    Flag("force-default-targets", switch, "false", since=(0, 18)),
    Flag("min-ttl", seconds, "0s", since=(0, 20)),
    Flag("prefer-alias", switch, "false", since=(0, 20)),
    Flag("annotation-prefix", default=None, since=(0, 20)),
    Flag("managed-record-types", many=True, default=None, since=(0, 7, 6)),
    Flag("exclude-record-types", many=True, default=None, since=(0, 14)),
    Flag("domain-filter", many=True, default=None),
    Flag("exclude-domains", many=True, default=None),
    Flag("regex-domain-filter", expression, since=(0, 8)),
    Flag("regex-domain-exclusion", expression, since=(0, 8)),
    Flag("zone-id-filter", many=True, default=None),
    Flag("aws-zone-type", one_of("", "public", "private")),
    Flag("aws-zone-tags", many=True, default=None),
    Flag("aws-zone-match-parent", switch, "false", since=(0, 13, 5)),
    Flag("aws-zones-cache-duration", seconds, "0s"),
    Flag("aws-batch-change-size", number, "1000"),
    Flag("aws-batch-change-size-bytes", number, "32000", since=(0, 14, 1)),
    Flag("aws-batch-change-size-values", number, "1000", since=(0, 14, 1)),
    Flag("aws-batch-change-interval", seconds, "1s"),
    Flag("aws-api-retries", number, "3"),
    Flag("policy", one_of("sync", "upsert-only", "create-only"), None),
    Flag("registry", one_of("txt", "noop"), "txt"),
    Flag("txt-owner-id", default="default"),
    Flag("txt-prefix"),
    Flag("txt-suffix"),
    Flag("txt-wildcard-replacement", since=(0, 7, 5)),
    Flag("txt-cache-interval", seconds, "0s"),
    Flag("txt-encrypt-enabled", switch, "false", since=(0, 13, 5)),
    Flag(_KEY, _key, since=(0, 13, 5)),
    Flag("migrate-from-txt-owner", since=(0, 20)),
    Flag("aws-prefer-cname", switch, "false"),
    Flag("aws-evaluate-target-health", switch, "true"),
    Flag("interval", seconds, "1m"),
    Flag("events", switch, "false"),
    Flag("min-event-sync-interval", seconds, "5s", since=(0, 8)),
    Flag("metrics-address", metrics_port, None),
    Flag("log-format", one_of("text", "json"), "text"),
    Flag("once", switch, "false"),
    Flag("dry-run", switch, "false"),
    Flag("log-level", one_of("panic", "debug", "info", "warning", "error", "fatal"), "info"),
)
SWITCHES = frozenset(f"--{flag.name}" for flag in _FLAGS if flag.read is switch)
"""Flags that take no value."""
# The rest of ExternalDNS's flags, and what the names of other providers' and sources' flags begin with.
_OTHERS = """
server kubeconfig request-timeout version compatibility connector-source-server provider-cache-time
kube-api-qps kube-api-burst kube-api-cache-sync-timeout emit-events listen-endpoint-events
resolve-service-load-balancer-hostname fqdn-target-template target-template ignore-non-host-network-pods
exclude-unschedulable expose-internal-ipv6 pod-source-domain openshift-router-name gloo-namespace
contour-load-balancer istio-ingress-gateway target-net-filter exclude-target-net nat64-networks
create-ptr zone-name-filter aws-profile aws-assume-role aws-assume-role-external-id
txt-new-format-only tls-ca tls-client-cert tls-client-cert-key
"""
_OTHER_PREFIXES = """
akamai- alibaba-cloud- aws-sd- azure- bluecat- cf- cloudflare- coredns- crd-source- designate- digitalocean-
dyn- dynamodb- exoscale- f5- gateway- godaddy- google- ibmcloud- infoblox- inmemory- ns1- oci- ovh- pdns-
pihole- plural- rcodezero- rdns- rfc2136- safedns- scaleway- skipper-routegroup- tencent-cloud- traefik-
transip- ultradns- unstructured- vinyldns- vultr- webhook-
"""


def _is_flag(name: str) -> bool:
    """Whether some release of ExternalDNS has the flag, or a newer one than the version asked for."""
    return name in _OTHERS.split() or name.startswith(tuple(_OTHER_PREFIXES.split()))


def parse(arguments: Sequence[str], profile: Profile, environment: Mapping[str, str] | None = None) -> Flags:
    """Read flags, then `EXTERNAL_DNS_*` for those not given.

    Raises:
        BadInput: an unknown flag or value; `--policy` missing where the version demands it.
    """
    variables = os.environ if environment is None else environment
    flags = [flag for flag in _FLAGS if profile.release >= flag.since]
    found = read(flags, arguments, variables, _is_flag)
    if found["txt-prefix"] and found["txt-suffix"]:
        raise BadInput("txt-prefix and txt-suffix are mutually exclusive", do="leave out one of them")
    if not found["source"]:
        raise BadInput("ExternalDNS flags: no --source", do="name service, ingress or both")
    if not found["txt-owner-id"] and found["registry"] == "txt":
        raise BadInput("ExternalDNS flags: the owner id cannot be empty", do="give --txt-owner-id")
    if not found["policy"] and profile.typed:
        raise BadInput("--policy must be set explicitly (one of: sync, upsert-only, create-only)")
    if found["ignore-hostname-annotation"] and not found["fqdn-template"]:
        raise BadInput("FQDN Template must be set if ignoring annotations", do="give --fqdn-template")
    if found.get("ingress-class") and INGRESS_CLASS in found["annotation-filter"]:
        raise BadInput(
            f"--ingress-class is mutually exclusive with the {INGRESS_CLASS} annotation filter",
            do="leave out one of them",
        )
    if found.get("txt-encrypt-enabled") and not found[_KEY]:
        raise BadInput(
            "the AES Encryption key must be set when TXT record encryption is enabled",
            do="give --txt-encrypt-aes-key",
        )
    return Flags(
        sources=found["source"],
        policy=found["policy"] or "sync",
        registry=found["registry"],
        owner=found["txt-owner-id"],
        txt_prefix=found["txt-prefix"].lower(),
        txt_suffix=found["txt-suffix"].lower(),
        txt_wildcard=found.get("txt-wildcard-replacement", ""),
        zones=_zones(found),
        zones_cache=found["aws-zones-cache-duration"],
        batches=BatchLimits(
            found["aws-batch-change-size"],
            found.get("aws-batch-change-size-bytes", sys.maxsize),
            found.get("aws-batch-change-size-values", sys.maxsize),
        ),
        batch_interval=found["aws-batch-change-interval"],
        api_retries=found["aws-api-retries"],
        annotation_prefix=found.get("annotation-prefix") or profile.annotation_prefix,
        interval=found["interval"],
        log_level=found["log-level"],
        once=found["once"],
        dry_run=found["dry-run"],
        prefer_cname=found["aws-prefer-cname"],
        evaluate_target_health=found["aws-evaluate-target-health"],
        annotation_filter=found["annotation-filter"],
        label_filter=found["label-filter"],
        namespace=found["namespace"],
        service_types=_service_types(found["service-type-filter"], profile),
        ingress_classes=found.get("ingress-class", ()),
        template=_template(found["fqdn-template"], profile),
        combines_template=found["combine-fqdn-annotation"],
        ignores_hostname=found["ignore-hostname-annotation"],
        ignores_rules=found.get("ignore-ingress-rules-spec", False),
        ignores_tls=found["ignore-ingress-tls-spec"],
        publishes_internal=found["publish-internal-services"],
        publishes_host_ip=found["publish-host-ip"],
        publishes_unready=found["always-publish-not-ready-addresses"],
        default_targets=found.get("default-targets", ()),
        forces_default_targets=found.get("force-default-targets", False),
        least_ttl=int(found.get("min-ttl", 0)),
        prefers_alias=found.get("prefer-alias", False),
        txt_cache_interval=found["txt-cache-interval"],
        managed=managed(
            found.get("managed-record-types") or profile.managed, found.get("exclude-record-types", ())
        ),
        migrate_from_owner=found.get("migrate-from-txt-owner", ""),
        encrypts_txt=found.get("txt-encrypt-enabled", False),
        txt_key=found.get(_KEY),
        events=found["events"],
        least_event_interval=found.get("min-event-sync-interval", 0.0),
        log_format=found["log-format"],
        metrics_port=found["metrics-address"],
    )


def shown(arguments: Sequence[str]) -> tuple[str, ...]:
    """Arguments as they may be printed: without the key."""
    found = list(arguments)
    for index, one in enumerate(found):
        name, equals, _ = one.partition("=")
        if name == f"--{_KEY}" and equals:
            found[index] = f"{name}=******"
        elif index and found[index - 1] == f"--{_KEY}":
            found[index] = "******"
    return tuple(found)


def managed(types: Sequence[str], excluded: Sequence[str]) -> tuple[str, ...]:
    """The record types that are planned."""
    return tuple(one for one in types if one not in excluded)


def _service_types(types: tuple[str, ...], profile: Profile) -> tuple[str, ...]:
    """v0.13 and later refuse a type that Kubernetes does not have; before, it matched nothing."""
    wanted = tuple(one for one in types if one)
    unknown = [one for one in wanted if one not in SERVICE_TYPES]
    if unknown and profile.typed:
        raise BadInput(
            f"ExternalDNS flags: --service-type-filter: {unknown[0]!r} is no type of Service",
            do=f"write {', '.join(SERVICE_TYPES)}",
        )
    return wanted


def _template(source: str, profile: Profile) -> Template | None:
    try:
        return Template(source, typed=profile.typed) if source else None
    except TemplateError as error:
        raise BadInput(f"--fqdn-template: {error}: {source}", do="mend the template") from None


def _zones(found: Mapping[str, Any]) -> ZoneFilter:
    patterns = found.get("regex-domain-filter"), found.get("regex-domain-exclusion")
    parents = found.get("aws-zone-match-parent", False)
    domains = DomainFilter(found["domain-filter"], found["exclude-domains"], *patterns)
    return ZoneFilter(
        domains, found["zone-id-filter"], found["aws-zone-type"], found["aws-zone-tags"], parents
    )
