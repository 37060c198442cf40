"""Settings of the NLB of a Service (pkg/service/model_build_load_balancer*.go)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from testbed.kubernetes import object_fields
from testbed.lb_controller.core import minimum_capacity as capacities
from testbed.lb_controller.core import resource_names, subnet_discovery
from testbed.lb_controller.core.annotations import Annotations, of_service
from testbed.lb_controller.core.build_inputs import (
    BuildError,
    ClusterState,
    ControllerOptions,
    KubernetesObject,
    Subnet,
)
from testbed.lb_controller.core.facts import Fact
from testbed.lb_controller.core.frontend import INTERNAL, INTERNET_FACING, LONGEST_NAME, Frontend
from testbed.lb_controller.core.stack import LoadBalancer
from testbed.lb_controller.service import nlb_addresses
from testbed.lb_controller.service.nlb_security_groups import security_groups_of

_ROUTING_POLICY = "dns_record.client_routing_policy"
_ROUTING_POLICIES = (
    "any_availability_zone",
    "partial_availability_zone_affinity",
    "availability_zone_affinity",
)


def build(
    service: KubernetesObject,
    cluster: ClusterState,
    options: ControllerOptions,
    chosen_scheme: str,
    chosen_subnets: Sequence[Subnet],
    stack_tags: Mapping[str, str],
) -> Frontend:
    """Build the NLB of a Service.

    Raises:
        BuildError: a setting is invalid.
    """
    annotations = of_service(service)
    address_type = ip_address_type(annotations, options)
    existing = subnet_discovery.find_existing(cluster, stack_tags)
    tags = resource_tags(annotations, options)
    attached, managed, backend = security_groups_of(service, address_type, cluster, options, existing, tags)
    has_prefix = options.release.has(Fact.SOURCE_NAT_PREFIX)
    balancer = LoadBalancer(
        name=load_balancer_name(service, chosen_scheme, options),
        type="network",
        scheme=chosen_scheme,
        ip_address_type=address_type,
        subnet_mappings=nlb_addresses.subnet_mappings(
            annotations, chosen_subnets, chosen_scheme, address_type
        ),
        security_groups=attached,
        minimum_capacity=minimum_capacity(annotations, options),
        security_groups_inbound_rules_on_private_link=_on_private_link(annotations),
        enable_prefix_for_ipv6_source_nat=nlb_addresses.source_nat(annotations, address_type)
        if has_prefix
        else None,
        attributes=attributes(annotations),
        tags=tags,
    )
    return Frontend(load_balancer=balancer, security_group=managed, backend_security_group=backend)


def scheme(
    service: KubernetesObject,
    cluster: ClusterState,
    options: ControllerOptions,
    stack_tags: Mapping[str, str],
) -> str:
    """The scheme: `aws-load-balancer-scheme`, the older `-internal`, the existing NLB's, or the default.

    Raises:
        BuildError: the scheme is unknown.
    """
    annotations = of_service(service)
    internal = annotations.boolean("aws-load-balancer-internal")
    if not options.release.has(Fact.NLB_INTERNAL_BY_DEFAULT):
        return INTERNAL if internal else INTERNET_FACING
    found = annotations.text("aws-load-balancer-scheme")
    if found is not None:
        if found not in (INTERNAL, INTERNET_FACING):
            raise BuildError(f"unknown scheme: {found}")
        return found
    if internal is not None:
        return INTERNAL if internal else INTERNET_FACING
    existing = subnet_discovery.find_existing(cluster, stack_tags)
    # The existing NLB's before the default, internal since v2.2: another scheme would replace the NLB.
    return existing.scheme if existing else options.default_scheme


def ip_address_type(annotations: Annotations, options: ControllerOptions) -> str:
    """The IP address type of `aws-load-balancer-ip-address-type`.

    Raises:
        BuildError: the type is unknown.
    """
    found = annotations.text("aws-load-balancer-ip-address-type")
    if found is None:
        return options.default_ip_address_type
    if found not in ("ipv4", "dualstack"):
        raise BuildError(f"unknown IPAddressType: {found}")
    return found


def load_balancer_name(service: KubernetesObject, chosen_scheme: str, options: ControllerOptions) -> str:
    """The name: `aws-load-balancer-name`, else a hashed name.

    Raises:
        BuildError: the name is too long.
    """
    found = of_service(service).text("aws-load-balancer-name")
    if found is not None:
        if len(found) > LONGEST_NAME:
            raise BuildError(f"load balancer name cannot be longer than {LONGEST_NAME} characters")
        return found
    suffix = resource_names.digest(options.cluster_name, object_fields.uid(service), chosen_scheme)
    return resource_names.object_name(object_fields.namespace(service), object_fields.name(service), suffix)


def attributes(annotations: Annotations) -> dict[str, str]:
    """The attributes of `aws-load-balancer-attributes` and of the older annotations, which win.

    Raises:
        BuildError: a value is invalid.
    """
    found = annotations.mapping("aws-load-balancer-attributes") or {}
    policy = found.get(_ROUTING_POLICY)
    if policy is not None and policy not in _ROUTING_POLICIES:
        expected = ", ".join(f"'{item}'" for item in _ROUTING_POLICIES)
        raise BuildError(
            f"invalid {_ROUTING_POLICY} set in annotation aws-load-balancer-attributes: "
            f"got '{policy}' expected one of [{expected}]"
        )
    for suffix, key in (
        ("aws-load-balancer-access-log-enabled", "access_logs.s3.enabled"),
        ("aws-load-balancer-cross-zone-load-balancing-enabled", "load_balancing.cross_zone.enabled"),
    ):
        flag = annotations.boolean(suffix)
        if flag is not None:
            found[key] = str(flag).lower()
    for suffix, key in (
        ("aws-load-balancer-access-log-s3-bucket-name", "access_logs.s3.bucket"),
        ("aws-load-balancer-access-log-s3-bucket-prefix", "access_logs.s3.prefix"),
    ):
        text = annotations.text(suffix)
        if text is not None:
            found[key] = text
    return found


def minimum_capacity(annotations: Annotations, options: ControllerOptions) -> dict[str, int]:
    """The annotation `aws-load-balancer-minimum-load-balancer-capacity`, unless its feature gate is off.

    Raises:
        BuildError: it is invalid.
    """
    if not capacities.is_reserved(options):
        return {}
    return capacities.units(annotations.mapping("aws-load-balancer-minimum-load-balancer-capacity") or {})


def resource_tags(annotations: Annotations, options: ControllerOptions) -> dict[str, str]:
    """The tags of `aws-load-balancer-additional-resource-tags` and of the flag, which win.

    Raises:
        BuildError: a tag is managed externally.
    """
    found = annotations.mapping("aws-load-balancer-additional-resource-tags") or {}
    for key in found:
        if key in options.external_managed_tags:
            raise BuildError(f"external managed tag key {key} cannot be specified on Service")
    return {**found, **options.default_tags}


def _on_private_link(annotations: Annotations) -> str | None:
    suffix = "aws-load-balancer-inbound-sg-rules-on-private-link-traffic"
    found = annotations.text(suffix)
    if found not in (None, "on", "off"):
        raise BuildError(f"Invalid value for securityGroupsInboundRulesOnPrivateLink status: {found}")
    return found
