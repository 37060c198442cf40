"""Makes the listeners of one load balancer, their certificates and their rules what the stack wants."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from botocore.exceptions import ClientError

from testbed.lb_controller import drift, elbv2_shapes
from testbed.lb_controller.deploy_session import Existing, Session
from testbed.lb_controller.elbv2_shapes import read_tags, tags
from testbed.lb_controller.stack import Listener, ListenerRule


class ListenerDeployment:
    """Listeners are known by their port: those that go are deleted before new ones are made."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._elbv2 = session.elbv2
        # v2.1 tags neither listeners nor rules (feature gate ListenerRulesTagging came later).
        self._tags_listeners = session.has_resource_tags and not session.is_old
        balancer = session.stack.load_balancer
        self._is_network = balancer is not None and balancer.type == "network"

    def deploy(self, balancer: str, existing: Sequence[Mapping[str, Any]]) -> None:
        """Bring the listeners of a balancer's ARN up to date; `existing` are the described ones."""
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
                continue
            shape = by_port[wanted.port]
            self._modify_listener(wanted, Existing(shape, known_tags.get(shape["ListenerArn"], {})))
            arns[wanted.port] = shape["ListenerArn"], False
        for port, (arn, is_new) in arns.items():
            rules = [rule for rule in self._session.stack.rules if rule.listener_port == port]
            if rules or not (is_new or self._is_network):
                self._deploy_rules(arn, rules, is_new=is_new)

    def _create_listener(self, balancer: str, wanted: Listener) -> str:
        request = elbv2_shapes.request_listener(wanted, self._session.resolve)
        if self._tags_listeners:
            request["Tags"] = tags(self._session.wanted_tags(wanted.id, wanted.tags))
        self._session.say("creating listener", wanted.id)
        created = self._elbv2.create_listener(LoadBalancerArn=balancer, **request)["Listeners"][0]
        arn = created["ListenerArn"]
        self._add_certificates(arn, wanted.certificates[1:])
        self._set_listener_attributes(arn, drift.changed_attributes(wanted.attributes, {}))
        return arn

    def _modify_listener(self, wanted: Listener, existing: Existing) -> None:
        shape, arn = existing.shape, existing.shape["ListenerArn"]
        if self._tags_listeners:
            self._session.retag(arn, self._session.wanted_tags(wanted.id, wanted.tags), existing.tags)
        if drift.listener_drifted(wanted, shape, self._session.resolve):
            request = elbv2_shapes.request_listener(wanted, self._session.resolve)
            del request["Port"]  # its identity
            self._session.say("modifying listener", wanted.id)
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
            self._session.pages("describe_listener_certificates", "Certificates", ListenerArn=arn)
        )
        have = [one["CertificateArn"] for one in described if not one.get("IsDefault")]
        extra = wanted.certificates[1:]
        for one in have:
            if one not in extra and one != wanted.certificates[0]:
                self._session.say("removing certificate from listener", one)
                self._elbv2.remove_listener_certificates(
                    ListenerArn=arn, Certificates=[{"CertificateArn": one}]
                )
        self._add_certificates(arn, [one for one in extra if one not in have])

    def _add_certificates(self, arn: str, certificates: Sequence[str]) -> None:
        for one in certificates:  # the API takes one a call
            self._session.say("adding certificate to listener", one)
            self._elbv2.add_listener_certificates(ListenerArn=arn, Certificates=[{"CertificateArn": one}])

    def _set_listener_attributes(self, arn: str, changed: Mapping[str, str]) -> None:
        if changed:
            self._session.say("modifying listener attributes", arn)
            self._elbv2.modify_listener_attributes(ListenerArn=arn, Attributes=tags(changed))

    # --- rules ---------------------------------------------------------------------------------------------

    def _deploy_rules(self, listener: str, wanted: Sequence[ListenerRule], *, is_new: bool) -> None:
        described = [] if is_new else self._session.pages("describe_rules", "Rules", ListenerArn=listener)
        existing = [shape for shape in described if not shape.get("IsDefault")]
        changes = drift.rule_changes(wanted, existing, self._session.resolve, self._session.options.version)
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
