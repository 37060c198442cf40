"""Annotations that no controller reads because they are misspelt.

Sources of the names: aws-load-balancer-controller, docs/guide/ingress/annotations.md and
docs/guide/service/annotations.md; kubernetes cloud-provider-aws, pkg/providers/v1/aws.go; external-dns,
docs/annotations/annotations.md.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterator

from testbed.check.findings import Severity
from testbed.check.manifest_reading import NLB, Reading, annotated
from testbed.check.rule_registry import Trap, rule
from testbed.external_dns.offline.annotation_prefixes import PREFIXES
from testbed.kubernetes import object_fields
from testbed.lb_controller.core import annotation_dates

_OF_THE_PROVIDER = """
access-log-emit-interval connection-draining-enabled connection-draining-timeout connection-idle-timeout
extra-security-groups
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
        *(name.removesuffix(".") for name in annotation_dates.names()),
        *(NLB + name for name in _OF_THE_PROVIDER.split()),
        *(prefix + name for prefix in PREFIXES for name in _DNS.split()),
    ]
)
_DOMAINS = frozenset(key.partition("/")[0] for key in _KNOWN)
_CLOUDS = "service.beta.kubernetes.io/"
_ALIKE = 0.9
"""From this similarity on, 0 to 1 (`difflib`), one key is taken for a misspelling of the other."""


@rule("misspelt-annotation", Severity.WARNING)
def misspelt_annotation(reading: Reading) -> Iterator[Trap]:
    """A controller silently ignores an annotation whose name it does not know."""
    for manifest in reading.of_kind("Service", "Ingress"):
        for key in object_fields.annotations_of(manifest.object):
            domain, _, name = str(key).partition("/")
            of_another_cloud = key.startswith(_CLOUDS) and not name.startswith("aws")
            if domain not in _DOMAINS or of_another_cloud or key in _KNOWN:
                continue
            if annotation_dates.first_release(key):
                continue
            # Only near misses: a controller of 2026 may read keys that this list does not have.
            meant = difflib.get_close_matches(key, _KNOWN, n=1, cutoff=_ALIKE)
            if meant:
                yield Trap(
                    annotated(manifest, key),
                    f"no controller reads the annotation {key} of {manifest.title}",
                    f"did you mean {meant[0]}?",
                )
