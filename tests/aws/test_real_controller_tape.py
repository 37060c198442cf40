"""The AWS calls of a real controller (LB Controller v3.5.0), played against the endpoint.

`../shared/conformance/real/lb-controller-v3.5.0.jsonl` holds each call with the answer that the controller
was content with. Each must be answered here with the same elements filled. Identifiers are those of the
recording; they are mapped to those of the answers here.
"""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from testbed.settings import PATIENCE, REGION
from tests.aws.conftest import Account
from tests.real_controllers.lb_controller_tape import (
    GOING_POD,
    RECORDED_REGION,
    STAYING_POD,
    TAPE,
    Names,
    authorization,
    form_of,
    lacking,
    parameter,
    parsed,
    requests,
)

pytestmark = [
    pytest.mark.conformance,
    pytest.mark.skipif(not TAPE.exists(), reason=f"{TAPE} is not at hand"),
]


def calls() -> list[dict[str, Any]]:
    """The calls to AWS, in their order."""
    return [line for line in requests() if line["to"] == "aws"]


class Player:
    """Sends the calls of the tape, and learns which identifier here is which of the tape."""

    def __init__(self, url: str) -> None:
        self._url = url
        self.names = Names({RECORDED_REGION: REGION})

    def play(self, call: dict[str, Any]) -> tuple[int, Any]:
        """Return the status and the parsed answer."""
        headers = {"Authorization": authorization(call["service"], REGION)}
        form = form_of(call, self.names)
        answer = httpx.post(self._url, data=form, headers=headers, timeout=PATIENCE.api_call, trust_env=False)
        return answer.status_code, parsed(answer.text)


@pytest.fixture
def player(empty_account: Account) -> Player:
    """What was there when the tape began: tagged subnets, a node with two pods' addresses, a certificate."""
    account = empty_account
    ec2 = account.clients.ec2
    player = Player(account.url)

    ec2.create_tags(Resources=account.subnets, Tags=[{"Key": "kubernetes.io/role/elb", "Value": "1"}])
    tags: Any = [{"Key": "kubernetes.io/cluster/testbed", "Value": "owned"}]
    group = ec2.create_security_group(
        GroupName="nodes",
        Description="nodes",
        VpcId=account.vpc,
        TagSpecifications=[{"ResourceType": "security-group", "Tags": tags}],
    )["GroupId"]
    (instance,) = ec2.run_instances(
        ImageId="ami-12345678",
        MinCount=1,
        MaxCount=1,
        SubnetId=account.subnets[0],
        SecurityGroupIds=[group],
    )["Instances"]
    ec2.assign_private_ip_addresses(
        NetworkInterfaceId=instance["NetworkInterfaces"][0]["NetworkInterfaceId"],
        PrivateIpAddresses=[STAYING_POD, GOING_POD],
    )
    player.names.known |= {
        parameter("DescribeSubnets", "Filter.1.Value.1"): account.vpc,
        parameter("DescribeInstances", "InstanceId.1"): instance["InstanceId"],
        parameter("CreateListener", "Certificates.member.1.CertificateArn"): account.certificate(
            "example.com", "*.example.com"
        ),
    }
    return player


def test_each_call_of_the_real_controller_is_answered_with_the_same_elements(player: Player) -> None:
    for number, call in enumerate(calls()):
        title = f"{number} {call['stage']}: {call['action']}"
        status, own = player.play(call)
        assert status == 200, f"{title}: {own}"
        missing = lacking(call, own)
        assert not missing, f"{title} lacks {missing}"
        player.names.learn(parsed(call["answer"]), own)
