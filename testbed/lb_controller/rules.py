"""Listener rules of a group: one per path, in the members' order, with what each needs to be built.

Nothing is sorted across paths of different rules or members, so a catch-all of an early member hides all that
follows (pkg/ingress/model_build_listener_rules.go).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from testbed.lb_controller import backends, objects, rule_conditions, rule_paths, tags, target_groups
from testbed.lb_controller.annotations import of_ingress
from testbed.lb_controller.backends import Backend, BackendForward, BackendTarget
from testbed.lb_controller.inputs import BuildError, ClusterState, KubernetesObject, Member
from testbed.lb_controller.listen_ports import HTTPS
from testbed.lb_controller.rule_optimizer import Rule, optimize
from testbed.lb_controller.stack import (
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
from testbed.lb_controller.target_groups import Surroundings


@dataclass(slots=True)
class Rulebook:
    """Builds actions, and keeps the target groups that they need, each once, and the rules left out.

    One per stack; the members' Services are read from `cluster`.
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
        priorities = {id(rule): priority for priority, rule in enumerate(found.kept, start=1)}
        for rule, redirect in found.covered:
            assert rule.source is not None  # rules of a member have one
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
        """What a rule with this backend does; authentication only on HTTPS.

        Raises:
            BuildError: a target group cannot be built.
        """
        first = backend.authentication if protocol == HTTPS else ()
        if not isinstance(backend.action, BackendForward):
            return (*first, backend.action)
        targets = tuple(
            WeightedTargetGroup(target_group=self._reference(member, target), weight=target.weight)
            for target in backend.action.targets
        )
        forward = Forward(target_groups=targets, stickiness=backend.action.stickiness)
        return (*first, Action(type="forward", forward=forward))

    def backend(self, ingress: KubernetesObject, backend: Mapping[str, Any]) -> Backend:
        """What a backend asks for.

        Raises:
            BuildError: it is invalid.
        """
        return backends.build(ingress, backend, self.cluster, self.around.options)

    def _of_member(self, member: Member, protocol: str) -> Iterator[Rule]:
        version = self.around.options.version
        rule_tags: Mapping[str, str] | None = None
        key = objects.namespace(member.ingress), objects.name(member.ingress)
        for index, rule in enumerate(objects.spec(member.ingress).get("rules") or ()):
            if not rule.get("http"):
                continue
            paths = rule["http"].get("paths") or ()
            indices = {id(path): number for number, path in enumerate(paths)}
            for path in rule_paths.in_order(paths, version):
                try:
                    backend = self.backend(member.ingress, path.get("backend") or {})
                    conditions = self._conditions(member, rule.get("host") or "", path, backend)
                    actions = self.actions(member, backend, protocol)
                    if rule_tags is None:
                        options = self.around.options
                        rule_tags = tags.with_defaults(tags.of_member(member, options), options)
                except BuildError as error:
                    raise BuildError(f"ingress: {objects.key(member.ingress)}: {error}") from None
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
            is_specific = rule_paths.path_type(path) == rule_paths.IMPLEMENTATION_SPECIFIC
            is_regex = is_specific and of_ingress(member.ingress).boolean("use-regex-path-match")
            patterns = rule_paths.patterns(path, is_regex=bool(is_regex), version=self.around.options.version)
        return rule_conditions.merged(host, patterns, backend.conditions)

    def _reference(self, member: Member, target: BackendTarget) -> Reference:
        if target.target_group_arn is not None:
            return target.target_group_arn
        if target.target_group_name is not None:
            found = self.cluster.target_groups.get(target.target_group_name)
            if found is None:
                raise BuildError(f'target group "{target.target_group_name}" not found')
            return found
        assert target.service is not None
        assert target.port is not None
        key = target_groups.resource_id(member, target.service, target.port)
        if key not in self.target_groups:
            service = self.cluster.services[objects.namespace(member.ingress), target.service]
            built = target_groups.build(member, service, target.port, self.around)
            self.target_groups[key], self.bindings[key] = built
        return Ref(Kind.TARGET_GROUP, key)
