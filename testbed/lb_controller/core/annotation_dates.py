"""The first release that reads each annotation, and what a release makes of an object with newer ones.

An annotation that a release does not know is as if it were not there: no error, no event.

Source: the code of each tag; no annotation was ever taken away. A name that ends in `.*` or `-*` stands for
all names that begin so.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cache, lru_cache

from testbed.dated_releases import Release
from testbed.kubernetes import object_fields
from testbed.lb_controller.core.annotations import INGRESS_PREFIX, SERVICE_PREFIX
from testbed.lb_controller.core.build_inputs import ClusterState, KubernetesObject

OF_INGRESSES: Mapping[str, str] = {
    "v2.1.0": """
        actions.* auth-* backend-protocol backend-protocol-version certificate-arn conditions.*
        customer-owned-ipv4-pool group.name group.order healthcheck-interval-seconds healthcheck-path
        healthcheck-port healthcheck-protocol healthcheck-timeout-seconds healthy-threshold-count
        inbound-cidrs ip-address-type listen-ports load-balancer-attributes scheme security-groups
        shield-advanced-protection ssl-policy subnets success-codes tags target-group-attributes target-type
        unhealthy-threshold-count waf-acl-id wafv2-acl-arn web-acl-id
    """,
    "v2.2.0": "load-balancer-name ssl-redirect target-node-labels",
    "v2.3.0": "manage-backend-security-group-rules",
    "v2.7.0": "mutual-authentication",
    "v2.8.0": "security-group-prefix-lists",
    "v2.9.0": "listener-attributes.*",
    "v2.10.0": "multi-cluster-target-group",
    "v2.11.0": "minimum-load-balancer-capacity",
    "v2.12.0": "ipam-ipv4-pool-id",
    "v2.13.0": """
        enable-frontend-nlb frontend-nlb-healthcheck-* frontend-nlb-listener-port-mapping frontend-nlb-scheme
        frontend-nlb-security-groups frontend-nlb-subnets
    """,
    "v2.14.0": "frontend-nlb-eip-allocations frontend-nlb-tags wafv2-acl-name",
    "v2.14.1": "transforms.* use-regex-path-match",
    "v2.15.0": "jwt-validation",
    "v2.16.0": "target-control-port.*",
    "v3.2.0": "frontend-nlb-attributes",
    "v3.3.0": "acm-pca-arn create-acm-cert",
    "v3.4.0": "dry-run-plan",
}
"""Annotations `alb.ingress.kubernetes.io/…` by the first release that reads them."""

OF_SERVICES: Mapping[str, str] = {
    "v2.1.0": """
        access-log-enabled access-log-s3-bucket-name access-log-s3-bucket-prefix additional-resource-tags
        alpn-policy backend-protocol cross-zone-load-balancing-enabled eip-allocations
        healthcheck-healthy-threshold healthcheck-interval healthcheck-path healthcheck-port
        healthcheck-protocol healthcheck-timeout healthcheck-unhealthy-threshold internal ip-address-type
        proxy-protocol ssl-cert ssl-negotiation-policy ssl-ports subnets target-group-attributes type
    """,
    "v2.2.0": "name nlb-target-type private-ipv4-addresses scheme target-node-labels",
    "v2.3.0": "attributes",
    "v2.4.0": "manage-backend-security-group-rules",
    "v2.4.4": "ipv6-addresses",
    "v2.4.6": "healthcheck-success-codes",
    "v2.6.0": "security-groups",
    "v2.8.0": "inbound-sg-rules-on-private-link-traffic security-group-prefix-lists",
    "v2.9.0": "listener-attributes.*",
    "v2.10.0": "enable-prefix-for-ipv6-source-nat multi-cluster-target-group source-nat-ipv6-prefixes",
    "v2.11.0": "minimum-load-balancer-capacity",
    "v2.12.0": "enable-icmp-for-path-mtu-discovery",
    "v2.13.0": "enable-tcp-udp-listener proxy-protocol-per-target-group",
    "v2.14.0": "disable-nlb-sg",
    "v2.15.0": "quic-enabled-ports",
}
"""Annotations `service.beta.kubernetes.io/aws-load-balancer-…` by the first release that reads them."""

OF_SERVICE_ACTIONS = "v2.16.0"
"""The first release that reads `service.beta.kubernetes.io/actions.<protocol>-<port>`."""


@dataclass(frozen=True, slots=True)
class Ignored:
    """An annotation that a release does not read.

    Attributes:
        key: the whole annotation.
        since: the tag of the first release that reads it.
    """

    key: str
    since: str


@lru_cache(maxsize=4096)
def first_release(key: str) -> str | None:
    """The tag of the first release that reads an annotation; None for what is not this controller's."""
    exact, families = _dates()
    if key in exact:
        return exact[key]
    return next((tag for start, tag in families.items() if key.startswith(start)), None)


def names() -> Iterator[str]:
    """All annotations with their prefix; a family by its beginning, `alb.ingress.kubernetes.io/actions.`."""
    exact, families = _dates()
    yield from exact
    yield from families


def ignored(item: KubernetesObject, release: Release) -> tuple[Ignored, ...]:
    """The annotations of an object that a later release reads and this one does not."""
    return tuple(
        Ignored(key, since)
        for key in object_fields.annotations_of(item)
        if (since := first_release(key)) is not None and not release.is_since(since)
    )


def read_by(release: Release, item: KubernetesObject) -> KubernetesObject:
    """The object as a release reads it: without the annotations that it does not know."""
    unread = {one.key for one in ignored(item, release)}
    if not unread:
        return item
    metadata = object_fields.metadata(item)
    kept = {key: text for key, text in object_fields.annotations_of(item).items() if key not in unread}
    return {**item, "metadata": {**metadata, "annotations": kept}}


def cluster_read_by(release: Release, cluster: ClusterState) -> ClusterState:
    """The cluster with its Services as a release reads them."""
    return replace(cluster, services=_ServicesReadBy(release, cluster.services))


class _ServicesReadBy(Mapping[tuple[str, str], KubernetesObject]):
    """The Services of a cluster as a release reads them, each when it is asked for."""

    def __init__(self, release: Release, services: Mapping[tuple[str, str], KubernetesObject]) -> None:
        self._release = release
        self._services = services

    def __getitem__(self, key: tuple[str, str]) -> KubernetesObject:
        return read_by(self._release, self._services[key])

    def __iter__(self) -> Iterator[tuple[str, str]]:
        return iter(self._services)

    def __len__(self) -> int:
        return len(self._services)


@cache
def _dates() -> tuple[dict[str, str], dict[str, str]]:
    """The dates of whole annotations, and of families by their beginning."""
    rows = [
        (f"{prefix}{name}", tag)
        for prefix, table in (
            (f"{INGRESS_PREFIX}/", OF_INGRESSES),
            (f"{SERVICE_PREFIX}/aws-load-balancer-", OF_SERVICES),
            (f"{SERVICE_PREFIX}/", {OF_SERVICE_ACTIONS: "actions.*"}),
        )
        for tag, named in table.items()
        for name in named.split()
    ]
    exact = {name: tag for name, tag in rows if not name.endswith("*")}
    families = {name.removesuffix("*"): tag for name, tag in rows if name.endswith("*")}
    return exact, families
