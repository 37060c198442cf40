"""What moto's EC2 lacks of a cluster's account: ids that nodes name, and what the LB Controller calls.

A node names its instance (`providerID: aws:///zone/i-…`) before there is one, so an instance may be asked for
by its id, in its tag `testbed/instance-id`.
"""

from __future__ import annotations

import contextvars
from collections.abc import Callable
from typing import Any

from moto.core.responses import ActionResult
from moto.ec2.models import instances
from moto.ec2.models.instances import InstanceBackend
from moto.ec2.models.subnets import Subnet
from moto.ec2.responses import EC2Response

from testbed.aws.balancer_names import INSTANCE_ID_TAG

_asked: contextvars.ContextVar[str] = contextvars.ContextVar("asked", default="")
_random_instance_id: Callable[[], str] = vars(instances)["random_instance_id"]
_run_instances = InstanceBackend.run_instances


def add() -> None:
    """Give moto these operations and answers."""
    vars(instances)["random_instance_id"] = lambda: _asked.get() or _random_instance_id()
    for owner, function in (
        (InstanceBackend, run_instances),
        (EC2Response, get_security_groups_for_vpc),
    ):
        setattr(owner, function.__name__, function)
    Subnet.ipv6_cidr_block_association_set = property(ipv6_cidr_block_association_set)  # type: ignore


def run_instances(backend: InstanceBackend, *args: Any, **kwargs: Any) -> Any:
    """Give an instance the id that its tag asks for."""
    tags = (kwargs.get("tags") or {}).get("instance", {})
    token = _asked.set(tags.get(INSTANCE_ID_TAG, ""))
    try:
        return _run_instances(backend, *args, **kwargs)
    finally:
        _asked.reset(token)


def ipv6_cidr_block_association_set(subnet: Subnet) -> list[dict[str, Any]]:
    """Describe the state of an IPv6 range as text; moto describes it as a structure of Python."""
    return [
        {
            "ipv6CidrBlock": association["ipv6CidrBlock"],
            "associationId": association["associationId"],
            "ipv6CidrBlockState": {"state": association["ipv6CidrBlockState"]["State"]},
        }
        for association in subnet.ipv6_cidr_block_associations.values()
    ]


def get_security_groups_for_vpc(response: EC2Response) -> ActionResult:
    """Return the security groups of a VPC; none are shared with it."""
    vpc = response._get_param("VpcId")
    groups = response.ec2_backend.describe_security_groups(filters=response._filters_from_querystring())
    found = [
        {
            "GroupId": group.id,
            "GroupName": group.name,
            "Description": group.description,
            "OwnerId": group.owner_id,
            "PrimaryVpcId": group.vpc_id,
            "Tags": group.get_tags(),
        }
        for group in groups
        if group.vpc_id == vpc
    ]
    return ActionResult({"SecurityGroupForVpcs": found})
