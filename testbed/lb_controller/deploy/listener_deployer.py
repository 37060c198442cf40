"""Makes the listeners of one load balancer, with certificates and rules, equal to the stack."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from botocore.exceptions import ClientError

from testbed.lb_controller.core.facts import Fact
from testbed.lb_controller.core.feature_gates import Gate, is_on
from testbed.lb_controller.core.stack import Listener, ListenerRule
from testbed.lb_controller.deploy import drift, elbv2_shapes
from testbed.lb_controller.deploy.deploy_session import Existing, Session
from testbed.lb_controller.deploy.elbv2_shapes import read_tags, tags


class ListenerDeployment:
    """Deploys listeners, identified by their port; unwanted ones are deleted before new ones are created."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._elbv2 = session.elbv2
        is_tagging = is_on(Gate.LISTENER_RULES_TAGGING, session.options)
        self._tags_listeners = session.has_resource_tags and is_tagging
        balancer = session.stack.load_balancer
        self._is_network = balancer is not None and balancer.type == "network"

    def deploy(self, balancer: str, existing: Sequence[Mapping[str, Any]]) -> None:
        """Bring the listeners of a load balancer up to date.

        Args:
            balancer: its ARN.
            existing: its described listeners.
        """
        # The port identifies a listener: another protocol on it is a modification.
        by_port = {int(shape["Port"]): shape for shape in existing}
        wanted_ports = {wanted.port for wanted in self._session.stack.listeners}
        for port, shape in by_port.items():
            if port not in wanted_ports:
                self._session.say("deleting listener", shape["ListenerArn"])
                self._elbv2.delete_listener(ListenerArn=shape["ListenerArn"])
        standing = [by_port[port]["ListenerArn"] for port in by_port if port in wanted_ports]
        known_tags = self._session.tags_of(standing) if self._tags_listeners else {}
        arns: dict[int, tuple[str, bool]] = {}
        for wanted in self._session.stack.listeners:
            if wanted.port not in by_port:
                arns[wanted.port] = self._create_listener(balancer, wanted), True
        for wanted in self._session.stack.listeners:
            if wanted.port in by_port:
                shape = by_port[wanted.port]
                self._modify_listener(wanted, Existing(shape, known_tags.get(shape["ListenerArn"], {})))
                arns[wanted.port] = shape["ListenerArn"], False
        for port, (arn, is_new) in arns.items():
            rules = [rule for rule in self._session.stack.rules if rule.listener_port == port]
            # A new listener has no old rules and an NLB never has any, so nothing needs to be described.
            if rules or not (is_new or self._is_network):
                self._deploy_rules(arn, rules, is_new=is_new)

    def _create_listener(self, balancer: str, wanted: Listener) -> str:
        request = elbv2_shapes.request_listener(wanted, self._session.resolve)
        if self._tags_listeners:
            request["Tags"] = tags(self._session.wanted_tags(wanted.id, wanted.tags))
        self._session.say("creating listener", wanted.id)
        created = self._elbv2.create_listener(LoadBalancerArn=balancer, **request)["Listeners"][0]
        arn = created["ListenerArn"]
        self._add_certificates(arn, self._listed(wanted))  # CreateListener takes one only
        self._set_listener_attributes(arn, wanted.attributes)
        return arn

    def _modify_listener(self, wanted: Listener, existing: Existing) -> None:
        shape, arn = existing.shape, existing.shape["ListenerArn"]
        if self._tags_listeners:
            self._session.retag(arn, self._session.wanted_tags(wanted.id, wanted.tags), existing.tags)
        if drift.listener_drifted(wanted, shape, self._session.resolve):
            request = elbv2_shapes.request_listener(wanted, self._session.resolve)
            self._session.say("modifying listener", wanted.id)
            self._elbv2.modify_listener(ListenerArn=arn, **request)
        if wanted.certificates:
            self._deploy_certificates(arn, wanted)
        self._set_listener_attributes(arn, wanted.attributes)

    def _listed(self, wanted: Listener) -> tuple[str, ...]:
        """The certificates that SNI chooses from, without those that only the listener itself names."""
        has_default = self._session.options.release.has(Fact.DEFAULT_CERTIFICATE_LISTED)
        return wanted.certificates if has_default else wanted.certificates[1:]

    def _deploy_certificates(self, arn: str, wanted: Listener) -> None:
        """Update the certificates for SNI, old ones first."""
        described = self._session.pages("describe_listener_certificates", "Certificates", ListenerArn=arn)
        have = {one["CertificateArn"] for one in described if not one.get("IsDefault")}
        for one in sorted(have.difference(self._listed(wanted))):
            self._session.say("removing certificate from listener", one)
            self._elbv2.remove_listener_certificates(ListenerArn=arn, Certificates=[{"CertificateArn": one}])
        self._add_certificates(arn, [one for one in self._listed(wanted) if one not in have])

    def _add_certificates(self, arn: str, certificates: Sequence[str]) -> None:
        for one in sorted(set(certificates)):  # the API takes one per call
            self._session.say("adding certificate to listener", one)
            self._elbv2.add_listener_certificates(ListenerArn=arn, Certificates=[{"CertificateArn": one}])

    def _set_listener_attributes(self, arn: str, wanted: Mapping[str, str]) -> None:
        if not wanted:
            return
        described = self._elbv2.describe_listener_attributes(ListenerArn=arn)["Attributes"]
        changed = drift.changed_attributes(wanted, read_tags(described))
        if changed:
            self._session.say("modifying listener attributes", arn)
            self._elbv2.modify_listener_attributes(ListenerArn=arn, Attributes=tags(changed))

    # --- rules ---------------------------------------------------------------------------------------------

    def _deploy_rules(self, listener: str, wanted: Sequence[ListenerRule], *, is_new: bool) -> None:
        described = [] if is_new else self._session.pages("describe_rules", "Rules", ListenerArn=listener)
        existing = [shape for shape in described if not shape.get("IsDefault")]
        changes = drift.rule_changes(wanted, existing, self._session.resolve, self._session.options.release)
        if changes.priorities:
            self._session.say("setting listener rule priorities", listener)
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
            self._session.say("modifying listener rule", rule.id)
            request = self._request_rule(rule)
            if not rule.transforms and self._session.options.release.has(Fact.TRANSFORMS):
                request["ResetTransforms"] = True  # else the old ones stay
            self._elbv2.modify_rule(RuleArn=arn, **request)

    def _create_rules(self, listener: str, wanted: Sequence[ListenerRule], unused: Sequence[str]) -> None:
        """Create all rules before any is deleted; if the quota forbids that, alternate one by one."""
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
            request["Tags"] = tags(self._session.wanted_tags(rule.id, rule.tags))
        self._session.say("creating listener rule", rule.id)
        self._elbv2.create_rule(ListenerArn=listener, Priority=rule.priority, **request)

    def _delete_rules(self, arns: Sequence[str]) -> None:
        for arn in arns:
            self._session.say("deleting listener rule", arn)
            self._elbv2.delete_rule(RuleArn=arn)

    def _request_rule(self, rule: ListenerRule) -> dict[str, Any]:
        request: dict[str, Any] = {
            "Conditions": elbv2_shapes.request_conditions(rule.conditions),
            "Actions": elbv2_shapes.request_actions(rule.actions, self._session.resolve),
        }
        if rule.transforms:
            request["Transforms"] = elbv2_shapes.request_transforms(rule.transforms)
        return request

    def _retag_rules(self, rules: Mapping[str, ListenerRule]) -> None:
        known = self._session.tags_of(list(rules))
        for arn, rule in rules.items():
            self._session.retag(arn, self._session.wanted_tags(rule.id, rule.tags), known.get(arn, {}))
