from __future__ import annotations

from collections.abc import Iterator

import pytest
from botocore.exceptions import ClientError

from testbed.aws.in_process import InProcessAws


@pytest.fixture
def aws() -> Iterator[InProcessAws]:
    with InProcessAws() as made:
        yield made


def test_calls_are_answered_by_the_rules_of_the_endpoint_and_writes_are_kept_in_order(
    aws: InProcessAws,
) -> None:
    vpc = aws.clients.ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    first, second = (
        aws.own_subnet(vpc, f"10.0.{number}.0/24", f"{aws.clients.region}{zone}")
        for number, zone in enumerate("ac")
    )
    aws.writes.clear()
    elbv2 = aws.clients.elbv2
    arn = elbv2.create_load_balancer(Name="one", Subnets=[first, second])["LoadBalancers"][0][
        "LoadBalancerArn"
    ]
    with pytest.raises(ClientError, match="must be one of 'HTTP, HTTPS'"):
        elbv2.create_listener(LoadBalancerArn=arn, Port=80, Protocol="TCP", DefaultActions=[])
    created, refused = aws.writes
    assert (created.service, created.action, created.status) == (
        "elasticloadbalancing",
        "CreateLoadBalancer",
        200,
    )
    assert created.parameters == {"Name": "one", "Subnets.member.1": first, "Subnets.member.2": second}
    assert created.created == arn
    assert (refused.action, refused.status) == ("CreateListener", 400)
    assert refused.refusal.startswith("Listener protocol 'TCP'")


def test_a_new_account_is_empty_and_draws_the_same_identifiers() -> None:
    drawn = []
    for _ in range(2):
        with InProcessAws() as aws:
            assert aws.clients.elbv2.describe_load_balancers()["LoadBalancers"] == []
            drawn.append(aws.clients.ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"])
    assert drawn[0] == drawn[1]


def test_what_somebody_named_exists_by_that_name(aws: InProcessAws) -> None:
    ec2, acm = aws.clients.ec2, aws.clients.acm
    vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    arn = "arn:aws:acm:eu-west-1:210987654321:certificate/00000000-0000-0000-0000-000000000001"
    assert aws.own_subnet(vpc, "10.0.0.0/24", f"{aws.clients.region}a", "subnet-1") == "subnet-1"
    assert aws.own_security_group(vpc, "web", "sg-1") == "sg-1"
    assert aws.own_certificate("example.com", arn) == arn
    assert [one["SubnetId"] for one in ec2.describe_subnets(SubnetIds=["subnet-1"])["Subnets"]] == [
        "subnet-1"
    ]
    assert ec2.describe_security_groups(GroupIds=["sg-1"])["SecurityGroups"][0]["GroupName"] == "web"
    assert [one["CertificateArn"] for one in acm.list_certificates()["CertificateSummaryList"]] == [arn]
