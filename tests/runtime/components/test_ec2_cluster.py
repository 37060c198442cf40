"""The clusters in EC2, by moto: what a controller asks for is there."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from moto import mock_aws

from testbed.network import Network
from testbed.runtime.components import cluster_objects
from testbed.runtime.components.ec2_cluster import CLUSTER_TAG, ROLES, prepare
from testbed.settings import REGION

NETWORK = Network(83)


@pytest.fixture
def ec2() -> Iterator[Any]:
    with mock_aws():
        yield boto3.client("ec2", region_name=REGION)


def instances(ec2: Any) -> list[Any]:
    reservations = ec2.describe_instances()["Reservations"]
    return [instance for one in reservations for instance in one["Instances"]]


@pytest.mark.parametrize("role", ROLES)
def test_only_the_subnets_of_the_nodes_are_found_by_their_role(ec2: Any, role: str) -> None:
    prepare(ec2, NETWORK, ["testbed"])
    found = ec2.describe_subnets(Filters=[{"Name": f"tag:{role}", "Values": ["", "1"]}])["Subnets"]
    assert sorted(subnet["AvailabilityZone"] for subnet in found) == list(cluster_objects.ZONES)
    ranges = {one["Ipv6CidrBlock"] for subnet in found for one in subnet["Ipv6CidrBlockAssociationSet"]}
    assert len(ranges) == len(found)


def test_each_node_is_an_instance_with_the_addresses_of_its_pods(ec2: Any) -> None:
    prepare(ec2, NETWORK, ["testbed"])
    addresses = [
        {one["PrivateIpAddress"] for one in instance["NetworkInterfaces"][0]["PrivateIpAddresses"]}
        for instance in instances(ec2)
    ]
    assert [NETWORK.envoy_pod(0) in addresses[0], NETWORK.envoy_pod(1) in addresses[1]] == [True, True]
    assert NETWORK.envoy_pod(1) not in addresses[0]
    zones = [instance["Placement"]["AvailabilityZone"] for instance in instances(ec2)]
    assert zones == list(cluster_objects.ZONES)


def test_each_cluster_has_nodes_and_a_tagged_security_group_of_its_own(ec2: Any) -> None:
    prepare(ec2, NETWORK, ["blue", "green"])
    for name in ("blue", "green"):
        tagged = [{"Name": "tag-key", "Values": [CLUSTER_TAG.format(name)]}]
        (group,) = ec2.describe_security_groups(Filters=tagged)["SecurityGroups"]
        mine = [
            instance
            for instance in instances(ec2)
            if instance["SecurityGroups"][0]["GroupId"] == group["GroupId"]
        ]
        assert len(mine) == cluster_objects.PODS


def test_the_addresses_of_the_run_are_in_the_vpc(ec2: Any) -> None:
    (subnet, *_) = prepare(ec2, NETWORK, ["testbed"])
    (vpc,) = ec2.describe_vpcs(VpcIds=[subnet["VpcId"]])["Vpcs"]
    assert str(NETWORK) in [one["CidrBlock"] for one in vpc["CidrBlockAssociationSet"]]
