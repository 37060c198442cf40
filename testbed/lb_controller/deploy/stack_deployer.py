"""Makes the ELBv2 API equal to a stack, in the controller's order of work.

```
security groups ─► target groups ─► load balancer ─► listeners ─► rules ─► bindings
                                     delete, create    delete first         │ new ones made, old ones released
                   delete unused security groups ◄─ delete unused target groups
```

Existing resources are found by the stack's tags. The deployer sends nothing for what is right already, so a
second deploy of the same stack makes no mutating call.
Source: pkg/deploy/stack_deployer.go and pkg/deploy/elbv2 of the AWS Load Balancer Controller, and the calls
that it was recorded to make at edits of live balancers.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from botocore.exceptions import ClientError

from testbed.lb_controller.core.build_inputs import ControllerOptions
from testbed.lb_controller.core.feature_gates import Gate, is_on
from testbed.lb_controller.core.minimum_capacity import CAPACITY_UNITS
from testbed.lb_controller.core.stack import LOAD_BALANCER_ID, LoadBalancer, Stack, TargetGroup
from testbed.lb_controller.deploy import drift, elbv2_shapes
from testbed.lb_controller.deploy.deploy_session import Existing, Log, Session, as_deploy_error
from testbed.lb_controller.deploy.elbv2_shapes import read_tags, tags
from testbed.lb_controller.deploy.listener_deployer import ListenerDeployment
from testbed.lb_controller.deploy.security_group_deployer import SecurityGroupDeployment

if TYPE_CHECKING:
    from mypy_boto3_ec2 import EC2Client
    from mypy_boto3_elbv2 import ElasticLoadBalancingv2Client


@dataclass(frozen=True, slots=True)
class Deployed:
    """The result of a deploy; an empty stack has no load balancer.

    Attributes:
        dns_name: the name that ELBv2 assigned.
        target_groups: ARNs by resource id.
    """

    dns_name: str | None
    target_groups: Mapping[str, str]


class BindingStage(Protocol):
    """The bindings of a stack, between its rules and the deletion of its unused target groups."""

    def bind(self, session: Session) -> None:
        """Make the bindings that the stack has now."""

    def release(self) -> None:
        """Clean up those that it no longer has: their targets leave before their target groups do."""


class Deployer:
    """Deploys stacks through one ELBv2 client.

    Attributes:
        elbv2: the client.
        options: release and VPC of the controller.
        log: gets one line for each mutating call.
        ec2: the client of the security groups; None where none are made.
    """

    def __init__(
        self,
        elbv2: ElasticLoadBalancingv2Client,
        options: ControllerOptions,
        log: Log,
        ec2: EC2Client | None = None,
    ) -> None:
        self.elbv2 = elbv2
        self.options = options
        self.log = log
        self.ec2 = ec2

    def deploy(
        self, stack: Stack, bindings: BindingStage | None = None, shared_group: str | None = None
    ) -> Deployed:
        """Make AWS equal to the stack.

        Args:
            stack: the wanted resources.
            bindings: those of the stack, if they are deployed with it.
            shared_group: the id of the cluster's shared security group.

        Raises:
            DeployError: AWS refused a call. Earlier calls stay in effect, as with the real controller.
        """
        with as_deploy_error(self.options.release):
            session = Session(self.elbv2, self.options, stack, self.log, shared_group)
            return _Deployment(session, self.ec2, bindings).run()


class _Deployment:
    """Deploys target groups and load balancer of one stack; other modules do the rest."""

    def __init__(self, session: Session, ec2: EC2Client | None, bindings: BindingStage | None) -> None:
        self._session = session
        self._elbv2 = session.elbv2
        self._stack = session.stack
        # The cloud provider of 2020 opens its nodes' own security group, which nothing here filters by.
        self._security_groups = (
            SecurityGroupDeployment(session, ec2) if ec2 is not None and session.has_resource_tags else None
        )
        self._bindings = bindings
        self._unused_groups: list[str] = []

    def run(self) -> Deployed:
        if self._security_groups:
            self._security_groups.deploy()
        self._deploy_target_groups()
        dns_name = self._deploy_load_balancer()
        if self._bindings:
            self._bindings.bind(self._session)
            self._bindings.release()
        for arn in self._unused_groups:
            self._session.say("deleting targetGroup", arn)
            self._elbv2.delete_target_group(TargetGroupArn=arn)
        if self._security_groups:
            self._security_groups.delete_unused()
        return Deployed(dns_name, dict(self._session.arns))

    # --- target groups -------------------------------------------------------------------------------------

    def _deploy_target_groups(self) -> None:
        existing = self._session.owned(
            "describe_target_groups", "TargetGroups", "TargetGroupArn", self._stack.stack_tags()
        )
        standing: list[tuple[TargetGroup, Existing]] = []
        for wanted in self._stack.target_groups:
            same = next((one for one in existing if self._is_same_target_group(wanted, one)), None)
            if same is None:
                self._create_target_group(wanted)
            else:
                standing.append((wanted, same))
                existing.remove(same)
        for wanted, same in standing:
            self._modify_target_group(wanted, same)
        # A rule may still use them, so they are deleted at the very end.
        self._unused_groups = [one.shape["TargetGroupArn"] for one in existing]

    def _is_same_target_group(self, wanted: TargetGroup, existing: Existing) -> bool:
        if not self._stack.tracking_tags(wanted.id).items() <= existing.tags.items():
            return False
        if not self._session.has_resource_tags and existing.shape["TargetGroupName"] != wanted.name:
            return False
        return not drift.target_group_needs_replacement(
            wanted,
            existing.shape,
            advanced_health_checks=self._session.has_resource_tags
            and is_on(Gate.NLB_HEALTH_CHECK_ADVANCED_CONFIG, self._session.options),
        )

    def _create_target_group(self, wanted: TargetGroup) -> None:
        request = elbv2_shapes.request_target_group(wanted, self._session.options.vpc_id)
        self._session.say("creating targetGroup", wanted.id)
        all_tags = tags(self._session.wanted_tags(wanted.id, wanted.tags))
        created = self._elbv2.create_target_group(**request, Tags=all_tags)["TargetGroups"][0]
        self._session.arns[wanted.id] = arn = created["TargetGroupArn"]
        self._set_target_group_attributes(arn, wanted.attributes)

    def _modify_target_group(self, wanted: TargetGroup, existing: Existing) -> None:
        self._session.arns[wanted.id] = arn = existing.shape["TargetGroupArn"]
        self._session.retag(arn, self._session.wanted_tags(wanted.id, wanted.tags), existing.tags)
        if drift.health_check_drifted(wanted.health_check, existing.shape):
            self._session.say("modifying targetGroup healthCheck", wanted.id)
            request = elbv2_shapes.request_health_check(wanted.health_check)
            self._elbv2.modify_target_group(TargetGroupArn=arn, **request)
        self._set_target_group_attributes(arn, wanted.attributes)

    def _set_target_group_attributes(self, arn: str, wanted: Mapping[str, str]) -> None:
        if not wanted:
            return
        described = self._elbv2.describe_target_group_attributes(TargetGroupArn=arn)["Attributes"]
        changed = drift.changed_attributes(wanted, read_tags(described))
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
        # Deleted before the new one is created, as by the controller: a change of scheme is an outage and a
        # new DNS name.
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
            # The cloud provider looks up the name and never compares the scheme ("TODO: Sync internal vs
            # non-internal"): changing the annotation of an existing NLB has no effect.
            return bool(existing.shape["LoadBalancerName"] == wanted.name)
        has_tags = self._stack.tracking_tags(LOAD_BALANCER_ID).items() <= existing.tags.items()
        return has_tags and not drift.load_balancer_needs_replacement(wanted, existing.shape)

    def _create_load_balancer(self, wanted: LoadBalancer) -> Mapping[str, Any]:
        request = elbv2_shapes.request_load_balancer(wanted, self._groups_of(wanted))
        self._session.say("creating loadBalancer", LOAD_BALANCER_ID)
        all_tags = tags(self._session.wanted_tags(LOAD_BALANCER_ID, wanted.tags))
        created = self._elbv2.create_load_balancer(**request, Tags=all_tags)["LoadBalancers"][0]
        self._set_load_balancer_attributes(created["LoadBalancerArn"], wanted.attributes)
        self._reserve_capacity(created["LoadBalancerArn"], wanted.minimum_capacity)
        if wanted.security_groups_inbound_rules_on_private_link:
            self._set_security_groups(wanted, created)
        return created

    def _modify_load_balancer(self, wanted: LoadBalancer, existing: Existing) -> None:
        shape, arn = existing.shape, existing.shape["LoadBalancerArn"]
        self._session.retag(arn, self._session.wanted_tags(LOAD_BALANCER_ID, wanted.tags), existing.tags)
        self._set_security_groups(wanted, shape)
        subnets = {zone["SubnetId"] for zone in shape.get("AvailabilityZones", ())}
        # The cloud provider of 2020 leaves the subnets of an existing NLB alone.
        if self._session.has_resource_tags and subnets != {one.subnet_id for one in wanted.subnet_mappings}:
            self._session.say("setting loadBalancer subnets", LOAD_BALANCER_ID)
            self._elbv2.set_subnets(LoadBalancerArn=arn, **elbv2_shapes.request_set_subnets(wanted))
        if wanted.ip_address_type != shape.get("IpAddressType", "ipv4"):
            self._session.say("setting loadBalancer ipAddressType", LOAD_BALANCER_ID)
            ip_address_type: Any = wanted.ip_address_type
            self._elbv2.set_ip_address_type(LoadBalancerArn=arn, IpAddressType=ip_address_type)
        self._set_load_balancer_attributes(arn, wanted.attributes)
        self._reserve_capacity(arn, wanted.minimum_capacity)

    def _groups_of(self, wanted: LoadBalancer) -> list[str]:
        if self._security_groups is None:
            return []
        return [self._session.resolve_group(one) for one in wanted.security_groups]

    def _set_security_groups(self, wanted: LoadBalancer, shape: Mapping[str, Any]) -> None:
        if self._security_groups is None:
            return
        groups = self._groups_of(wanted)
        request: dict[str, Any] = {"SecurityGroups": groups}
        rules = wanted.security_groups_inbound_rules_on_private_link
        field = "EnforceSecurityGroupInboundRulesOnPrivateLinkTraffic"
        if rules and rules != shape.get(field):
            request[field] = rules
        elif set(groups) == set(shape.get("SecurityGroups") or ()):
            return
        self._session.say("setting loadBalancer securityGroups", LOAD_BALANCER_ID)
        self._elbv2.set_security_groups(LoadBalancerArn=shape["LoadBalancerArn"], **request)

    def _set_load_balancer_attributes(self, arn: str, wanted: Mapping[str, str]) -> None:
        if not wanted:
            return
        described = self._elbv2.describe_load_balancer_attributes(LoadBalancerArn=arn)["Attributes"]
        changed = drift.changed_attributes(wanted, read_tags(described))
        if changed:
            self._session.say("modifying loadBalancer attributes", arn)
            self._elbv2.modify_load_balancer_attributes(LoadBalancerArn=arn, Attributes=tags(changed))

    def _reserve_capacity(self, arn: str, wanted: Mapping[str, int]) -> None:
        """Reserve capacity; an annotation that is gone leaves the reservation as it is, and 0 ends it."""
        if not wanted:
            return
        described = self._elbv2.describe_capacity_reservation(LoadBalancerArn=arn)
        have = described.get("MinimumLoadBalancerCapacity") or {}
        units = wanted[CAPACITY_UNITS]
        if units == have.get(CAPACITY_UNITS, 0):
            return
        self._session.say("modifying loadBalancer capacity reservation", arn)
        request: Any = (
            {"MinimumLoadBalancerCapacity": {CAPACITY_UNITS: units}}
            if units
            else {"ResetCapacityReservation": True}
        )
        self._elbv2.modify_capacity_reservation(LoadBalancerArn=arn, **request)

    def _delete_load_balancer(self, arn: str) -> None:
        self._session.say("deleting loadBalancer", arn)
        try:
            self._elbv2.delete_load_balancer(LoadBalancerArn=arn)
        except ClientError as error:
            if "deletion protection" not in str(error):
                raise
            # The controller lifts the protection itself. Deleting an object whose own annotation asks for it
            # fails earlier, when its stack is built.
            unprotected: Any = tags({"deletion_protection.enabled": "false"})
            self._session.say("modifying loadBalancer attributes", arn)
            self._elbv2.modify_load_balancer_attributes(LoadBalancerArn=arn, Attributes=unprotected)
            self._elbv2.delete_load_balancer(LoadBalancerArn=arn)
