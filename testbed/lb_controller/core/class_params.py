"""The fields of IngressClassParams that a release of the controller reads.

A field that a release does not know is as if it were not there; where the release's own CRD is installed, the
API drops it.
"""

from __future__ import annotations

from collections.abc import Mapping

from testbed.dated_releases import Release
from testbed.kubernetes import object_fields
from testbed.lb_controller.core.build_inputs import KubernetesObject
from testbed.lb_controller.core.facts import Fact

FIELDS: Mapping[str, Fact] = {
    "group": Fact.CLASS_PARAMETERS,
    "ipAddressType": Fact.CLASS_PARAMETERS,
    "namespaceSelector": Fact.CLASS_PARAMETERS,
    "scheme": Fact.CLASS_PARAMETERS,
    "tags": Fact.CLASS_PARAMETERS,
    "loadBalancerAttributes": Fact.CLASS_ATTRIBUTES,
    "inboundCIDRs": Fact.CLASS_INBOUND_CIDRS,
    "sslPolicy": Fact.CLASS_SSL_POLICY,
    "subnets": Fact.CLASS_SUBNETS,
    "certificateArn": Fact.CLASS_CERTIFICATES,
    "prefixListsIDs": Fact.CLASS_PREFIX_LISTS,
    "PrefixListsIDs": Fact.CLASS_PREFIX_LISTS,  # the CRD has both spellings
    "targetType": Fact.CLASS_TARGET_TYPE,
    "loadBalancerName": Fact.CLASS_ALB_NAME,
    "listeners": Fact.CLASS_LISTENERS,
    "minimumLoadBalancerCapacity": Fact.CLASS_CAPACITY,
    "ipamConfiguration": Fact.CLASS_IPAM,
    "wafv2AclArn": Fact.CLASS_WEB_ACL,
    "wafv2AclName": Fact.CLASS_WEB_ACL_NAME,
    "sslRedirectPort": Fact.CLASS_SSL_REDIRECT,
}


def ignored(params: KubernetesObject, release: Release) -> tuple[str, ...]:
    """The fields that a later release reads and this one does not, in the order of the object."""
    return tuple(
        field for field in object_fields.spec(params) if field in FIELDS and not release.has(FIELDS[field])
    )


def ignored_of(
    ingress_class: KubernetesObject | None, known: Mapping[str, KubernetesObject], release: Release
) -> tuple[str, ...]:
    """The same for the parameters of a class, in words: `targetType of IngressClassParams ours, which …`."""
    name = str((object_fields.spec(ingress_class).get("parameters") or {}).get("name"))
    if name not in known:
        return ()
    return tuple(
        f"{field} of IngressClassParams {name}, which {FIELDS[field].dates.since} is the first to read"
        for field in ignored(known[name], release)
    )


def read_by(release: Release, params: KubernetesObject) -> KubernetesObject:
    """The parameters as a release reads them: without the fields that it does not know."""
    unread = ignored(params, release)
    if not unread:
        return params
    spec = {field: value for field, value in object_fields.spec(params).items() if field not in unread}
    return {**params, "spec": spec}
