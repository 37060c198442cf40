"""Makes the security groups of EC2 equal to those of a stack; unused ones go at the very end.

Source: pkg/deploy/ec2/security_group_{synthesizer,manager}.go of the AWS Load Balancer Controller.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from testbed.lb_controller.core.stack import SecurityGroup
from testbed.lb_controller.deploy import inbound_rules
from testbed.lb_controller.deploy.deploy_session import Session
from testbed.lb_controller.deploy.elbv2_shapes import read_tags, tags

if TYPE_CHECKING:
    from mypy_boto3_ec2 import EC2Client


class SecurityGroupDeployment:
    """Deploys the security groups of one stack."""

    def __init__(self, session: Session, ec2: EC2Client) -> None:
        self._session, self._ec2 = session, ec2
        self._unused: list[str] = []

    def deploy(self) -> None:
        """Create and update the groups of the stack; their ids are in the session afterwards."""
        stack = self._session.stack
        existing = self._of_stack()
        resource = f"{stack.tag_prefix}/resource"
        wanted = {one.id: one for one in stack.security_groups}
        standing: dict[str, Mapping[str, Any]] = {}
        for shape in existing:
            identity = read_tags(shape.get("Tags") or ()).get(resource, "")
            if identity in wanted and identity not in standing:
                standing[identity] = shape
            else:
                self._unused.append(shape["GroupId"])
        for identity in sorted(wanted.keys() - standing.keys()):
            self._create(wanted[identity])
        for identity in sorted(standing):
            self._update(wanted[identity], standing[identity])

    def delete_unused(self) -> None:
        """Delete the groups that the stack no longer has, after the load balancer has left them."""
        for identity in self._unused:
            self._session.say("deleting securityGroup", identity)
            self._ec2.delete_security_group(GroupId=identity)

    def _of_stack(self) -> list[Mapping[str, Any]]:
        filters: list[Any] = [{"Name": "vpc-id", "Values": [self._session.options.vpc_id]}]
        filters += [
            {"Name": f"tag:{key}", "Values": [value]}
            for key, value in sorted(self._session.stack.stack_tags().items())
        ]
        pages = self._ec2.get_paginator("describe_security_groups").paginate(Filters=filters)
        return [group for page in pages for group in page["SecurityGroups"]]

    def _create(self, wanted: SecurityGroup) -> None:
        self._session.say("creating securityGroup", wanted.id)
        all_tags: Any = tags(self._session.wanted_tags(wanted.id, wanted.tags))
        identity = self._ec2.create_security_group(
            VpcId=self._session.options.vpc_id,
            GroupName=wanted.group_name,
            Description=wanted.description,
            TagSpecifications=[{"ResourceType": "security-group", "Tags": all_tags}],
        )["GroupId"]
        self._session.security_groups[wanted.id] = identity
        self._allow(wanted, {"GroupId": identity})

    def _update(self, wanted: SecurityGroup, shape: Mapping[str, Any]) -> None:
        self._session.security_groups[wanted.id] = identity = shape["GroupId"]
        want = self._session.wanted_tags(wanted.id, wanted.tags)
        missing, extra = self._session.tag_changes(want, read_tags(shape.get("Tags") or ()))
        if missing:
            self._session.say("adding resource tags", identity)
            self._ec2.create_tags(Resources=[identity], Tags=tags(missing))
        if extra:
            self._session.say("removing resource tags", identity)
            self._ec2.delete_tags(Resources=[identity], Tags=tags(extra))
        self._allow(wanted, shape)

    def _allow(self, wanted: SecurityGroup, shape: Mapping[str, Any]) -> None:
        rules = [inbound_rules.of_permission(one) for one in wanted.ingress]
        inbound_rules.reconcile(self._ec2, shape, rules)
