"""Listener rules of a group: one per path, in the members' order, with the target groups that they need.

Paths of different rules or members are not sorted, so a catch-all of an early member hides all later paths
(pkg/ingress/model_build_listener_rules.go).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from testbed.kubernetes import object_fields
from testbed.lb_controller.core import forward_actions, tags
from testbed.lb_controller.core.annotations import of_ingress
from testbed.lb_controller.core.build_inputs import BuildError, ClusterState, KubernetesObject, Member
from testbed.lb_controller.core.forward_actions import BackendForward, BackendTarget
from testbed.lb_controller.core.stack import (
    Action,
    Condition,
    CoveredRule,
    Forward,
    Kind,
    ListenerRule,
    Ref,
    Reference,
    RuleSource,
    TargetGroup,
    TargetGroupBinding,
    WeightedTargetGroup,
)
from testbed.lb_controller.ingress import alb_target_groups as target_groups
from testbed.lb_controller.ingress import (
    authentication_actions,
    backend_actions,
    path_patterns,
    rule_conditions,
)
from testbed.lb_controller.ingress.alb_target_groups import Surroundings
from testbed.lb_controller.ingress.backend_actions import Backend
from testbed.lb_controller.ingress.listen_ports import HTTPS
from testbed.lb_controller.ingress.rule_optimizer import Rule, optimize


@dataclass(slots=True)
class Rulebook:
    """Builds the rules of one stack, and collects their target groups and the rules left out.

    It reads the members' Services from `cluster`.
    """

    cluster: ClusterState
    around: Surroundings
    target_groups: dict[str, TargetGroup] = field(default_factory=dict)
    bindings: dict[str, TargetGroupBinding] = field(default_factory=dict)
    covered_rules: list[CoveredRule] = field(default_factory=list)

    def rules(self, port: int, protocol: str, members: Sequence[Member]) -> tuple[ListenerRule, ...]:
        """The rules of a listener.

        Raises:
            BuildError: an Ingress is invalid; the text names it.
        """
        wanted = [rule for member in members for rule in self._of_member(member, protocol)]
        found = optimize(wanted, port, protocol)
        # By identity, as two paths may give equal rules.
        priorities = {id(rule): priority for priority, rule in enumerate(found.kept, start=1)}
        for rule, redirect in found.covered:
            assert rule.source is not None  # rules of a member have a source
            covered = CoveredRule(
                listener_port=port,
                conditions=rule.conditions,
                source=rule.source,
                by=priorities[id(redirect)],
            )
            self.covered_rules.append(covered)
        return tuple(
            ListenerRule(
                listener_port=port,
                priority=priorities[id(rule)],
                conditions=rule.conditions,
                actions=rule.actions,
                transforms=rule.transforms,
                tags=rule.tags,
                source=rule.source,
            )
            for rule in found.kept
        )

    def actions(self, member: Member, backend: Backend, protocol: str) -> tuple[Action, ...]:
        """The actions of a rule with a backend; authentication only on HTTPS.

        Raises:
            BuildError: a target group cannot be built.
        """
        first = backend.authentication if protocol == HTTPS else ()
        authentication_actions.check(first)
        if not isinstance(backend.action, BackendForward):
            return (*first, backend.action)
        targets = tuple(
            WeightedTargetGroup(target_group=self._reference(member, target), weight=target.weight)
            for target in backend.action.targets
        )
        forward = Forward(target_groups=targets, stickiness=backend.action.stickiness)
        return (*first, Action(type="forward", forward=forward))

    def backend(self, ingress: KubernetesObject, backend: Mapping[str, Any]) -> Backend:
        """Read a backend of an Ingress.

        Raises:
            BuildError: the backend is invalid.
        """
        return backend_actions.build(ingress, backend, self.cluster, self.around.options)

    def _of_member(self, member: Member, protocol: str) -> Iterator[Rule]:
        release = self.around.options.release
        rule_tags: Mapping[str, str] | None = None
        key = object_fields.namespace(member.ingress), object_fields.name(member.ingress)
        for index, rule in enumerate(object_fields.spec(member.ingress).get("rules") or ()):
            if not rule.get("http"):
                continue
            paths = rule["http"].get("paths") or ()
            indices = {id(path): number for number, path in enumerate(paths)}
            for path in path_patterns.in_order(paths, release):
                try:
                    backend = self.backend(member.ingress, path.get("backend") or {})
                    conditions = self._conditions(member, rule.get("host") or "", path, backend)
                    actions = self.actions(member, backend, protocol)
                    if rule_tags is None:  # only now, so that an error of the backend is raised first
                        options = self.around.options
                        rule_tags = tags.with_defaults(tags.of_member(member, options), options)
                except BuildError as error:
                    raise BuildError(f"ingress: {object_fields.key(member.ingress)}: {error}") from None
                yield Rule(
                    conditions=conditions,
                    actions=actions,
                    transforms=backend.transforms,
                    tags=rule_tags,
                    source=RuleSource(*key, index, indices[id(path)]),
                )

    def _conditions(
        self, member: Member, host: str, path: Mapping[str, Any], backend: Backend
    ) -> tuple[Condition, ...]:
        patterns: tuple[tuple[str, ...], tuple[str, ...]] = (), ()
        if path.get("path"):
            is_specific = path_patterns.path_type(path) == path_patterns.IMPLEMENTATION_SPECIFIC
            is_regex = is_specific and of_ingress(member.ingress).boolean("use-regex-path-match")
            patterns = path_patterns.patterns(
                path, is_regex=bool(is_regex), release=self.around.options.release
            )
        return rule_conditions.merged(host, patterns, backend.conditions)

    def _reference(self, member: Member, target: BackendTarget) -> Reference:
        existing = forward_actions.existing_target_group(target, self.cluster)
        if existing is not None:
            return existing
        assert target.service is not None
        assert target.port is not None
        key = target_groups.resource_id(member, target.service, target.port)
        if key not in self.target_groups:
            service = self.cluster.services[object_fields.namespace(member.ingress), target.service]
            built = target_groups.build(member, service, target.port, self.around)
            self.target_groups[key], self.bindings[key] = built
        return Ref(Kind.TARGET_GROUP, key)
