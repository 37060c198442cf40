"""ExternalDNS's flags by their own names and defaults, so that a Deployment's `args:` can be pasted.

A flag that is not emulated is an error and never ignored: the testbed cannot know what it would have done.
Source: external-dns, pkg/apis/externaldns/types.go, docs/flags.md.
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from testbed.dated_releases import Release
from testbed.errors import BadInput
from testbed.external_dns.core.facts import Fact, annotation_prefix, managed_types
from testbed.external_dns.core.go_duration import seconds
from testbed.external_dns.process.argument_parser import (
    Flag,
    NotEmulated,
    expression,
    number,
    one_of,
    read,
    switch,
)
from testbed.external_dns.provider.change_batches import BatchLimits
from testbed.external_dns.provider.domain_filter import DomainFilter
from testbed.external_dns.provider.hosted_zone_filter import ZoneFilter
from testbed.external_dns.provider.provider_options import ProviderOptions
from testbed.external_dns.registry.txt_encryption import key_of
from testbed.external_dns.registry.txt_options import TxtOptions
from testbed.external_dns.sources.go_template import Template, TemplateError
from testbed.external_dns.sources.ingress import CLASS_ANNOTATION
from testbed.external_dns.sources.service import TYPES
from testbed.external_dns.sources.source_options import SourceOptions
from testbed.external_dns.sources.source_table import SOURCES
from testbed.kubernetes import label_selectors
from testbed.kubernetes.label_selectors import NotASelector


@dataclass(frozen=True, kw_only=True)  # no slots: a class cannot inherit from two that have them
class Flags(SourceOptions, TxtOptions, ProviderOptions):
    """All flags of an ExternalDNS: those of its sources, registry and provider, and those of the process.

    Durations are production seconds.
    """

    policy: str
    interval: float
    log_level: str
    once: bool
    default_targets: tuple[str, ...] = ()
    forces_default_targets: bool = False
    least_ttl: int = 0
    prefers_alias: bool = False
    events: bool = False
    least_event_interval: float = 5.0
    log_format: str = "text"
    metrics_port: int | None = None


_ARGUMENT = re.compile(r"--[a-z0-9-]+(?:=\S+)?")
_KEY = "txt-encrypt-aes-key"
_MOST_PORT = 2**16 - 1


def selector(text: str) -> str:
    """Return the text if it is a label selector.

    Raises:
        ValueError: it is not.
    """
    try:
        label_selectors.parse(text)
    except NotASelector:
        raise ValueError(f"{text!r} is not a label selector") from None
    return text


def _key(text: str) -> bytes | None:
    return key_of(text) if text else None


def metrics_port(text: str) -> int:
    """Return the port of `--metrics-address`; the run chooses the host, whatever the flag says.

    Raises:
        ValueError: the address has no port.
    """
    port = text.rpartition(":")[2]
    if not port.isdigit() or int(port) > _MOST_PORT:
        raise ValueError(f"{text!r} has no port, such as :7979")
    return int(port)


# Sources and providers of any release that the testbed does not emulate (docs/sources, docs/flags.md).
_OTHER_SOURCES = """
ambassador-host cloudfoundry connector contour-httpproxy contour-ingressroute crd empty f5-transportserver
f5-virtualserver fake gloo-proxy istio-gateway istio-virtualservice kong-tcpingress node openshift-route pod
routegroup skipper-routegroup traefik-proxy unstructured
"""
_OTHER_PROVIDERS = """
akamai alibabacloud aws-sd azure azure-dns azure-private-dns bluecat civo cloudflare coredns designate
digitalocean dnsimple dyn exoscale gandi godaddy google hetzner ibmcloud infoblox inmemory linode ns1 oci ovh
pdns pihole plural rcodezero rdns rfc2136 safedns scaleway skydns stackpath tencentcloud transip ultradns
vinyldns vultr webhook
"""
_FLAGS = (
    Flag("source", one_of(*SOURCES, others=_OTHER_SOURCES.split()), None, many=True),
    Flag("provider", one_of("aws", others=_OTHER_PROVIDERS.split()), "aws"),
    Flag("annotation-filter", selector),
    Flag("label-filter", selector),
    Flag("namespace"),
    Flag("service-type-filter", many=True, default=None),
    Flag("ingress-class", many=True, default=None, since="v0.13.5"),
    Flag("fqdn-template"),
    Flag("combine-fqdn-annotation", switch, "false"),
    Flag("ignore-hostname-annotation", switch, "false"),
    Flag("ignore-ingress-rules-spec", switch, "false", since="v0.9.0"),
    Flag("ignore-ingress-tls-spec", switch, "false"),
    Flag("publish-internal-services", switch, "false"),
    Flag("publish-host-ip", switch, "false"),
    Flag("always-publish-not-ready-addresses", switch, "false"),
    Flag("gateway-namespace", since="v0.12.0"),
    Flag("gateway-label-filter", selector, since="v0.12.0"),
    Flag("gateway-name", since="v0.16.0"),
    Flag("default-targets", many=True, default=None, since="v0.9.0"),
    Flag("force-default-targets", switch, "false", since="v0.18.0"),
    Flag("min-ttl", seconds, "0s", since="v0.21.0"),
    Flag("prefer-alias", switch, "false", since="v0.21.0"),
    Flag("annotation-prefix", default=None, since="v0.20.0"),
    Flag("managed-record-types", many=True, default=None, since="v0.7.6"),
    Flag("exclude-record-types", many=True, default=None, since="v0.14.0"),
    Flag("domain-filter", many=True, default=None),
    Flag("exclude-domains", many=True, default=None),
    Flag("regex-domain-filter", expression, since="v0.8.0"),
    Flag("regex-domain-exclusion", expression, since="v0.8.0"),
    Flag("zone-id-filter", many=True, default=None),
    Flag("aws-zone-type", one_of("", "public", "private")),
    Flag("aws-zone-tags", many=True, default=None),
    Flag("aws-zone-match-parent", switch, "false", since="v0.14.1"),
    Flag("aws-zones-cache-duration", seconds, "0s"),
    Flag("aws-batch-change-size", number, "1000"),
    Flag("aws-batch-change-size-bytes", number, "32000", since="v0.14.1"),
    Flag("aws-batch-change-size-values", number, "1000", since="v0.14.1"),
    Flag("aws-batch-change-interval", seconds, "1s"),
    Flag("aws-api-retries", number, "3"),
    Flag("policy", one_of("sync", "upsert-only", "create-only"), None),
    Flag("registry", one_of("txt", "noop", others=("dynamodb", "aws-sd", "crd")), "txt"),
    Flag("txt-owner-id", default="default"),
    Flag("txt-prefix"),
    Flag("txt-suffix"),
    Flag("txt-wildcard-replacement", since="v0.7.5"),
    Flag("txt-new-format-only", switch, "false", since="v0.16.0", until="v0.18.0"),
    Flag("txt-cache-interval", seconds, "0s"),
    Flag("txt-encrypt-enabled", switch, "false", since="v0.13.5"),
    Flag(_KEY, _key, since="v0.13.5"),
    Flag("migrate-from-txt-owner", since="v0.20.0"),
    Flag("aws-prefer-cname", switch, "false"),
    Flag("aws-evaluate-target-health", switch, "true"),
    Flag("interval", seconds, "1m"),
    Flag("events", switch, "false"),
    Flag("min-event-sync-interval", seconds, "5s", since="v0.8.0"),
    Flag("metrics-address", metrics_port, None),
    Flag("log-format", one_of("text", "json"), "text"),
    Flag("once", switch, "false"),
    Flag("dry-run", switch, "false"),
    Flag("log-level", one_of("panic", "debug", "info", "warning", "error", "fatal"), "info"),
)
SWITCHES = frozenset(f"--{flag.name}" for flag in _FLAGS if flag.read is switch)
"""Flags that take no value."""
# The rest of ExternalDNS's flags, and the beginnings of the flags of other providers and sources.
_OTHERS = """
server kubeconfig request-timeout version compatibility connector-source-server provider-cache-time
kube-api-qps kube-api-burst kube-api-cache-sync-timeout emit-events listen-endpoint-events
resolve-service-load-balancer-hostname fqdn-target-template target-template ignore-non-host-network-pods
exclude-unschedulable expose-internal-ipv6 pod-source-domain openshift-router-name gloo-namespace
contour-load-balancer istio-ingress-gateway target-net-filter exclude-target-net nat64-networks
create-ptr zone-name-filter aws-profile aws-assume-role aws-assume-role-external-id
tls-ca tls-client-cert tls-client-cert-key
"""
_OTHER_PREFIXES = """
akamai- alibaba-cloud- aws-sd- azure- bluecat- cf- cloudflare- coredns- crd-source- designate- digitalocean-
dyn- dynamodb- exoscale- f5- gateway- godaddy- google- ibmcloud- infoblox- inmemory- ns1- oci- ovh- pdns-
pihole- plural- rcodezero- rdns- rfc2136- safedns- scaleway- skipper-routegroup- tencent-cloud- traefik-
transip- ultradns- unstructured- vinyldns- vultr- webhook-
"""


def _is_flag(name: str) -> bool:
    """True if some release of ExternalDNS has the flag, though the testbed or this version lacks it."""
    return name in _OTHERS.split() or name.startswith(tuple(_OTHER_PREFIXES.split()))


def parse(arguments: Sequence[str], release: Release, environment: Mapping[str, str] | None = None) -> Flags:
    """Read flags, then `EXTERNAL_DNS_*` for the flags that are absent.

    Raises:
        BadInput: a flag or value is unknown, or `--policy` is missing where the version demands it.
    """
    variables = os.environ if environment is None else environment
    values = read(_flags_of(release), arguments, variables, _is_flag)
    if values["txt-prefix"] and values["txt-suffix"]:
        raise BadInput("txt-prefix and txt-suffix are mutually exclusive", do="leave out one of them")
    if not values["source"]:
        raise BadInput("ExternalDNS flags: no --source", do=f"name one or more of {', '.join(SOURCES)}")
    for source in values["source"]:
        since = SOURCES[source].since
        if since and not release.is_since(since):
            raise NotEmulated(
                f"ExternalDNS flags: the testbed does not emulate --source={source} of {release}",
                do=f"use {since} or later",
            )
    if not values["txt-owner-id"] and values["registry"] == "txt":
        raise BadInput("ExternalDNS flags: the owner id cannot be empty", do="set --txt-owner-id")
    if not values["policy"] and release.has(Fact.POLICY_REQUIRED):
        raise BadInput("--policy must be set explicitly (one of: sync, upsert-only, create-only)")
    if values["ignore-hostname-annotation"] and not values["fqdn-template"]:
        raise BadInput("FQDN Template must be set if ignoring annotations", do="set --fqdn-template")
    if values.get("ingress-class") and CLASS_ANNOTATION in values["annotation-filter"]:
        raise BadInput(
            f"--ingress-class is mutually exclusive with the {CLASS_ANNOTATION} annotation filter",
            do="leave out one of them",
        )
    if values.get("txt-encrypt-enabled") and not values[_KEY]:
        raise BadInput(
            "the AES Encryption key must be set when TXT record encryption is enabled",
            do="set --txt-encrypt-aes-key",
        )
    return Flags(
        sources=values["source"],
        policy=values["policy"] or "sync",
        registry=values["registry"],
        owner=values["txt-owner-id"],
        # Names come back from Route 53 in lower case, and would not begin with a prefix in capitals.
        txt_prefix=values["txt-prefix"].lower(),
        txt_suffix=values["txt-suffix"].lower(),
        txt_wildcard=values.get("txt-wildcard-replacement", ""),
        zones=_zones(values),
        zones_cache=values["aws-zones-cache-duration"],
        batches=BatchLimits(
            values["aws-batch-change-size"],
            # Releases without the flag have no such limit, and Route 53 refuses what is too large.
            values.get("aws-batch-change-size-bytes", sys.maxsize),
            values.get("aws-batch-change-size-values", sys.maxsize),
        ),
        batch_interval=values["aws-batch-change-interval"],
        api_retries=values["aws-api-retries"],
        annotation_prefix=values.get("annotation-prefix") or annotation_prefix(release),
        interval=values["interval"],
        log_level=values["log-level"],
        once=values["once"],
        dry_run=values["dry-run"],
        prefer_cname=values["aws-prefer-cname"],
        evaluate_target_health=values["aws-evaluate-target-health"],
        annotation_filter=values["annotation-filter"],
        label_filter=values["label-filter"],
        namespace=values["namespace"],
        service_types=_service_types(values["service-type-filter"], release),
        ingress_classes=values.get("ingress-class", ()),
        template=_template(values["fqdn-template"], release),
        combines_template=values["combine-fqdn-annotation"],
        ignores_hostname=values["ignore-hostname-annotation"],
        ignores_rules=values.get("ignore-ingress-rules-spec", False),
        ignores_tls=values["ignore-ingress-tls-spec"],
        publishes_internal=values["publish-internal-services"],
        publishes_host_ip=values["publish-host-ip"],
        publishes_unready=values["always-publish-not-ready-addresses"],
        gateway_namespace=values.get("gateway-namespace", ""),
        gateway_label_filter=values.get("gateway-label-filter", ""),
        gateway_name=values.get("gateway-name", ""),
        default_targets=values.get("default-targets", ()),
        forces_default_targets=values.get("force-default-targets", False),
        least_ttl=int(values.get("min-ttl", 0)),
        prefers_alias=values.get("prefer-alias", False),
        txt_cache_interval=values["txt-cache-interval"],
        managed=managed(
            values.get("managed-record-types") or managed_types(release),
            values.get("exclude-record-types", ()),
        ),
        migrate_from_owner=values.get("migrate-from-txt-owner", ""),
        writes_typed_only=values.get("txt-new-format-only", False),
        encrypts_txt=values.get("txt-encrypt-enabled", False),
        txt_key=values.get(_KEY),
        events=values["events"],
        least_event_interval=values.get("min-event-sync-interval", 0.0),
        log_format=values["log-format"],
        metrics_port=values["metrics-address"],
    )


@dataclass(frozen=True)
class EmulatedFlags:
    """Flags without those that the testbed does not emulate.

    Attributes:
        arguments: those that are left.
        left_out: why each of the others is not among them.
    """

    flags: Flags
    arguments: tuple[str, ...]
    left_out: tuple[NotEmulated, ...]


def emulated(arguments: Sequence[str], release: Release) -> EmulatedFlags:
    """Read flags without those that the testbed does not emulate; each has its value behind a `=`.

    Raises:
        BadInput: the release itself refuses a flag, or nothing is left to read.
    """
    left, out = list(arguments), list[NotEmulated]()
    while True:
        try:
            return EmulatedFlags(parse(left, release, {}), tuple(left), tuple(out))
        except NotEmulated as error:
            named = _ARGUMENT.search(error.what)
            text = named[0] if named else ""
            kept = [one for one in left if text not in (one, one.partition("=")[0])]
            if len(kept) == len(left):
                raise
            out.append(error)
            left = kept


def has(release: Release, name: str) -> bool:
    """Tell whether a release has a flag, named without its dashes, that the testbed emulates."""
    return name in names(release)


def names(release: Release) -> frozenset[str]:
    """Return the emulated flags of a release, without their dashes."""
    return frozenset(flag.name for flag in _flags_of(release))


def _flags_of(release: Release) -> list[Flag]:
    return [flag for flag in _FLAGS if release.lies_between(flag.since, flag.until)]


def shown(arguments: Sequence[str]) -> tuple[str, ...]:
    """Return arguments as they may be printed: without the encryption key."""
    printable = list(arguments)
    for index, one in enumerate(printable):
        name, equals, _ = one.partition("=")
        if name == f"--{_KEY}" and equals:
            printable[index] = f"{name}=******"
        elif index and printable[index - 1] == f"--{_KEY}":
            printable[index] = "******"
    return tuple(printable)


def managed(types: Sequence[str], excluded: Sequence[str]) -> tuple[str, ...]:
    """Return the record types that are planned."""
    return tuple(one for one in types if one not in excluded)


def _service_types(types: tuple[str, ...], release: Release) -> tuple[str, ...]:
    """Return the types; one that Kubernetes lacks is refused, or matches nothing."""
    nonempty = tuple(one for one in types if one)
    unknown = [one for one in nonempty if one not in TYPES]
    if unknown and release.has(Fact.SERVICE_TYPES_KNOWN):
        raise BadInput(
            f"ExternalDNS flags: --service-type-filter: {unknown[0]!r} is not a type of Service",
            do=f"write {', '.join(TYPES)}",
        )
    return nonempty


def _template(source: str, release: Release) -> Template | None:
    try:
        return Template(source, release) if source else None
    except TemplateError as error:
        raise BadInput(f"--fqdn-template: {error}: {source}", do="correct the template") from None


def _zones(values: Mapping[str, Any]) -> ZoneFilter:
    patterns = values.get("regex-domain-filter"), values.get("regex-domain-exclusion")
    parents = values.get("aws-zone-match-parent", False)
    domains = DomainFilter(values["domain-filter"], values["exclude-domains"], *patterns)
    return ZoneFilter(
        domains, values["zone-id-filter"], values["aws-zone-type"], values["aws-zone-tags"], parents
    )
