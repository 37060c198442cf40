"""The state of the AWS account that the controller reads before it builds a model."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from testbed.kubernetes import object_fields
from testbed.lb_controller.core.build_inputs import (
    Certificate,
    ClusterState,
    ControllerOptions,
    ExistingLoadBalancer,
    KubernetesObject,
    Subnet,
)
from testbed.lb_controller.deploy.backend_security_group import BackendSecurityGroup
from testbed.lb_controller.deploy.deploy_session import Reader
from testbed.lb_controller.deploy.target_access import TargetAccess

if TYPE_CHECKING:
    from mypy_boto3_acm import ACMClient
    from mypy_boto3_ec2 import EC2Client
    from mypy_boto3_elbv2 import ElasticLoadBalancingv2Client

CLUSTER_TAG = "elbv2.k8s.aws/cluster"


class SecurityGroups:
    """What a cluster has in EC2, beside what its load balancers have: one for all controllers of the cluster.

    Attributes:
        ec2: the client.
        shared: the group that all load balancers share.
        targets: the rules by which targets admit them.
    """

    def __init__(self, ec2: EC2Client, options: ControllerOptions) -> None:
        self.ec2 = ec2
        self.shared = BackendSecurityGroup(ec2, options.cluster_name, options.vpc_id)
        is_restricted = not options.disable_restricted_security_group_rules
        self.targets = TargetAccess(ec2, options.cluster_name, options.vpc_id, is_restricted)


class Account:
    """The account's subnets, certificates and load balancers, through the AWS APIs.

    Attributes:
        elbv2: the client of the load balancers.
        cluster_name: the cluster whose load balancers are read.
        subnets: one per zone, as discovery by tags would find them.
        vpc_cidrs: the IPv4 ranges of their VPC.
        security_groups: None where no security groups are made.
    """

    def __init__(
        self,
        elbv2: ElasticLoadBalancingv2Client,
        acm: ACMClient | None,
        cluster_name: str,
        subnets: tuple[Subnet, ...],
        security_groups: SecurityGroups | None = None,
        vpc_cidrs: tuple[str, ...] = (),
    ) -> None:
        self.cluster_name = cluster_name
        self.subnets = subnets
        self.vpc_cidrs = vpc_cidrs
        self.elbv2 = elbv2
        self.security_groups = security_groups
        self._reader = Reader(elbv2)
        self._acm = acm
        self._certificates: dict[str, Certificate] = {}

    def state(
        self, services: Iterable[KubernetesObject], secrets: Iterable[KubernetesObject] = ()
    ) -> ClusterState:
        """The state that the model of an Ingress group or of a controller-owned Service needs.

        Raises:
            ClientError: AWS refused a call.
        """
        groups = self._reader.pages("describe_target_groups", "TargetGroups")
        return ClusterState(
            services=_by_key(services),
            secrets=_by_key(secrets),
            certificates=self._issued_certificates(),
            subnets=self.subnets,
            vpc_cidrs=self.vpc_cidrs,
            existing=self._existing(),
            target_groups={one["TargetGroupName"]: one["TargetGroupArn"] for one in groups},
        )

    def _issued_certificates(self) -> tuple[Certificate, ...]:
        """The issued certificates; each is described only once, as its names never change."""
        if self._acm is None:
            return ()
        pages = self._acm.get_paginator("list_certificates").paginate(CertificateStatuses=["ISSUED"])
        arns = [one["CertificateArn"] for page in pages for one in page["CertificateSummaryList"]]
        for arn in arns:
            if arn not in self._certificates:
                described: Any = self._acm.describe_certificate(CertificateArn=arn)["Certificate"]
                names = dict.fromkeys(
                    (described["DomainName"], *described.get("SubjectAlternativeNames", ()))
                )
                self._certificates[arn] = Certificate(arn=arn, names=tuple(names))
        return tuple(self._certificates[arn] for arn in arns)

    def _existing(self) -> tuple[ExistingLoadBalancer, ...]:
        cluster = {CLUSTER_TAG: self.cluster_name}
        found = self._reader.owned("describe_load_balancers", "LoadBalancers", "LoadBalancerArn", cluster)
        return tuple(
            ExistingLoadBalancer(
                arn=one.shape["LoadBalancerArn"],
                scheme=one.shape["Scheme"],
                type=one.shape["Type"],
                subnet_ids=tuple(zone["SubnetId"] for zone in one.shape.get("AvailabilityZones", ())),
                security_groups=tuple(one.shape.get("SecurityGroups") or ()),
                tags=one.tags,
            )
            for one in found
        )


def _by_key(items: Iterable[KubernetesObject]) -> dict[tuple[str, str], KubernetesObject]:
    return {(object_fields.namespace(item), object_fields.name(item)): item for item in items}
