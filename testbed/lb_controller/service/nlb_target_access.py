"""The addresses and security groups that may reach the targets of an NLB.

Source: pkg/service/model_build_target_group.go of the AWS Load Balancer Controller.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from testbed.lb_controller.core.annotations import of_service
from testbed.lb_controller.core.build_inputs import BuildError, ControllerOptions, KubernetesObject, Subnet
from testbed.lb_controller.core.stack import TRAFFIC_PORT, NetworkingRule, Reference, TargetGroup
from testbed.lb_controller.service.nlb_security_groups import source_ranges

_WITH_UDP = ("UDP", "TCP_UDP")
_ANYWHERE = ("0.0.0.0/0", "::/0")


@dataclass(frozen=True, slots=True, kw_only=True)
class Balancer:
    """The settings of an NLB that its target groups depend on."""

    options: ControllerOptions
    scheme: str
    subnets: Sequence[Subnet]
    is_dualstack: bool
    has_security_groups: bool
    backend_security_group: Reference | None
    vpc_cidrs: tuple[str, ...]
    vpc_ipv6_cidrs: tuple[str, ...]
    tags: Mapping[str, str] = field(default_factory=dict)


def networking_of(
    service: KubernetesObject,
    group: TargetGroup,
    target_port: int | str,
    balancer: Balancer,
    *,
    preserves: bool,
) -> tuple[NetworkingRule, ...]:
    """The rules for the targets of a group: by security group if the NLB has some, else by address.

    Args:
        target_port: the port of the targets, a number or the name of a container port.
        preserves: True if targets see the client's address.

    Raises:
        BuildError: the ranges of the VPC are needed and unknown.
    """
    if balancer.has_security_groups:
        return _from_security_group(group, target_port, balancer)
    manages = of_service(service).boolean("aws-load-balancer-manage-backend-security-group-rules")
    if manages is False:
        return ()
    return _from_addresses(service, group, target_port, balancer, preserves=preserves)


def _from_security_group(
    group: TargetGroup, target_port: int | str, balancer: Balancer
) -> tuple[NetworkingRule, ...]:
    source = balancer.backend_security_group
    if source is None:
        return ()
    ports: list[tuple[str, int | str | None]] = []
    check = group.health_check.port
    with_udp = group.protocol in _WITH_UDP
    if balancer.options.disable_restricted_security_group_rules:
        ports = [("TCP", None), ("UDP", None)] if with_udp else [("TCP", None)]
    else:
        if with_udp:
            ports.append(("UDP", target_port))
        # Health checks of UDP targets need TCP: an NLB checks by TCP or HTTP only.
        if not with_udp or group.protocol == "TCP_UDP" or check in (TRAFFIC_PORT, target_port):
            ports.append(("TCP", target_port))
        if check not in (TRAFFIC_PORT, target_port):
            ports.append(("TCP", check))
    return (NetworkingRule(ports=tuple(ports), security_groups=(source,)),)


def _from_addresses(
    service: KubernetesObject,
    group: TargetGroup,
    target_port: int | str,
    balancer: Balancer,
    *,
    preserves: bool,
) -> tuple[NetworkingRule, ...]:
    """The rules without security groups: client addresses if targets see them, else the NLB's subnets."""
    is_ipv6 = group.ip_address_type == "ipv6"
    of_subnets = tuple(
        cidr for subnet in balancer.subnets for cidr in (subnet.ipv6_cidrs if is_ipv6 else (subnet.cidr,))
    )
    traffic, is_default = of_subnets, False
    # With UDP, targets see the client's address whatever the attribute says.
    if group.protocol in _WITH_UDP or preserves:
        traffic = source_ranges(service)
        if not traffic:
            traffic, is_default = _default_sources(balancer, is_ipv6=is_ipv6), True
    protocols = ("TCP", "UDP") if group.protocol == "TCP_UDP" else ("UDP",)
    if group.protocol not in _WITH_UDP:
        protocols = ("TCP",)
    rules = [NetworkingRule(ports=tuple((item, target_port) for item in protocols), cidrs=traffic)]
    check = group.health_check.port
    checks_traffic_port = group.protocol != "UDP" and check in (TRAFFIC_PORT, target_port)
    is_covered = checks_traffic_port and (
        not preserves or is_default or any(cidr in _ANYWHERE for cidr in traffic)
    )
    if of_subnets and not is_covered:
        port = target_port if check == TRAFFIC_PORT else check
        rules.append(NetworkingRule(ports=(("TCP", port),), cidrs=of_subnets))
    return tuple(rules)


def _default_sources(balancer: Balancer, *, is_ipv6: bool) -> tuple[str, ...]:
    if balancer.scheme != "internal":
        return ("::/0",) if is_ipv6 else ("0.0.0.0/0",)
    cidrs = balancer.vpc_ipv6_cidrs if is_ipv6 else balancer.vpc_cidrs
    if not cidrs:
        raise BuildError(f"unable to resolve the CIDRs of VPC {balancer.options.vpc_id}")
    return cidrs
