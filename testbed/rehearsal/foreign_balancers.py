"""Load balancers of controllers that the testbed does not emulate, made in the account to stand in for them.

An Ingress of nginx, say, has the DNS name of its balancer in `status.loadBalancer` of its manifest. A
balancer of that name forwards to the target pods; DNS, health checks and Envoy treat it like any other.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from testbed.aws.balancer_names import DNS_NAME_TAG, balancer_type
from testbed.balancer_identity import OWNER_TAG
from testbed.errors import BadInput
from testbed.kubernetes import object_fields
from testbed.kubernetes.manifests import Manifest
from testbed.network import BalancerType

if TYPE_CHECKING:
    from testbed.aws.boto3_clients import Clients

_LONGEST_NAME = 32


@dataclass(frozen=True, slots=True)
class ForeignBalancer:
    """A balancer of another controller.

    Attributes:
        owner: the object that has it, `ingress/shop/web`.
        dns_name: as in the object's status.
        type: by its DNS name.
    """

    owner: str
    dns_name: str
    type: BalancerType

    @property
    def name(self) -> str:
        """Its name in AWS, which its DNS name begins with."""
        label = self.dns_name.partition(".")[0].removeprefix("internal-")
        return label.rpartition("-")[0][:_LONGEST_NAME].strip("-")

    @property
    def scheme(self) -> str:
        """The scheme by its DNS name; that of an NLB does not show it."""
        return "internal" if self.dns_name.startswith("internal-") else "internet-facing"


def in_status(manifest: Manifest) -> ForeignBalancer | None:
    """Return the balancer in the status of a manifest; None if it has none, or one that is not of ELBv2."""
    for entry in object_fields.balancer_entries(manifest.object):
        dns_name = str(entry.get("hostname") or "").lower()
        if kind := balancer_type(dns_name):
            return ForeignBalancer("/".join(manifest.key).lower(), dns_name, kind)
    return None


def at_address(key: tuple[str, str, str], address: str) -> ForeignBalancer:
    """Return the balancer of an object by its DNS name.

    Args:
        key: kind, namespace and name of the object.

    Raises:
        BadInput: AWS gives no balancer such a name.
    """
    kind = balancer_type(address)
    if kind is None:
        raise BadInput(
            f"{address!r} is no DNS name of a load balancer",
            do="write one like web-0123456789abcdef.elb.eu-west-1.amazonaws.com",
        )
    return ForeignBalancer("/".join(key).lower(), address.lower(), kind)


def pod_addresses(
    pods: Iterable[Mapping[str, Any]], namespace: str, labels: Mapping[str, str]
) -> Sequence[str]:
    """Return the addresses of the pods of a namespace that have these labels."""
    return [
        pod["status"]["podIP"]
        for pod in pods
        if object_fields.namespace(pod) == namespace
        and labels.items() <= object_fields.labels_of(pod).items()
    ]


def make(
    foreign: ForeignBalancer,
    clients: Clients,
    addresses: Sequence[str],
    *,
    port: int,
    target_port: int,
    certificate: str | None,
) -> None:
    """Make the balancer, with one listener that forwards to the same port of some pods.

    Args:
        foreign: the balancer.
        clients: clients of the AWS APIs.
        addresses: the addresses of the pods.
        port: the port that it listens on.
        target_port: the port of the pods: TLS behind an NLB, plain HTTP/1.1 behind an ALB.
        certificate: ARN of the certificate of an ALB.

    Raises:
        BadInput: an ALB has no certificate.
    """
    elbv2 = clients.elbv2
    is_nlb = foreign.type == "nlb"
    if not is_nlb and certificate is None:
        raise BadInput(f"the ALB of {foreign.owner} needs a certificate", do="pass certificate=ARN")
    subnets = {one["AvailabilityZone"]: one for one in clients.ec2.describe_subnets()["Subnets"]}
    (balancer,) = elbv2.create_load_balancer(
        Name=foreign.name,
        Type="network" if is_nlb else "application",
        Scheme="internal" if foreign.scheme == "internal" else "internet-facing",
        Subnets=[one["SubnetId"] for one in list(subnets.values())[:2]],
        Tags=[
            {"Key": OWNER_TAG, "Value": foreign.owner},
            {"Key": DNS_NAME_TAG, "Value": foreign.dns_name},
        ],
    )["LoadBalancers"]
    (group,) = elbv2.create_target_group(
        Name=f"foreign-{foreign.name}"[:_LONGEST_NAME].strip("-"),
        Protocol="TCP" if is_nlb else "HTTP",
        Port=target_port,
        VpcId=balancer["VpcId"],
        TargetType="ip",
        HealthCheckPath="/" if is_nlb else "/healthz",
        **({"HealthCheckProtocol": "TCP"} if is_nlb else {"ProtocolVersion": "HTTP1"}),  # type: ignore[arg-type]
    )["TargetGroups"]
    arn = group["TargetGroupArn"]
    elbv2.register_targets(
        TargetGroupArn=arn, Targets=[{"Id": address, "Port": target_port} for address in addresses]
    )
    elbv2.create_listener(
        LoadBalancerArn=balancer["LoadBalancerArn"],
        Protocol="TCP" if is_nlb else "HTTPS",
        Port=port,
        Certificates=[{"CertificateArn": certificate}] if certificate and not is_nlb else [],
        DefaultActions=[{"Type": "forward", "TargetGroupArn": arn}],
    )
