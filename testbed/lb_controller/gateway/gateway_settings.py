"""The load balancer of a Gateway and its security group, by its LoadBalancerConfiguration.

The Gateway names one in `spec.infrastructure.parametersRef`, its class another in `spec.parametersRef`; what
both set is that of the class, unless the class says `mergingMode: prefer-gateway`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from testbed.kubernetes import object_fields
from testbed.lb_controller.core import resource_names, subnet_discovery, tags
from testbed.lb_controller.core.build_inputs import (
    BuildError,
    ClusterState,
    ControllerOptions,
    KubernetesObject,
)
from testbed.lb_controller.core.frontend import (
    DUALSTACK,
    DUALSTACK_WITHOUT_PUBLIC_IPV4,
    INTERNAL,
    INTERNET_FACING,
    IPV4,
    LONGEST_NAME,
    Frontend,
)
from testbed.lb_controller.core.inbound_permissions import inbound_permissions
from testbed.lb_controller.core.minimum_capacity import CAPACITY_UNITS, is_reserved
from testbed.lb_controller.core.stack import (
    MANAGED_SECURITY_GROUP_ID,
    Kind,
    LoadBalancer,
    Ref,
    Reference,
    SecurityGroup,
)
from testbed.lb_controller.gateway.gateway_objects import GatewayObjects
from testbed.lb_controller.gateway.route_attachment import listeners_of

APPLICATION, NETWORK = "application", "network"
_LISTS_BY = {
    "listenerConfigurations": "protocolPort",
    "loadBalancerAttributes": "key",
    "loadBalancerSubnets": "identifier",
}
_PREFER_GATEWAY = "prefer-gateway"
_UDP = ("UDP", "QUIC")


def configuration(gateway: KubernetesObject, objects: GatewayObjects) -> Mapping[str, Any]:
    """The merged spec of the LoadBalancerConfigurations of a Gateway and its class; {} without any."""
    spec = object_fields.spec(gateway)
    of_gateway = _named(
        (spec.get("infrastructure") or {}).get("parametersRef"), object_fields.namespace(gateway), objects
    )
    gateway_class = objects.classes.get(str(spec.get("gatewayClassName")))
    reference = object_fields.spec(gateway_class).get("parametersRef")
    of_class = _named(reference, str((reference or {}).get("namespace") or ""), objects)
    if of_class.get("mergingMode") == _PREFER_GATEWAY:
        return merged(of_class, of_gateway)
    return merged(of_gateway, of_class)


def merged(weak: Mapping[str, Any], strong: Mapping[str, Any]) -> dict[str, Any]:
    """Two configurations in one: maps and keyed lists by key, all else from the strong one."""
    found = {**weak, **strong}
    for name in weak.keys() & strong.keys():
        if isinstance(weak[name], dict) and isinstance(strong[name], dict):
            found[name] = {**weak[name], **strong[name]}
        elif name in _LISTS_BY:
            by = _LISTS_BY[name]
            found[name] = list(
                {**{one[by]: one for one in weak[name]}, **{one[by]: one for one in strong[name]}}.values()
            )
    return found


def frontend(
    gateway: KubernetesObject,
    settings: Mapping[str, Any],
    balancer_type: str,
    cluster: ClusterState,
    options: ControllerOptions,
) -> Frontend:
    """Build the load balancer with its security groups.

    Raises:
        BuildError: no subnet fits, a security group is unknown, or a setting is invalid.
    """
    scheme = settings.get("scheme") or options.default_scheme
    if scheme not in (INTERNAL, INTERNET_FACING):
        raise BuildError(f"unknown scheme: {scheme}")
    address_type = settings.get("ipAddressType") or options.default_ip_address_type
    groups, managed, backend = _security_groups(
        gateway, settings, balancer_type, address_type, cluster, options
    )
    capacity = (settings.get("minimumLoadBalancerCapacity") or {}).get("capacityUnits")
    is_network = balancer_type == NETWORK
    return Frontend(
        load_balancer=LoadBalancer(
            name=_name(gateway, settings, scheme, options),
            type=balancer_type,
            scheme=scheme,
            ip_address_type=address_type,
            subnet_mappings=subnet_discovery.mappings(
                _subnets(settings, scheme, address_type, cluster, options)
            ),
            security_groups=groups,
            customer_owned_ipv4_pool=settings.get("customerOwnedIpv4Pool"),
            ipv4_ipam_pool_id=settings.get("ipv4IPAMPoolId"),
            minimum_capacity={CAPACITY_UNITS: capacity}
            if capacity is not None and is_reserved(options)
            else {},
            security_groups_inbound_rules_on_private_link=settings.get(
                "enforceSecurityGroupInboundRulesOnPrivateLinkTraffic"
            ),
            enable_prefix_for_ipv6_source_nat=_source_nat(settings) if is_network else None,
            attributes={one["key"]: one["value"] for one in settings.get("loadBalancerAttributes") or ()},
            tags=shared_tags(settings, options),
        ),
        security_group=managed,
        backend_security_group=backend,
    )


def shared_tags(settings: Mapping[str, Any], options: ControllerOptions) -> dict[str, str]:
    """The tags of load balancer, security group and listeners."""
    own = settings.get("tags") or {}
    tags.check_external(own, options)
    return tags.with_defaults(own, options)


def _named(reference: Mapping[str, Any] | None, namespace: str, objects: GatewayObjects) -> Mapping[str, Any]:
    if not reference or reference.get("kind") != "LoadBalancerConfiguration":
        return {}
    key = (namespace, str(reference.get("name")))
    return object_fields.spec(objects.load_balancer_configurations.get(key))


def _name(
    gateway: KubernetesObject, settings: Mapping[str, Any], scheme: str, options: ControllerOptions
) -> str:
    chosen = settings.get("loadBalancerName")
    if chosen:
        if len(chosen) > LONGEST_NAME:
            raise BuildError(f"load balancer name cannot be longer than {LONGEST_NAME} characters")
        return str(chosen)
    # The UID, unlike a group of Ingresses: a Gateway that is made anew has another load balancer.
    suffix = resource_names.digest(options.cluster_name, object_fields.uid(gateway), scheme)
    return resource_names.object_name(object_fields.namespace(gateway), object_fields.name(gateway), suffix)


def _source_nat(settings: Mapping[str, Any]) -> str:
    subnets = settings.get("loadBalancerSubnets") or ()
    return "on" if any(one.get("sourceNatIPv6Prefix") for one in subnets) else "off"


def _subnets(
    settings: Mapping[str, Any],
    scheme: str,
    address_type: str,
    cluster: ClusterState,
    options: ControllerOptions,
) -> Sequence[Any]:
    named = [one["identifier"] for one in settings.get("loadBalancerSubnets") or ()]
    if named:
        return subnet_discovery.by_name_or_id(named, cluster)
    selector = settings.get("loadBalancerSubnetsSelector")
    if selector:
        return subnet_discovery.by_selector({"tags": selector}, cluster, options.cluster_name)
    return subnet_discovery.discovered(cluster, scheme, address_type, options.release)


def _security_groups(
    gateway: KubernetesObject,
    settings: Mapping[str, Any],
    balancer_type: str,
    address_type: str,
    cluster: ClusterState,
    options: ControllerOptions,
) -> tuple[tuple[Reference, ...], SecurityGroup | None, Reference | None]:
    # Recorded: `disableSecurityGroup` changes nothing at an ALB, which needs one.
    if settings.get("disableSecurityGroup") and balancer_type == NETWORK:
        return (), None, None
    backend = options.backend_security_group
    named = settings.get("securityGroups") or ()
    if not named:
        managed = _managed_security_group(gateway, settings, address_type, options)
        own = Ref(Kind.SECURITY_GROUP, MANAGED_SECURITY_GROUP_ID)
        if not options.enable_backend_security_group:
            return (own,), managed, own
        return (own, backend), managed, backend
    ids = tuple(subnet_discovery.security_group_ids(named, cluster))
    if not settings.get("manageBackendSecurityGroupRules"):
        return ids, None, None
    if not options.enable_backend_security_group:
        raise BuildError(
            "backendSG feature is required to manage worker node SG rules when frontendSG manually specified"
        )
    return (*ids, backend), None, backend


def _managed_security_group(
    gateway: KubernetesObject, settings: Mapping[str, Any], address_type: str, options: ControllerOptions
) -> SecurityGroup:
    prefix_lists = settings.get("securityGroupPrefixes") or ()
    ranges = list(settings.get("sourceRanges") or ())
    has_ipv6 = address_type in (DUALSTACK, DUALSTACK_WITHOUT_PUBLIC_IPV4)
    if not ranges and not prefix_lists:
        ranges = ["0.0.0.0/0", "::/0"] if address_type != IPV4 else ["0.0.0.0/0"]
    permissions = [
        permission
        for listener in listeners_of(gateway)
        for permission in inbound_permissions(
            "udp" if listener.get("protocol") in _UDP else "tcp",
            int(listener["port"]),
            [cidr for cidr in ranges if has_ipv6 or ":" not in cidr],
            prefix_lists,
            options.release,
            finds_path_mtu=bool(settings.get("enableICMP")),
        )
    ]
    namespace, name = object_fields.namespace(gateway), object_fields.name(gateway)
    suffix = resource_names.digest(options.cluster_name, namespace, name, object_fields.uid(gateway))
    return SecurityGroup(
        id=MANAGED_SECURITY_GROUP_ID,
        group_name=resource_names.object_name(namespace, name, suffix),
        description="[k8s] Managed SecurityGroup for LoadBalancer",
        ingress=tuple(dict.fromkeys(permissions)),  # several listeners may have one port
        tags=shared_tags(settings, options),
    )
