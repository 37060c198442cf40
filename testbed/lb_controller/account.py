"""What the controller reads of the AWS account before it builds a model."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from testbed.lb_controller import objects
from testbed.lb_controller.deploy_session import Reader
from testbed.lb_controller.inputs import (
    Certificate,
    ClusterState,
    ExistingLoadBalancer,
    KubernetesObject,
    Subnet,
)

if TYPE_CHECKING:
    from mypy_boto3_acm import ACMClient
    from mypy_boto3_elbv2 import ElasticLoadBalancingv2Client

CLUSTER_TAG = "elbv2.k8s.aws/cluster"


class Account:
    """The account's subnets, certificates and load balancers, through the AWS APIs.

    Attributes:
        cluster_name: whose load balancers are looked for.
        subnets: one a zone, as discovery by tags would find them.
    """

    def __init__(
        self,
        elbv2: ElasticLoadBalancingv2Client,
        acm: ACMClient | None,
        cluster_name: str,
        subnets: tuple[Subnet, ...],
    ) -> None:
        self.cluster_name = cluster_name
        self.subnets = subnets
        self._elbv2 = Reader(elbv2)
        self._acm = acm
        self._certificates: dict[str, Certificate] = {}

    def state(
        self, services: Iterable[KubernetesObject], secrets: Iterable[KubernetesObject] = ()
    ) -> ClusterState:
        """Everything that the model of an Ingress group or of a controller-owned Service may ask for.

        Raises:
            ClientError: AWS refused a call.
        """
        groups = self._elbv2.pages("describe_target_groups", "TargetGroups")
        return ClusterState(
            services=_by_key(services),
            secrets=_by_key(secrets),
            certificates=self._issued_certificates(),
            subnets=self.subnets,
            existing=self._existing(),
            target_groups={one["TargetGroupName"]: one["TargetGroupArn"] for one in groups},
        )

    def _issued_certificates(self) -> tuple[Certificate, ...]:
        """An issued certificate never changes its names, so each is described once."""
        if self._acm is None:
            return ()
        pages = self._acm.get_paginator("list_certificates").paginate(CertificateStatuses=["ISSUED"])
        arns = [one["CertificateArn"] for page in pages for one in page["CertificateSummaryList"]]
        for arn in arns:
            if arn not in self._certificates:
                told: Any = self._acm.describe_certificate(CertificateArn=arn)["Certificate"]
                names = dict.fromkeys((told["DomainName"], *told.get("SubjectAlternativeNames", ())))
                self._certificates[arn] = Certificate(arn=arn, names=tuple(names))
        return tuple(self._certificates[arn] for arn in arns)

    def _existing(self) -> tuple[ExistingLoadBalancer, ...]:
        cluster = {CLUSTER_TAG: self.cluster_name}
        found = self._elbv2.owned("describe_load_balancers", "LoadBalancers", "LoadBalancerArn", cluster)
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
    return {(objects.namespace(item), objects.name(item)): item for item in items}
