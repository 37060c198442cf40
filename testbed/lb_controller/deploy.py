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

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError

from testbed.lb_controller import drift, elbv2_shapes
from testbed.lb_controller.elbv2_shapes import read_tags, tags
from testbed.lb_controller.inputs import ControllerOptions, Version
from testbed.lb_controller.stack import (
    LOAD_BALANCER_ID,
    Kind,
    Listener,
    ListenerRule,
    LoadBalancer,
    Ref,
    Reference,
    Stack,
    TargetGroup,
)

if TYPE_CHECKING:
    from mypy_boto3_elbv2 import ElasticLoadBalancingv2Client

Log = Callable[[str, str], None]
"""Takes a level (`info`, `error`) and a message."""

_TAGS_PER_CALL = 20
"""DescribeTags takes at most 20 ARNs (ELBv2 API)."""


class DeployError(Exception):
    """AWS refused a call; the text is that of the event `FailedDeployModel`."""


@dataclass(frozen=True, slots=True)
class Deployed:
    """What stands in AWS after a deploy; an empty stack has no balancer.

    Attributes:
        dns_name: as ELBv2 gives it.
        target_groups: ARNs by resource id.
    """

    dns_name: str | None
    target_groups: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class _Existing:
    """A described resource with its tags."""

    shape: Mapping[str, Any]
    tags: Mapping[str, str]


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
            return _Deployment(self, stack).run()

    def pages(self, operation: str, key: str, **arguments: Any) -> Iterator[Mapping[str, Any]]:
        """All items of a Describe call, over all its pages."""
        marker: dict[str, str] = {}
        while True:
            page = getattr(self.elbv2, operation)(**arguments, **marker)
            yield from page[key]
            if not page.get("NextMarker"):
                return
            marker = {"Marker": page["NextMarker"]}

    def tags_of(self, arns: Sequence[str]) -> dict[str, dict[str, str]]:
        """Tags by ARN."""
        found: dict[str, dict[str, str]] = {}
        for start in range(0, len(arns), _TAGS_PER_CALL):
            chunk = list(arns[start : start + _TAGS_PER_CALL])
            for item in self.elbv2.describe_tags(ResourceArns=chunk)["TagDescriptions"]:
                found[item["ResourceArn"]] = read_tags(item["Tags"])
        return found

    def owned(self, operation: str, key: str, arn: str, stack_tags: Mapping[str, str]) -> list[_Existing]:
        """The described resources that carry the tags of the stack."""
        described = {shape[arn]: shape for shape in self.pages(operation, key)}
        all_tags = self.tags_of(list(described))
        return [
            _Existing(shape, all_tags[one])
            for one, shape in described.items()
            if stack_tags.items() <= all_tags[one].items()
        ]


class _Deployment:
    """One deploy of one stack: what was found, and the ARNs known so far."""

    def __init__(self, deployer: Deployer, stack: Stack) -> None:
        self._deployer = deployer
        self._elbv2 = deployer.elbv2
        self._options = deployer.options
        self._stack = stack
        self._arns: dict[str, str] = {}
        self._unused_groups: list[str] = []
        self._is_network = stack.load_balancer is not None and stack.load_balancer.type == "network"
        # The cloud provider of 2020 tags no single resource, and knows its target groups by name.
        self._has_resource_tags = stack.tracking_tags("") != stack.stack_tags()
        is_old = self._options.version is Version.V2_1
        self._tags_listeners = self._has_resource_tags and not is_old
        self._advanced_health_checks = self._has_resource_tags and not is_old

    def run(self) -> Deployed:
        self._deploy_target_groups()
        dns_name = self._deploy_load_balancer()
        for arn in self._unused_groups:
            self._say("deleting targetGroup", arn)
            self._elbv2.delete_target_group(TargetGroupArn=arn)
        return Deployed(dns_name, dict(self._arns))

    # --- target groups -------------------------------------------------------------------------------------

    def _deploy_target_groups(self) -> None:
        existing = self._owned("describe_target_groups", "TargetGroups", "TargetGroupArn")
        for wanted in self._stack.target_groups:
            matching = [one for one in existing if self._is_same_target_group(wanted, one)]
            if matching:
                self._modify_target_group(wanted, matching[0])
                existing.remove(matching[0])
            else:
                self._create_target_group(wanted)
        # They may still be in use by a rule, so they go at the very end.
        self._unused_groups = [one.shape["TargetGroupArn"] for one in existing]

    def _is_same_target_group(self, wanted: TargetGroup, existing: _Existing) -> bool:
        if not self._stack.tracking_tags(wanted.id).items() <= existing.tags.items():
            return False
        if not self._has_resource_tags and existing.shape["TargetGroupName"] != wanted.name:
            return False
        return not drift.target_group_needs_replacement(
            wanted, existing.shape, advanced_health_checks=self._advanced_health_checks
        )

    def _create_target_group(self, wanted: TargetGroup) -> None:
        request = elbv2_shapes.request_target_group(wanted, self._options.vpc_id)
        self._say("creating targetGroup", wanted.id)
        all_tags = tags(self._wanted_tags(wanted.id, wanted.tags))
        created = self._elbv2.create_target_group(**request, Tags=all_tags)["TargetGroups"][0]
        self._arns[wanted.id] = arn = created["TargetGroupArn"]
        self._set_target_group_attributes(arn, drift.changed_attributes(wanted.attributes, {}))

    def _modify_target_group(self, wanted: TargetGroup, existing: _Existing) -> None:
        self._arns[wanted.id] = arn = existing.shape["TargetGroupArn"]
        self._retag(arn, self._wanted_tags(wanted.id, wanted.tags), existing.tags)
        if drift.health_check_drifted(wanted.health_check, existing.shape):
            self._say("modifying targetGroup healthCheck", wanted.id)
            request = elbv2_shapes.request_health_check(wanted.health_check)
            self._elbv2.modify_target_group(TargetGroupArn=arn, **request)
        if wanted.attributes:
            described = self._elbv2.describe_target_group_attributes(TargetGroupArn=arn)["Attributes"]
            changed = drift.changed_attributes(wanted.attributes, read_tags(described))
            self._set_target_group_attributes(arn, changed)

    def _set_target_group_attributes(self, arn: str, changed: Mapping[str, str]) -> None:
        if changed:
            self._say("modifying targetGroup attributes", arn)
            self._elbv2.modify_target_group_attributes(TargetGroupArn=arn, Attributes=tags(changed))

    # --- load balancer -------------------------------------------------------------------------------------

    def _deploy_load_balancer(self) -> str | None:
        wanted = self._stack.load_balancer
        existing = self._owned("describe_load_balancers", "LoadBalancers", "LoadBalancerArn")
        match = next((one for one in existing if wanted and self._is_same_balancer(wanted, one)), None)
        for one in existing:
            if one is not match:
                self._delete_load_balancer(one.shape["LoadBalancerArn"])
        if wanted is None:
            return None
        if match is None:
            created = self._create_load_balancer(wanted)
            self._deploy_listeners(created["LoadBalancerArn"], [])
            return str(created["DNSName"])
        arn = match.shape["LoadBalancerArn"]
        self._modify_load_balancer(wanted, match)
        listeners = self._deployer.pages("describe_listeners", "Listeners", LoadBalancerArn=arn)
        self._deploy_listeners(arn, list(listeners))
        return str(match.shape["DNSName"])

    def _is_same_balancer(self, wanted: LoadBalancer, existing: _Existing) -> bool:
        if not self._has_resource_tags:
            # The cloud provider looks for the name, and never compares the scheme ("TODO: Sync internal vs
            # non-internal"): changing the annotation of a standing NLB has no effect.
            return bool(existing.shape["LoadBalancerName"] == wanted.name)
        has_tags = self._stack.tracking_tags(LOAD_BALANCER_ID).items() <= existing.tags.items()
        return has_tags and not drift.load_balancer_needs_replacement(wanted, existing.shape)

    def _create_load_balancer(self, wanted: LoadBalancer) -> Mapping[str, Any]:
        request = elbv2_shapes.request_load_balancer(wanted)
        self._say("creating loadBalancer", LOAD_BALANCER_ID)
        all_tags = tags(self._wanted_tags(LOAD_BALANCER_ID, wanted.tags))
        created = self._elbv2.create_load_balancer(**request, Tags=all_tags)["LoadBalancers"][0]
        self._set_load_balancer_attributes(
            created["LoadBalancerArn"],
            drift.changed_attributes(wanted.attributes, drift.LOAD_BALANCER_DEFAULTS[wanted.type]),
        )
        return created

    def _modify_load_balancer(self, wanted: LoadBalancer, existing: _Existing) -> None:
        arn = existing.shape["LoadBalancerArn"]
        self._retag(arn, self._wanted_tags(LOAD_BALANCER_ID, wanted.tags), existing.tags)
        if wanted.ip_address_type != existing.shape.get("IpAddressType", "ipv4"):
            self._say("setting loadBalancer ipAddressType", LOAD_BALANCER_ID)
            ip_address_type: Any = wanted.ip_address_type
            self._elbv2.set_ip_address_type(LoadBalancerArn=arn, IpAddressType=ip_address_type)
        request = elbv2_shapes.request_load_balancer(wanted)
        subnets = {zone["SubnetId"] for zone in existing.shape.get("AvailabilityZones", ())}
        # The cloud provider of 2020 leaves the subnets of a standing NLB alone.
        if self._has_resource_tags and subnets != {one.subnet_id for one in wanted.subnet_mappings}:
            self._say("setting loadBalancer subnets", LOAD_BALANCER_ID)
            self._elbv2.set_subnets(LoadBalancerArn=arn, SubnetMappings=request["SubnetMappings"])
        if wanted.attributes:
            described = self._elbv2.describe_load_balancer_attributes(LoadBalancerArn=arn)["Attributes"]
            have = {**drift.LOAD_BALANCER_DEFAULTS[wanted.type], **read_tags(described)}
            self._set_load_balancer_attributes(arn, drift.changed_attributes(wanted.attributes, have))

    def _set_load_balancer_attributes(self, arn: str, changed: Mapping[str, str]) -> None:
        if changed:
            self._say("modifying loadBalancer attributes", arn)
            self._elbv2.modify_load_balancer_attributes(LoadBalancerArn=arn, Attributes=tags(changed))

    def _delete_load_balancer(self, arn: str) -> None:
        self._say("deleting loadBalancer", arn)
        try:
            self._elbv2.delete_load_balancer(LoadBalancerArn=arn)
        except ClientError as error:
            if "deletion protection" not in str(error):
                raise
            self._set_load_balancer_attributes(arn, {"deletion_protection.enabled": "false"})
            self._elbv2.delete_load_balancer(LoadBalancerArn=arn)

    # --- listeners -----------------------------------------------------------------------------------------

    def _deploy_listeners(self, balancer: str, existing: Sequence[Mapping[str, Any]]) -> None:
        by_port = {int(shape["Port"]): shape for shape in existing}
        wanted_ports = {wanted.port for wanted in self._stack.listeners}
        for port, shape in by_port.items():
            if port not in wanted_ports:
                self._say("deleting listener", shape["ListenerArn"])
                self._elbv2.delete_listener(ListenerArn=shape["ListenerArn"])
        standing = [by_port[port]["ListenerArn"] for port in by_port if port in wanted_ports]
        known_tags = self._deployer.tags_of(standing) if self._tags_listeners else {}
        arns: dict[int, tuple[str, bool]] = {}
        for wanted in self._stack.listeners:
            if wanted.port not in by_port:
                arns[wanted.port] = self._create_listener(balancer, wanted), True
                continue
            shape = by_port[wanted.port]
            self._modify_listener(wanted, _Existing(shape, known_tags.get(shape["ListenerArn"], {})))
            arns[wanted.port] = shape["ListenerArn"], False
        for port, (arn, is_new) in arns.items():
            rules = [rule for rule in self._stack.rules if rule.listener_port == port]
            if rules or not (is_new or self._is_network):
                self._deploy_rules(arn, rules, is_new=is_new)

    def _create_listener(self, balancer: str, wanted: Listener) -> str:
        request = elbv2_shapes.request_listener(wanted, self._resolve)
        if self._tags_listeners:
            request["Tags"] = tags(self._wanted_tags(wanted.id, wanted.tags))
        self._say("creating listener", wanted.id)
        created = self._elbv2.create_listener(LoadBalancerArn=balancer, **request)["Listeners"][0]
        arn = created["ListenerArn"]
        self._add_certificates(arn, wanted.certificates[1:])
        self._set_listener_attributes(arn, drift.changed_attributes(wanted.attributes, {}))
        return arn

    def _modify_listener(self, wanted: Listener, existing: _Existing) -> None:
        shape, arn = existing.shape, existing.shape["ListenerArn"]
        if self._tags_listeners:
            self._retag(arn, self._wanted_tags(wanted.id, wanted.tags), existing.tags)
        if drift.listener_drifted(wanted, shape, self._resolve):
            request = elbv2_shapes.request_listener(wanted, self._resolve)
            del request["Port"]  # its identity
            self._say("modifying listener", wanted.id)
            self._elbv2.modify_listener(ListenerArn=arn, **request)
        if wanted.certificates:
            self._deploy_certificates(arn, wanted)
        if wanted.attributes:
            described = self._elbv2.describe_listener_attributes(ListenerArn=arn)["Attributes"]
            changed = drift.changed_attributes(wanted.attributes, read_tags(described))
            self._set_listener_attributes(arn, changed)

    def _deploy_certificates(self, arn: str, wanted: Listener) -> None:
        """The certificates for SNI; the default one is the listener's own. Old ones go first."""
        described = list(
            self._deployer.pages("describe_listener_certificates", "Certificates", ListenerArn=arn)
        )
        have = [one["CertificateArn"] for one in described if not one.get("IsDefault")]
        extra = wanted.certificates[1:]
        for one in have:
            if one not in extra and one != wanted.certificates[0]:
                self._say("removing certificate from listener", one)
                self._elbv2.remove_listener_certificates(
                    ListenerArn=arn, Certificates=[{"CertificateArn": one}]
                )
        self._add_certificates(arn, [one for one in extra if one not in have])

    def _add_certificates(self, arn: str, certificates: Sequence[str]) -> None:
        for one in certificates:  # the API takes one a call
            self._say("adding certificate to listener", one)
            self._elbv2.add_listener_certificates(ListenerArn=arn, Certificates=[{"CertificateArn": one}])

    def _set_listener_attributes(self, arn: str, changed: Mapping[str, str]) -> None:
        if changed:
            self._say("modifying listener attributes", arn)
            self._elbv2.modify_listener_attributes(ListenerArn=arn, Attributes=tags(changed))

    # --- rules ---------------------------------------------------------------------------------------------

    def _deploy_rules(self, listener: str, wanted: Sequence[ListenerRule], *, is_new: bool) -> None:
        described = [] if is_new else self._deployer.pages("describe_rules", "Rules", ListenerArn=listener)
        existing = [shape for shape in described if not shape.get("IsDefault")]
        changes = drift.rule_changes(wanted, existing, self._resolve, self._options.version)
        if changes.priorities:
            self._say("setting listener rule priorities", listener)
            pairs: Any = [{"RuleArn": arn, "Priority": to} for arn, to in changes.priorities.items()]
            self._elbv2.set_rule_priorities(RulePriorities=pairs)
        if changes.delete_first:
            self._delete_rules(changes.delete)
            self._create_rules(listener, changes.create, ())
            self._modify_rules(changes.modify)
        else:
            self._modify_rules(changes.modify)
            self._create_rules(listener, changes.create, changes.delete)
        if self._tags_listeners:
            self._retag_rules({**changes.kept, **changes.modify})

    def _modify_rules(self, changed: Mapping[str, ListenerRule]) -> None:
        for arn, rule in changed.items():
            self._say("modifying listener rule", rule.id)
            self._elbv2.modify_rule(RuleArn=arn, **self._request_rule(rule))

    def _create_rules(self, listener: str, wanted: Sequence[ListenerRule], unused: Sequence[str]) -> None:
        """Create all before any is deleted; if the quota forbids that, one by one in turn."""
        waiting, leaving = list(wanted), list(unused)
        while waiting:
            try:
                self._create_rule(listener, waiting[0])
            except ClientError as error:
                if error.response["Error"]["Code"] != "TooManyRules" or not leaving:
                    raise
                self._delete_rules([leaving.pop(0)])
            else:
                waiting.pop(0)
        self._delete_rules(leaving)

    def _create_rule(self, listener: str, rule: ListenerRule) -> None:
        request = self._request_rule(rule)
        if self._tags_listeners:
            request["Tags"] = tags(self._wanted_tags(rule.id, rule.tags))
        self._say("creating listener rule", rule.id)
        self._elbv2.create_rule(ListenerArn=listener, Priority=rule.priority, **request)

    def _delete_rules(self, arns: Sequence[str]) -> None:
        for arn in arns:
            self._say("deleting listener rule", arn)
            self._elbv2.delete_rule(RuleArn=arn)

    def _request_rule(self, rule: ListenerRule) -> dict[str, Any]:
        request: dict[str, Any] = {
            "Conditions": elbv2_shapes.request_conditions(rule.conditions),
            "Actions": elbv2_shapes.request_actions(rule.actions, self._resolve),
        }
        if rule.transforms:
            request["Transforms"] = elbv2_shapes.request_transforms(rule.transforms)
        return request

    def _retag_rules(self, rules: Mapping[str, ListenerRule]) -> None:
        known = self._deployer.tags_of(list(rules))
        for arn, rule in rules.items():
            self._retag(arn, self._wanted_tags(rule.id, rule.tags), known.get(arn, {}))

    # --- all of them ---------------------------------------------------------------------------------------

    def _owned(self, operation: str, key: str, arn: str) -> list[_Existing]:
        return self._deployer.owned(operation, key, arn, self._stack.stack_tags())

    def _resolve(self, reference: Reference) -> str:
        if isinstance(reference, Ref):
            assert reference.kind is Kind.TARGET_GROUP, "actions refer to target groups only"
            return self._arns[reference.id]
        return reference

    def _wanted_tags(self, resource_id: str, own: Mapping[str, str]) -> dict[str, str]:
        return {**own, **self._stack.tracking_tags(resource_id)}

    def _retag(self, arn: str, wanted: Mapping[str, str], have: Mapping[str, str]) -> None:
        missing = {key: value for key, value in wanted.items() if have.get(key) != value}
        if missing:
            self._say("adding resource tags", arn)
            self._elbv2.add_tags(ResourceArns=[arn], Tags=tags(missing))
        foreign = self._options.external_managed_tags
        extra = sorted(
            key for key in have if key not in wanted and key not in foreign and not key.startswith("aws:")
        )
        if extra and self._has_resource_tags:
            self._say("removing resource tags", arn)
            self._elbv2.remove_tags(ResourceArns=[arn], TagKeys=extra)

    def _say(self, what: str, which: str) -> None:
        field = "arn" if which.startswith("arn:") else "resourceID"
        self._deployer.log("info", f"{what} stackID={self._stack.id} {field}={which}")


@contextmanager
def told_as_deploy_error(version: Version) -> Iterator[None]:
    """Turn an error of boto3 into the text that the controller's Go SDK gives.

    Raises:
        DeployError: instead of botocore's errors.
    """
    try:
        yield
    except ClientError as error:
        raise DeployError(_text(error, version)) from error
    except BotoCoreError as error:
        raise DeployError(str(error)) from error


def _text(error: ClientError, version: Version) -> str:
    """v2.1 uses the AWS SDK for Go v1, newer ones v2; each words errors in its own way."""
    told = error.response.get("Error", {})
    meta: Mapping[str, Any] = error.response.get("ResponseMetadata", {})
    what = f"{told.get('Code', '')}: {told.get('Message', '')}"
    status, request = meta.get("HTTPStatusCode", ""), meta.get("RequestId", "")
    if version is Version.V2_1:
        return f"{what}\n\tstatus code: {status}, request id: {request}"
    return (
        f"operation error Elastic Load Balancing v2: {error.operation_name}, "
        f"https response error StatusCode: {status}, RequestID: {request}, {what}"
    )
