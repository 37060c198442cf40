"""The clusters in EC2, as their controllers look for them: tagged subnets, each node an instance.

An instance has a network interface with the addresses of its pods, and the security group of its cluster's
nodes. The subnets are those of the default VPC in the zones of the nodes: public and internal load balancers
are made in the same ones.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from testbed.aws.balancer_names import INSTANCE_ID_TAG
from testbed.network import Network
from testbed.runtime.components import cluster_objects

if TYPE_CHECKING:
    from mypy_boto3_ec2 import EC2Client
    from mypy_boto3_ec2.type_defs import SubnetTypeDef

ROLES = ("kubernetes.io/role/elb", "kubernetes.io/role/internal-elb")
"""Tags by which controllers find subnets for public and for internal balancers [LB Controller docs]."""
CLUSTER_TAG = "kubernetes.io/cluster/{}"
"""Tag of what belongs to a cluster; of a node's security groups it marks the one that opens ports."""
_NODE_IMAGE, _NODE_TYPE = "ami-00000000", "m5.large"


def prepare(
    ec2: EC2Client, network: Network, clusters: Sequence[str], *, kinds: int = 1
) -> list[SubnetTypeDef]:
    """Prepare the account for clusters, and return the subnets of their nodes as they are described then.

    Args:
        ec2: a client of the backend: what AWS's own parts see.
        network: gives the addresses of nodes and pods.
        clusters: names of the clusters, in the order of the topology.
        kinds: kinds of pods on each node.
    """
    subnets = [
        subnet
        for subnet in ec2.describe_subnets()["Subnets"]
        # The default VPC has a subnet in every zone of the region, and the nodes are in two.
        if subnet["AvailabilityZone"] in cluster_objects.ZONES
    ]
    vpc = subnets[0]["VpcId"]
    # Pods have addresses of the run's loopback network. In the VPC, a controller takes them for its own.
    ec2.associate_vpc_cidr_block(VpcId=vpc, CidrBlock=str(network))
    _associate_ipv6(ec2, vpc, subnets)
    ec2.create_tags(
        Resources=[subnet["SubnetId"] for subnet in subnets],
        Tags=[{"Key": role, "Value": "1"} for role in ROLES],
    )
    for number, name in enumerate(clusters):
        group = ec2.create_security_group(
            GroupName=f"{name}-nodes",
            Description="the nodes of the cluster",
            VpcId=vpc,
            TagSpecifications=_tagged("security-group", {CLUSTER_TAG.format(name): "owned"}),
        )["GroupId"]
        for index in cluster_objects.indexes(number):
            pods = [network.envoy_pod(cluster_objects.pod_index(index, kind)) for kind in range(kinds)]
            _run_node(ec2, [network.node(index), *pods], index, name, group, subnets)
    return ec2.describe_subnets(SubnetIds=[subnet["SubnetId"] for subnet in subnets])["Subnets"]


def _associate_ipv6(ec2: EC2Client, vpc: str, subnets: Iterable[SubnetTypeDef]) -> None:
    """Give each subnet an IPv6 range: a dual-stack balancer is made only in such subnets."""
    made = ec2.associate_vpc_cidr_block(VpcId=vpc, AmazonProvidedIpv6CidrBlock=True)
    whole = ipaddress.IPv6Network(made["Ipv6CidrBlockAssociation"]["Ipv6CidrBlock"])
    for subnet, part in zip(subnets, whole.subnets(new_prefix=64), strict=False):
        ec2.associate_subnet_cidr_block(SubnetId=subnet["SubnetId"], Ipv6CidrBlock=str(part))


def _run_node(
    ec2: EC2Client,
    addresses: Sequence[str],
    index: int,
    cluster: str,
    group: str,
    subnets: Sequence[SubnetTypeDef],
) -> None:
    zone = cluster_objects.ZONES[index % len(cluster_objects.ZONES)]
    home = next(subnet for subnet in subnets if subnet["AvailabilityZone"] == zone)
    tags = {
        INSTANCE_ID_TAG: cluster_objects.instance_id(index),
        CLUSTER_TAG.format(cluster): "owned",
        "Name": f"node-{index}",
    }
    (instance,) = ec2.run_instances(
        ImageId=_NODE_IMAGE,
        InstanceType=_NODE_TYPE,  # type: ignore[arg-type]
        MinCount=1,
        MaxCount=1,
        SubnetId=home["SubnetId"],
        SecurityGroupIds=[group],
        TagSpecifications=_tagged("instance", tags),
    )["Instances"]
    ec2.assign_private_ip_addresses(
        NetworkInterfaceId=instance["NetworkInterfaces"][0]["NetworkInterfaceId"],
        PrivateIpAddresses=addresses,
    )


def _tagged(kind: Any, tags: dict[str, str]) -> Any:
    return [{"ResourceType": kind, "Tags": [{"Key": key, "Value": value} for key, value in tags.items()]}]
