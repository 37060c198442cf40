"""What moto's EC2 is given: as a client sees it behind the endpoint."""

from __future__ import annotations

from typing import Any

from testbed.aws.moto_ec2_operations import INSTANCE_ID_TAG
from tests.aws.conftest import Account


def run(account: Account, *tags: tuple[str, str]) -> str:
    specification: Any = [
        {"ResourceType": "instance", "Tags": [{"Key": key, "Value": value} for key, value in tags]}
    ]
    made = account.clients.ec2.run_instances(
        ImageId="ami-00000000",
        MinCount=1,
        MaxCount=1,
        SubnetId=account.subnets[0],
        TagSpecifications=specification,
    )
    return str(made["Instances"][0]["InstanceId"])


def test_an_instance_has_the_id_that_its_tag_asks_for_and_the_next_one_its_own(account: Account) -> None:
    asked = "i-0abcdef0123456789"
    assert run(account, (INSTANCE_ID_TAG, asked)) == asked
    found = account.clients.ec2.describe_instances(InstanceIds=[asked])["Reservations"][0]["Instances"]
    assert [one["InstanceId"] for one in found] == [asked]
    assert run(account, ("a", "b")) != asked


def test_the_security_groups_of_a_vpc_are_those_that_are_in_it(account: Account) -> None:
    ec2 = account.clients.ec2
    vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    made = ec2.create_security_group(GroupName="inside", Description="d", VpcId=vpc)["GroupId"]
    found = ec2.get_security_groups_for_vpc(VpcId=vpc)["SecurityGroupForVpcs"]
    assert {one["GroupName"] for one in found} == {"default", "inside"}
    assert {one["PrimaryVpcId"] for one in found} == {vpc}
    named = ec2.get_security_groups_for_vpc(VpcId=vpc, Filters=[{"Name": "group-id", "Values": [made]}])
    assert [one["GroupId"] for one in named["SecurityGroupForVpcs"]] == [made]


def test_the_state_of_an_ipv6_range_is_text(account: Account) -> None:
    ec2 = account.clients.ec2
    vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16", AmazonProvidedIpv6CidrBlock=True)["Vpc"]["VpcId"]
    subnet = ec2.create_subnet(VpcId=vpc, CidrBlock="10.0.0.0/24")["Subnet"]["SubnetId"]
    ec2.associate_subnet_cidr_block(SubnetId=subnet, Ipv6CidrBlock="2001:db8:0:1::/64")
    (found,) = ec2.describe_subnets(SubnetIds=[subnet])["Subnets"]
    assert found["Ipv6CidrBlockAssociationSet"][0]["Ipv6CidrBlockState"]["State"] == "associated"
