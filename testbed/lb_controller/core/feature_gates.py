"""The feature gates of the controller: the first release of each, and its default from release to release.

Source: the code of each tag, pkg/config/feature_gates.go.
"""

from __future__ import annotations

import enum
from collections.abc import Mapping

from testbed.dated_releases import Release
from testbed.lb_controller.core.build_inputs import ControllerOptions


class Gate(enum.Enum):
    """A gate by its name in `--feature-gates`."""

    LISTENER_RULES_TAGGING = "ListenerRulesTagging"
    WEIGHTED_TARGET_GROUPS = "WeightedTargetGroups"
    SERVICE_TYPE_LOAD_BALANCER_ONLY = "ServiceTypeLoadBalancerOnly"
    ENDPOINTS_FAIL_OPEN = "EndpointsFailOpen"
    ENABLE_SERVICE_CONTROLLER = "EnableServiceController"
    ENABLE_IP_TARGET_TYPE = "EnableIPTargetType"
    SUBNETS_CLUSTER_TAG_CHECK = "SubnetsClusterTagCheck"
    NLB_HEALTH_CHECK_ADVANCED_CONFIG = "NLBHealthCheckAdvancedConfig"
    ENABLE_RGT_API = "EnableRGTAPI"
    NLB_SECURITY_GROUP = "NLBSecurityGroup"
    ALB_SINGLE_SUBNET = "ALBSingleSubnet"
    LB_CAPACITY_RESERVATION = "LBCapacityReservation"
    SUBNET_DISCOVERY_BY_REACHABILITY = "SubnetDiscoveryByReachability"
    NLB_GATEWAY_API = "NLBGatewayAPI"
    ALB_GATEWAY_API = "ALBGatewayAPI"
    ENABLE_TCP_UDP_LISTENER = "EnableTCPUDPListener"
    ENHANCED_DEFAULT_BEHAVIOR = "EnhancedDefaultBehavior"
    ENABLE_DEFAULT_TAGS_LOW_PRIORITY = "EnableDefaultTagsLowPriority"
    ALB_TARGET_CONTROL_AGENT = "ALBTargetControlAgent"
    GLOBAL_ACCELERATOR_CONTROLLER = "GlobalAcceleratorController"
    GATEWAY_LISTENER_SET = "GatewayListenerSet"
    ENABLE_CERTIFICATE_MANAGEMENT = "EnableCertificateManagement"
    INGRESS_PLAN_ANNOTATION = "IngressPlanAnnotation"


DEFAULTS: Mapping[Gate, Mapping[str, bool]] = {
    Gate.LISTENER_RULES_TAGGING: {"v2.3.1": True},
    Gate.WEIGHTED_TARGET_GROUPS: {"v2.3.1": True},
    Gate.SERVICE_TYPE_LOAD_BALANCER_ONLY: {"v2.4.0": False},
    Gate.ENDPOINTS_FAIL_OPEN: {"v2.4.1": False, "v2.5.0": True},
    Gate.ENABLE_SERVICE_CONTROLLER: {"v2.4.3": True},
    Gate.ENABLE_IP_TARGET_TYPE: {"v2.4.3": True},
    Gate.SUBNETS_CLUSTER_TAG_CHECK: {"v2.4.3": True},
    Gate.NLB_HEALTH_CHECK_ADVANCED_CONFIG: {"v2.4.6": True},
    Gate.ENABLE_RGT_API: {"v2.5.2": False},
    Gate.NLB_SECURITY_GROUP: {"v2.6.0": True},
    Gate.ALB_SINGLE_SUBNET: {"v2.7.0": False},
    Gate.LB_CAPACITY_RESERVATION: {"v2.11.0": True},
    Gate.SUBNET_DISCOVERY_BY_REACHABILITY: {"v2.13.0": True},
    Gate.NLB_GATEWAY_API: {"v2.13.0": False, "v3.2.0": True},
    Gate.ALB_GATEWAY_API: {"v2.13.0": False, "v3.2.0": True},
    Gate.ENABLE_TCP_UDP_LISTENER: {"v2.13.0": False},
    Gate.ENHANCED_DEFAULT_BEHAVIOR: {"v2.14.0": False},
    Gate.ENABLE_DEFAULT_TAGS_LOW_PRIORITY: {"v2.14.1": False},
    Gate.ALB_TARGET_CONTROL_AGENT: {"v2.16.0": False},
    Gate.GLOBAL_ACCELERATOR_CONTROLLER: {"v2.17.0": False},
    Gate.GATEWAY_LISTENER_SET: {"v3.2.0": True},
    Gate.ENABLE_CERTIFICATE_MANAGEMENT: {"v3.3.0": False},
    Gate.INGRESS_PLAN_ANNOTATION: {"v3.4.0": False},
}
"""The defaults of each gate by the release that brought them; the first brought the gate."""


def default(gate: Gate, release: Release) -> bool | None:
    """The default of a gate; None if the release does not know it."""
    found = [value for tag, value in DEFAULTS[gate].items() if release.is_since(tag)]
    return found[-1] if found else None


def is_on(gate: Gate, options: ControllerOptions, *, before: bool = False) -> bool:
    """True if a gate is on by the flag or by default.

    Args:
        before: what releases do that do not know the gate.
    """
    by_default = default(gate, options.release)
    if by_default is None:
        return before
    return options.feature_gates.get(gate.value, by_default)


def takes_ip_targets(options: ControllerOptions) -> bool:
    """True if pods may be targets."""
    return options.enable_ip_target_type and is_on(Gate.ENABLE_IP_TARGET_TYPE, options, before=True)
