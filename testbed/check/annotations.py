"""Annotations that nobody reads because they are misspelt.

Sources of the names: aws-load-balancer-controller, docs/guide/ingress/annotations.md and
docs/guide/service/annotations.md; kubernetes cloud-provider-aws, pkg/providers/v1/aws.go; external-dns,
docs/annotations/annotations.md.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterator

from testbed.check.findings import Severity
from testbed.check.reading import ALB, NLB, PREFIXES, Reading, annotated
from testbed.check.rules import Told, rule

_INGRESS = """
actions auth-idp-cognito auth-idp-oidc auth-on-unauthenticated-request auth-scope auth-session-cookie
auth-session-timeout auth-type backend-protocol backend-protocol-version certificate-arn conditions
customer-owned-ipv4-pool enable-frontend-nlb group.name group.order healthcheck-interval-seconds
healthcheck-path healthcheck-port healthcheck-protocol healthcheck-timeout-seconds healthy-threshold-count
inbound-cidrs ip-address-type ipam-ipv4-pool-id jwt-validation listen-ports listener-attributes
load-balancer-attributes load-balancer-capacity-reservation load-balancer-name
manage-backend-security-group-rules minimum-load-balancer-capacity multi-cluster-target-group
mutual-authentication scheme security-group-prefix-lists security-groups shield-advanced-protection ssl-policy
ssl-redirect subnets success-codes tags target-control-port target-group-attributes target-node-labels
target-type transforms unhealthy-threshold-count use-regex-path-match waf-acl-id wafv2-acl-arn wafv2-acl-name
web-acl-id
"""
_SERVICE = """
access-log-emit-interval access-log-enabled access-log-s3-bucket-name access-log-s3-bucket-prefix
additional-resource-tags alpn-policy attributes backend-protocol connection-draining-enabled
connection-draining-timeout connection-idle-timeout cross-zone-load-balancing-enabled disable-nlb-sg
eip-allocations enable-icmp-for-path-mtu-discovery enable-prefix-for-ipv6-source-nat enable-tcp-udp-listener
extra-security-groups healthcheck-healthy-threshold healthcheck-interval healthcheck-path healthcheck-port
healthcheck-protocol healthcheck-success-codes healthcheck-timeout healthcheck-unhealthy-threshold
inbound-sg-rules-on-private-link-traffic internal ip-address-type ipv6-addresses listener-attributes
manage-backend-security-group-rules minimum-load-balancer-capacity multi-cluster-target-group name
nlb-target-type private-ipv4-addresses proxy-protocol proxy-protocol-per-target-group scheme
security-group-prefix-lists security-groups source-nat-ipv6-prefixes ssl-cert ssl-negotiation-policy ssl-ports
subnets target-group-attributes target-node-labels type
"""
_DNS = """
access alias aws-evaluate-target-health aws-failover aws-geolocation-continent-code
aws-geolocation-country-code aws-geolocation-subdivision-code aws-geoproximity-bias
aws-geoproximity-coordinates aws-geoproximity-local-zone-group aws-geoproximity-region aws-health-check-id
aws-multi-value-answer aws-region aws-weight cloudflare-proxied controller endpoints-type
gateway-hostname-source hostname ingress ingress-hostname-source internal-hostname set-identifier target ttl
"""
_KNOWN = frozenset(
    [
        *(ALB + name for name in _INGRESS.split()),
        *(NLB + name for name in _SERVICE.split()),
        *(prefix + name for prefix in PREFIXES for name in _DNS.split()),
    ]
)
_FAMILIES = ("actions.", "conditions.", "transforms.", "listener-attributes.", "frontend-nlb-", "auth-")
_DOMAINS = frozenset(key.partition("/")[0] for key in _KNOWN)
_CLOUDS = "service.beta.kubernetes.io/"
_ALIKE = 0.9
"""How alike two keys are that are taken for one, from 0 to 1 (`difflib`)."""


@rule("misspelt-annotation", Severity.WARNING)
def misspelt_annotation(reading: Reading) -> Iterator[Told]:
    """A controller ignores an annotation whose name it does not know, and says nothing."""
    for manifest in reading.of_kind("Service", "Ingress"):
        for key in manifest.object["metadata"].get("annotations") or {}:
            domain, _, name = str(key).partition("/")
            of_another_cloud = key.startswith(_CLOUDS) and not name.startswith("aws")
            if domain not in _DOMAINS or of_another_cloud or key in _KNOWN or name.startswith(_FAMILIES):
                continue
            meant = difflib.get_close_matches(key, _KNOWN, n=1, cutoff=_ALIKE)
            if meant:
                yield Told(
                    annotated(manifest, key),
                    f"nobody reads the annotation {key} of {manifest.title}",
                    f"{meant[0]} was meant?",
                )
