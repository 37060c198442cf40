"""An Ingress group with the stack that it becomes, and the look-ups that several rules share."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from testbed.errors import Location
from testbed.kubernetes import object_fields
from testbed.lb_controller.core.build_inputs import Group, Member
from testbed.lb_controller.core.stack import Action, ListenerRule, Ref, RuleSource, Stack, TargetGroup
from testbed.lb_controller.ingress.rule_conditions import in_words

Field = str | int
Locate = Callable[[str, str, str, tuple[Field, ...]], Location]
"""Return the line of a field: kind, namespace and name of the object, and the path from its root."""

_ANNOTATION = "alb.ingress.kubernetes.io/"


class PlannedGroup:
    """The group, its stack, and the lines in which the parts of both are written.

    Attributes:
        target_groups: by resource id.
        bindings: by resource id, which is that of their target group.
        listeners: by port.
    """

    def __init__(self, group: Group, stack: Stack, locate: Locate) -> None:
        self.group = group
        self.stack = stack
        self.target_groups = {item.id: item for item in stack.target_groups}
        self.bindings = {item.id: item for item in stack.bindings}
        self.listeners = {item.port: item for item in stack.listeners}
        self._locate = locate
        self._members = {object_fields.key(member.ingress): member for member in group.members}

    def target_groups_of(self, actions: Iterable[Action]) -> Iterator[TargetGroup]:
        """The target groups of the stack that some actions forward to."""
        for action in actions:
            for item in action.forward.target_groups if action.forward else ():
                if isinstance(item.target_group, Ref):
                    yield self.target_groups[item.target_group.id]

    def member_of(self, group: TargetGroup) -> Member:
        """The Ingress that a target group belongs to: its id begins with the Ingress and the Service."""
        binding = self.bindings[group.id]
        key = group.id.removesuffix(f"-{binding.service_name}:{binding.service_port}")
        return self._members[key]

    def member(self, source: RuleSource) -> Member:
        """The Ingress of a path that a rule was made of."""
        return self._members[f"{source.namespace}/{source.name}"]

    def path(self, source: RuleSource) -> Mapping[str, Any]:
        """The path, as the Ingress has it."""
        rules = object_fields.spec(self.member(source).ingress)["rules"]
        found: Mapping[str, Any] = rules[source.rule]["http"]["paths"][source.path]
        return found

    def line(self, member: Member, *path: Field) -> Location:
        """The line of a field of a member."""
        ingress = member.ingress
        return self._locate("Ingress", object_fields.namespace(ingress), object_fields.name(ingress), path)

    def annotation_line(self, member: Member, suffix: str) -> Location:
        """The line of a member's annotation `alb.ingress.kubernetes.io/<suffix>`."""
        return self.line(member, "metadata", "annotations", _ANNOTATION + suffix)

    def source_line(self, source: RuleSource) -> Location:
        """The line of the Ingress path that a rule was made of."""
        path = ("spec", "rules", source.rule, "http", "paths", source.path)
        return self._locate("Ingress", source.namespace, source.name, path)

    def rule_line(self, rule: ListenerRule) -> Location:
        """The line of the Ingress path of a rule."""
        return self.source_line(source_of(rule))

    def rule_title(self, rule: ListenerRule) -> str:
        """`rule 443:2 (path /a/*, Ingress default/web, web.yaml:12)`."""
        source = source_of(rule)
        return (
            f"rule {rule.id} ({in_words(rule.conditions)}, "
            f"Ingress {source.namespace}/{source.name}, {self.rule_line(rule)})"
        )

    def target_group_title(self, group: TargetGroup) -> str:
        """`GRPC target group k8s-default-web-0123 (Service default/web port 80)`."""
        binding = self.bindings[group.id]
        return (
            f"{group.protocol_version} target group {group.name} "
            f"(Service {binding.namespace}/{binding.service_name} port {binding.service_port})"
        )


def source_of(rule: ListenerRule) -> RuleSource:
    """The Ingress path that a rule of a group was made of."""
    assert rule.source is not None  # only rules that did not come from an Ingress have none
    return rule.source
