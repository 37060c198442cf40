"""The NLB of a Service, and its security groups (pkg/service/model_build_load_balancer*.go, _managed_sg.go).

Before v2.2 an NLB faced the internet unless `aws-load-balancer-internal` said otherwise; before v2.6 it had
no security groups. Both hold for the profile v2.1.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping, Sequence

from testbed.lb_controller import gotext, names, objects, subnets
from testbed.lb_controller.annotations import Annotations, of_service
from testbed.lb_controller.inputs import (
    BuildError,
    ClusterState,
    ControllerOptions,
    ExistingLoadBalancer,
    KubernetesObject,
    Subnet,
    Version,
)
from testbed.lb_controller.load_balancer import INTERNAL, INTERNET_FACING, LONGEST_NAME, Frontend
from testbed.lb_controller.stack import (
    MANAGED_SECURITY_GROUP_ID,
    IpPermission,
    Kind,
    LoadBalancer,
    Ref,
    Reference,
    SecurityGroup,
    SubnetMapping,
)

SECURITY_GROUP_GATE = "NLBSecurityGroup"
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
    """The NLB of a Service.

    Raises:
        BuildError: a setting is invalid.
    """
    annotations = of_service(service)
    address_type = ip_address_type(annotations, options)
    existing = subnets.find_existing(cluster, stack_tags)
    tags = resource_tags(annotations, options)
    attached, managed, backend = _security_groups(service, address_type, cluster, options, existing, tags)
    is_newest = options.version is not Version.V2_1
    balancer = LoadBalancer(
        name=load_balancer_name(service, chosen_scheme, options),
        type="network",
        scheme=chosen_scheme,
        ip_address_type=address_type,
        subnet_mappings=_subnet_mappings(annotations, chosen_scheme, chosen_subnets, options),
        security_groups=attached,
        security_groups_inbound_rules_on_private_link=_on_private_link(annotations),
        enable_prefix_for_ipv6_source_nat=_source_nat_prefix(annotations) if is_newest else None,
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
    """`aws-load-balancer-scheme`, else the old `-internal`, else that of the standing NLB, else the default.

    Raises:
        BuildError: it is none.
    """
    annotations = of_service(service)
    internal = annotations.boolean("aws-load-balancer-internal")
    if options.version is Version.V2_1:
        return INTERNAL if internal else INTERNET_FACING
    found = annotations.text("aws-load-balancer-scheme")
    if found is not None:
        if found not in (INTERNAL, INTERNET_FACING):
            raise BuildError(f"unknown scheme: {found}")
        return found
    if internal is not None:
        return INTERNAL if internal else INTERNET_FACING
    existing = subnets.find_existing(cluster, stack_tags)
    return existing.scheme if existing else options.default_scheme


def ip_address_type(annotations: Annotations, options: ControllerOptions) -> str:
    """`aws-load-balancer-ip-address-type`.

    Raises:
        BuildError: it is none.
    """
    found = annotations.text("aws-load-balancer-ip-address-type")
    if found is None:
        return options.default_ip_address_type
    if found not in ("ipv4", "dualstack"):
        raise BuildError(f"unknown IPAddressType: {found}")
    return found


def load_balancer_name(service: KubernetesObject, chosen_scheme: str, options: ControllerOptions) -> str:
    """`aws-load-balancer-name` (from v2.2 on), else the hashed name.

    Raises:
        BuildError: it is too long.
    """
    found = of_service(service).text("aws-load-balancer-name")
    if found is not None and options.version is not Version.V2_1:
        if len(found) > LONGEST_NAME:
            raise BuildError(f"load balancer name cannot be longer than {LONGEST_NAME} characters")
        return found
    suffix = names.digest(options.cluster_name, objects.uid(service), chosen_scheme)
    return names.object_name(objects.namespace(service), objects.name(service), suffix)


def attributes(annotations: Annotations) -> dict[str, str]:
    """`aws-load-balancer-attributes`, and the older annotations for single ones, which win.

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


def resource_tags(annotations: Annotations, options: ControllerOptions) -> dict[str, str]:
    """`aws-load-balancer-additional-resource-tags` together with the tags of the flag, which win.

    Raises:
        BuildError: a tag belongs to somebody else.
    """
    found = annotations.mapping("aws-load-balancer-additional-resource-tags") or {}
    for key in found:
        if key in options.external_managed_tags:
            raise BuildError(f"external managed tag key {key} cannot be specified on Service")
    return {**found, **options.default_tags}


def source_ranges(service: KubernetesObject) -> tuple[str, ...]:
    """`spec.loadBalancerSourceRanges`, else the annotation `load-balancer-source-ranges`."""
    ranges = objects.spec(service).get("loadBalancerSourceRanges")
    return tuple(ranges or of_service(service).items("load-balancer-source-ranges") or ())


def _security_groups(
    service: KubernetesObject,
    address_type: str,
    cluster: ClusterState,
    options: ControllerOptions,
    existing: ExistingLoadBalancer | None,
    tags: Mapping[str, str],
) -> tuple[tuple[Reference, ...], SecurityGroup | None, Reference | None]:
    """What is attached, what is made for it, and whom the targets let in.

    An NLB that was made without security groups can never get any.
    """
    annotations = of_service(service)
    is_disabled = annotations.boolean("aws-load-balancer-disable-nlb-sg") or False
    if is_disabled or (existing is not None and not existing.security_groups):
        return (), None, None
    if not options.feature_gates.get(SECURITY_GROUP_GATE, options.version is not Version.V2_1):
        if existing is not None:
            raise BuildError("conflicting security groups configuration")
        return (), None, None
    named = annotations.items("aws-load-balancer-security-groups")
    backend = options.backend_security_group
    if not named:
        managed = _managed_security_group(service, address_type, options, tags)
        own = Ref(Kind.SECURITY_GROUP, MANAGED_SECURITY_GROUP_ID)
        if not options.enable_backend_security_group:
            return (own,), managed, own
        return (own, backend), managed, backend
    ids = tuple(subnets.security_group_ids(named, cluster))
    if not annotations.boolean("aws-load-balancer-manage-backend-security-group-rules"):
        return ids, None, None
    if not options.enable_backend_security_group:
        raise BuildError(
            "backendSG feature is required to manage worker node SG rules "
            "when frontendSG is manually specified"
        )
    return (*ids, backend), None, backend


def _managed_security_group(
    service: KubernetesObject, address_type: str, options: ControllerOptions, tags: Mapping[str, str]
) -> SecurityGroup:
    prefix_lists = of_service(service).items("aws-load-balancer-security-group-prefix-lists") or []
    cidrs = list(source_ranges(service))
    is_dualstack = address_type == "dualstack"
    for cidr in cidrs:
        if ":" in cidr and not is_dualstack:
            raise BuildError(f"unsupported v6 cidr {cidr} when lb is not dualstack")
    if not cidrs and not prefix_lists:
        cidrs = ["0.0.0.0/0", "::/0"] if is_dualstack else ["0.0.0.0/0"]
    permissions = []
    for port in objects.spec(service).get("ports") or ():
        protocol, number = str(port.get("protocol") or "TCP").lower(), port["port"]
        permissions += [
            IpPermission(
                ip_protocol=protocol,
                from_port=number,
                to_port=number,
                cidr=None if ":" in cidr else cidr,
                cidr_ipv6=cidr if ":" in cidr else None,
            )
            for cidr in cidrs
        ]
        permissions += [
            IpPermission(ip_protocol=protocol, from_port=number, to_port=number, prefix_list=item)
            for item in prefix_lists
        ]
    namespace, name = objects.namespace(service), objects.name(service)
    suffix = names.digest(options.cluster_name, name, namespace, objects.uid(service))
    return SecurityGroup(
        id=MANAGED_SECURITY_GROUP_ID,
        group_name=names.object_name(namespace, name, suffix),
        description="[k8s] Managed SecurityGroup for LoadBalancer",
        ingress=tuple(permissions),
        tags=tags,
    )


def _subnet_mappings(
    annotations: Annotations, chosen_scheme: str, chosen: Sequence[Subnet], options: ControllerOptions
) -> tuple[SubnetMapping, ...]:
    allocations = annotations.items("aws-load-balancer-eip-allocations")
    if allocations is not None:
        if chosen_scheme != INTERNET_FACING:
            raise BuildError("EIP allocations can only be set for internet facing load balancers")
        _check_count("EIP allocations", allocations, chosen)
    addresses = annotations.items("aws-load-balancer-private-ipv4-addresses")
    if options.version is Version.V2_1:
        addresses = None  # they came with v2.2
    if addresses is not None:
        if chosen_scheme != INTERNAL:
            raise BuildError("private IPv4 addresses can only be set for internal load balancers")
        _check_count("private IPv4 addresses", addresses, chosen)
    return tuple(
        SubnetMapping(
            subnet_id=subnet.id,
            allocation_id=allocations[index] if allocations else None,
            private_ipv4_address=_address_in(subnet, addresses) if addresses else None,
        )
        for index, subnet in enumerate(chosen)
    )


def _check_count(what: str, given: Sequence[str], chosen: Sequence[Subnet]) -> None:
    if len(given) != len(chosen):
        raise BuildError(f"count of {what} ({len(given)}) and subnets ({len(chosen)}) must match")


def _address_in(subnet: Subnet, addresses: Sequence[str]) -> str:
    try:
        network = ipaddress.IPv4Network(subnet.cidr)
        inside = [text for text in addresses if ipaddress.IPv4Address(text) in network]
    except ValueError as error:
        raise BuildError(f"private IPv4 addresses must be valid IPv4 address: {error}") from None
    if len(inside) != 1:
        raise BuildError(f"expect one private IPv4 address configured for subnet: {subnet.id}")
    return inside[0]


def _on_private_link(annotations: Annotations) -> str | None:
    suffix = "aws-load-balancer-inbound-sg-rules-on-private-link-traffic"
    found = annotations.text(suffix)
    if found not in (None, "on", "off"):
        raise BuildError(f"Invalid value for securityGroupsInboundRulesOnPrivateLink status: {found}")
    return found


def _source_nat_prefix(annotations: Annotations) -> str:
    found = annotations.text("aws-load-balancer-enable-prefix-for-ipv6-source-nat")
    if found not in (None, "on", "off"):
        allowed = gotext.bracketed(("on", "off"))
        raise BuildError(f"Invalid enable-prefix-for-ipv6-source-nat value: {found}, valid are {allowed}")
    return found or "off"
