"""The inputs of the model as values: the Ingress group, the cluster, the AWS account and the flags."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from testbed.dated_releases import LB_CONTROLLER_RELEASES, Release
from testbed.settings import REGION

KubernetesObject = Mapping[str, Any]
"""A Kubernetes object as JSON of its API."""


SHARED_GROUP = "sg-backend"
"""Stands in a stack for the security group that the controller makes once for the whole cluster."""


class BuildError(Exception):
    """The objects cannot become a stack; the text is the controller's own.

    The controller records a Warning event `FailedBuildModel` on every member and leaves AWS as it is.
    """


@dataclass(frozen=True, slots=True, kw_only=True)
class Certificate:
    """A certificate as ACM describes it; `names` are its domain name and alternative names."""

    arn: str
    names: tuple[str, ...]
    status: str = "ISSUED"


@dataclass(frozen=True, slots=True, kw_only=True)
class Subnet:
    """A subnet that the controller may choose or that a manifest names."""

    id: str
    availability_zone: str = ""
    cidr: str = ""
    ipv6_cidrs: tuple[str, ...] = ()
    name: str = ""
    tags: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class ExistingLoadBalancer:
    """A load balancer that exists in AWS, with the tags by which the controller finds it."""

    arn: str
    scheme: str
    type: str = "application"
    subnet_ids: tuple[str, ...] = ()
    security_groups: tuple[str, ...] = ()
    tags: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class ClusterState:
    """A snapshot of what the controller reads while it builds.

    Attributes:
        services: Services by (namespace, name).
        secrets: Secrets by (namespace, name), for authenticate-oidc.
        certificates: all certificates of ACM in the region.
        subnets: the subnets that discovery by tags would find; one per zone.
        named_subnets: further subnets that annotations may name.
        security_groups: names of security groups to their ids, for annotations that give names.
        vpc_cidrs: IPv4 ranges of the VPC.
        vpc_ipv6_cidrs: IPv6 ranges of the VPC.
        existing: load balancers that carry the cluster's tag.
        target_groups: ARNs of target groups by name, for actions that name one.
    """

    services: Mapping[tuple[str, str], KubernetesObject] = field(default_factory=dict)
    secrets: Mapping[tuple[str, str], KubernetesObject] = field(default_factory=dict)
    certificates: tuple[Certificate, ...] = ()
    subnets: tuple[Subnet, ...] = ()
    named_subnets: tuple[Subnet, ...] = ()
    security_groups: Mapping[str, str] = field(default_factory=dict)
    vpc_cidrs: tuple[str, ...] = ()
    vpc_ipv6_cidrs: tuple[str, ...] = ()
    existing: tuple[ExistingLoadBalancer, ...] = ()
    target_groups: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class ControllerOptions:
    """The controller's flags, with the defaults of its command line or else of its Helm chart.

    `ingress_class` "" takes Ingresses of class `alb` and those without any class. `service_webhook` is the
    chart's `enableServiceMutatorWebhook`, for the releases that have it. The defaults of feature gates are in
    `feature_gates`.
    """

    release: Release = LB_CONTROLLER_RELEASES.newest
    cluster_name: str = "testbed"
    vpc_id: str = "vpc-testbed"
    region: str = REGION
    ingress_class: str = "alb"
    default_scheme: str = "internal"
    default_target_type: str = "instance"
    default_ssl_policy: str = "ELBSecurityPolicy-2016-08"
    default_ip_address_type: str = "ipv4"
    enable_ip_target_type: bool = True
    enable_backend_security_group: bool = True
    backend_security_group: str = SHARED_GROUP
    enable_manage_backend_security_group_rules: bool = False
    disable_restricted_security_group_rules: bool = False
    tolerate_missing_service: bool = True
    tolerate_missing_action: bool = True
    default_tags: Mapping[str, str] = field(default_factory=dict)
    external_managed_tags: frozenset[str] = frozenset()
    disable_ingress_class_annotation: bool = False
    disable_ingress_group_annotation: bool = False
    enable_tcp_udp_listener: bool = False
    load_balancer_class: str = "service.k8s.aws/nlb"
    service_webhook: bool = True
    feature_gates: Mapping[str, bool] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class GroupID:
    """Identity of a group; `namespace` is "" for an explicit group, which spans namespaces."""

    namespace: str
    name: str

    @property
    def is_explicit(self) -> bool:
        """True if the group has a name of its own (annotation `group.name` or class parameters)."""
        return self.namespace == ""

    def __str__(self) -> str:
        return self.name if self.is_explicit else f"{self.namespace}/{self.name}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """An Ingress of a group with its IngressClass and IngressClassParams, if it has them."""

    ingress: KubernetesObject
    ingress_class: KubernetesObject | None = None
    class_params: KubernetesObject | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """The members in the order of their rules, and those that left or are being deleted."""

    id: GroupID
    members: tuple[Member, ...] = ()
    inactive: tuple[KubernetesObject, ...] = ()
