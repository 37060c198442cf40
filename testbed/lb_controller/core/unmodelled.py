"""Annotations that the controller reads and that the testbed does not model: named, never dropped."""

from __future__ import annotations

from collections.abc import Mapping

from testbed.dated_releases import Release
from testbed.kubernetes import object_fields
from testbed.lb_controller.core import annotation_dates
from testbed.lb_controller.core.annotations import INGRESS_PREFIX
from testbed.lb_controller.core.build_inputs import KubernetesObject

PHRASE = "not modelled"
NOT_MODELLED: Mapping[str, str] = {
    f"{INGRESS_PREFIX}/create-acm-cert": "a certificate that the controller requests from ACM",
    f"{INGRESS_PREFIX}/acm-pca-arn": "a private authority for certificates that the controller requests",
    f"{INGRESS_PREFIX}/dry-run-plan": "the plan that the controller writes into an Ingress",
    f"{INGRESS_PREFIX}/shield-advanced-protection": "protection by AWS Shield Advanced",
    f"{INGRESS_PREFIX}/waf-acl-id": "a web ACL of WAF Classic",
    f"{INGRESS_PREFIX}/web-acl-id": "a web ACL of WAF Classic",
}
"""By annotation, what it asks for."""


def unmodelled(item: KubernetesObject, release: Release) -> tuple[str, ...]:
    """The annotations of an object that a release reads and that are not modelled."""
    read = annotation_dates.read_by(release, item)
    return tuple(key for key in object_fields.annotations_of(read) if key in NOT_MODELLED)
