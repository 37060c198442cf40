"""Makes the ELBv2 API equal to a stack, in the controller's order of work.

```
target groups ─► load balancer ─► listeners ─► rules ─► (targets, see `targets`) ─► unused target groups go
 create/modify    delete, create    delete first,   without gaps since v2.13
```

What exists is found by the stack's tags. Nothing is sent for what is right already, so a second deploy of the
same stack makes no mutating call. Security groups are not made: no packet of the testbed is filtered by them.
Source: pkg/deploy/stack_deployer.go and pkg/deploy/elbv2 of the AWS Load Balancer Controller.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from testbed.lb_controller import drift, elbv2_shapes
from testbed.lb_controller.deploy_listeners import ListenerDeployment
from testbed.lb_controller.deploy_session import (
    DeployError,
    Existing,
    Session,
    told_as_deploy_error,
)
from testbed.lb_controller.elbv2_shapes import read_tags, tags
from testbed.lb_controller.inputs import ControllerOptions
from testbed.lb_controller.stack import LOAD_BALANCER_ID, LoadBalancer, Stack, TargetGroup
from testbed.lb_controller.work import Log

if TYPE_CHECKING:
    from mypy_boto3_elbv2 import ElasticLoadBalancingv2Client

__all__ = ["DeployError", "Deployed", "Deployer", "told_as_deploy_error"]


@dataclass(frozen=True, slots=True)
class Deployed:
    """What stands in AWS after a deploy; an empty stack has no balancer.

    Attributes:
        dns_name: as ELBv2 gives it.
        target_groups: ARNs by resource id.
    """

    dns_name: str | None
    target_groups: Mapping[str, str]


class Deployer:
    """Deploys stacks through one ELBv2 client.

    Attributes:
        elbv2: the client.
        options: version and VPC of the controller.
        log: takes one line for each mutating call.
    """

    def __init__(self, elbv2: ElasticLoadBalancingv2Client, options: ControllerOptions, log: Log) -> None:
        self.elbv2 = elbv2
        self.options = options
        self.log = log

    def deploy(self, stack: Stack) -> Deployed:
        """Make AWS equal to the stack.

        Raises:
            DeployError: AWS refused a call. What was done before it stays, as with the real controller.
        """
        with told_as_deploy_error(self.options.version):
            return _Deployment(Session(self.elbv2, self.options, stack, self.log)).run()


class _Deployment:
    """Target groups and load balancer of one deploy; the listeners have a class of their own."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._elbv2 = session.elbv2
        self._stack = session.stack
        self._unused_groups: list[str] = []

    def run(self) -> Deployed:
        self._deploy_target_groups()
        dns_name = self._deploy_load_balancer()
        for arn in self._unused_groups:
            self._session.say("deleting targetGroup", arn)
            self._elbv2.delete_target_group(TargetGroupArn=arn)
        return Deployed(dns_name, dict(self._session.arns))

    # --- target groups -------------------------------------------------------------------------------------

    def _deploy_target_groups(self) -> None:
        existing = self._session.owned(
            "describe_target_groups", "TargetGroups", "TargetGroupArn", self._stack.stack_tags()
        )
        for wanted in self._stack.target_groups:
            matching = [one for one in existing if self._is_same_target_group(wanted, one)]
            if matching:
                self._modify_target_group(wanted, matching[0])
                existing.remove(matching[0])
            else:
                self._create_target_group(wanted)
        # They may still be in use by a rule, so they go at the very end.
        self._unused_groups = [one.shape["TargetGroupArn"] for one in existing]

    def _is_same_target_group(self, wanted: TargetGroup, existing: Existing) -> bool:
        if not self._stack.tracking_tags(wanted.id).items() <= existing.tags.items():
            return False
        if not self._session.has_resource_tags and existing.shape["TargetGroupName"] != wanted.name:
            return False
        return not drift.target_group_needs_replacement(
            wanted,
            existing.shape,
            advanced_health_checks=self._session.has_resource_tags and not self._session.is_old,
        )

    def _create_target_group(self, wanted: TargetGroup) -> None:
        request = elbv2_shapes.request_target_group(wanted, self._session.options.vpc_id)
        self._session.say("creating targetGroup", wanted.id)
        all_tags = tags(self._session.wanted_tags(wanted.id, wanted.tags))
        created = self._elbv2.create_target_group(**request, Tags=all_tags)["TargetGroups"][0]
        self._session.arns[wanted.id] = arn = created["TargetGroupArn"]
        self._set_target_group_attributes(arn, drift.changed_attributes(wanted.attributes, {}))

    def _modify_target_group(self, wanted: TargetGroup, existing: Existing) -> None:
        self._session.arns[wanted.id] = arn = existing.shape["TargetGroupArn"]
        self._session.retag(arn, self._session.wanted_tags(wanted.id, wanted.tags), existing.tags)
        if drift.health_check_drifted(wanted.health_check, existing.shape):
            self._session.say("modifying targetGroup healthCheck", wanted.id)
            request = elbv2_shapes.request_health_check(wanted.health_check)
            self._elbv2.modify_target_group(TargetGroupArn=arn, **request)
        if wanted.attributes:
            described = self._elbv2.describe_target_group_attributes(TargetGroupArn=arn)["Attributes"]
            changed = drift.changed_attributes(wanted.attributes, read_tags(described))
            self._set_target_group_attributes(arn, changed)

    def _set_target_group_attributes(self, arn: str, changed: Mapping[str, str]) -> None:
        if changed:
            self._session.say("modifying targetGroup attributes", arn)
            self._elbv2.modify_target_group_attributes(TargetGroupArn=arn, Attributes=tags(changed))

    # --- load balancer -------------------------------------------------------------------------------------

    def _deploy_load_balancer(self) -> str | None:
        wanted = self._stack.load_balancer
        existing = self._session.owned(
            "describe_load_balancers", "LoadBalancers", "LoadBalancerArn", self._stack.stack_tags()
        )
        match = next((one for one in existing if wanted and self._is_same_balancer(wanted, one)), None)
        for one in existing:
            if one is not match:
                self._delete_load_balancer(one.shape["LoadBalancerArn"])
        if wanted is None:
            return None
        if match is None:
            created = self._create_load_balancer(wanted)
            ListenerDeployment(self._session).deploy(created["LoadBalancerArn"], [])
            return str(created["DNSName"])
        arn = match.shape["LoadBalancerArn"]
        self._modify_load_balancer(wanted, match)
        listeners = self._session.pages("describe_listeners", "Listeners", LoadBalancerArn=arn)
        ListenerDeployment(self._session).deploy(arn, list(listeners))
        return str(match.shape["DNSName"])

    def _is_same_balancer(self, wanted: LoadBalancer, existing: Existing) -> bool:
        if not self._session.has_resource_tags:
            # The cloud provider looks for the name, and never compares the scheme ("TODO: Sync internal vs
            # non-internal"): changing the annotation of a standing NLB has no effect.
            return bool(existing.shape["LoadBalancerName"] == wanted.name)
        has_tags = self._stack.tracking_tags(LOAD_BALANCER_ID).items() <= existing.tags.items()
        return has_tags and not drift.load_balancer_needs_replacement(wanted, existing.shape)

    def _create_load_balancer(self, wanted: LoadBalancer) -> Mapping[str, Any]:
        request = elbv2_shapes.request_load_balancer(wanted)
        self._session.say("creating loadBalancer", LOAD_BALANCER_ID)
        all_tags = tags(self._session.wanted_tags(LOAD_BALANCER_ID, wanted.tags))
        created = self._elbv2.create_load_balancer(**request, Tags=all_tags)["LoadBalancers"][0]
        self._set_load_balancer_attributes(
            created["LoadBalancerArn"],
            drift.changed_attributes(wanted.attributes, drift.LOAD_BALANCER_DEFAULTS[wanted.type]),
        )
        return created

    def _modify_load_balancer(self, wanted: LoadBalancer, existing: Existing) -> None:
        arn = existing.shape["LoadBalancerArn"]
        self._session.retag(arn, self._session.wanted_tags(LOAD_BALANCER_ID, wanted.tags), existing.tags)
        if wanted.ip_address_type != existing.shape.get("IpAddressType", "ipv4"):
            self._session.say("setting loadBalancer ipAddressType", LOAD_BALANCER_ID)
            ip_address_type: Any = wanted.ip_address_type
            self._elbv2.set_ip_address_type(LoadBalancerArn=arn, IpAddressType=ip_address_type)
        request = elbv2_shapes.request_load_balancer(wanted)
        subnets = {zone["SubnetId"] for zone in existing.shape.get("AvailabilityZones", ())}
        # The cloud provider of 2020 leaves the subnets of a standing NLB alone.
        if self._session.has_resource_tags and subnets != {one.subnet_id for one in wanted.subnet_mappings}:
            self._session.say("setting loadBalancer subnets", LOAD_BALANCER_ID)
            self._elbv2.set_subnets(LoadBalancerArn=arn, SubnetMappings=request["SubnetMappings"])
        if wanted.attributes:
            described = self._elbv2.describe_load_balancer_attributes(LoadBalancerArn=arn)["Attributes"]
            have = {**drift.LOAD_BALANCER_DEFAULTS[wanted.type], **read_tags(described)}
            self._set_load_balancer_attributes(arn, drift.changed_attributes(wanted.attributes, have))

    def _set_load_balancer_attributes(self, arn: str, changed: Mapping[str, str]) -> None:
        if changed:
            self._session.say("modifying loadBalancer attributes", arn)
            self._elbv2.modify_load_balancer_attributes(LoadBalancerArn=arn, Attributes=tags(changed))

    def _delete_load_balancer(self, arn: str) -> None:
        self._session.say("deleting loadBalancer", arn)
        try:
            self._elbv2.delete_load_balancer(LoadBalancerArn=arn)
        except ClientError as error:
            if "deletion protection" not in str(error):
                raise
            self._set_load_balancer_attributes(arn, {"deletion_protection.enabled": "false"})
            self._elbv2.delete_load_balancer(LoadBalancerArn=arn)
