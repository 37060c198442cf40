"""What a rule of a route does: filters, backends and ListenerRuleConfigurations as actions of ELBv2."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from testbed.kubernetes import object_fields
from testbed.lb_controller.core.build_inputs import BuildError, ClusterState, KubernetesObject
from testbed.lb_controller.core.stack import (
    Action,
    Authenticate,
    Condition,
    FixedResponse,
    Forward,
    Redirect,
    Rewrite,
    Stickiness,
    Transform,
    WeightedTargetGroup,
)
from testbed.lb_controller.gateway.gateway_objects import GatewayObjects
from testbed.lb_controller.gateway.gateway_target_groups import TargetGroups
from testbed.lb_controller.gateway.route_matches import Match, path_prefix

_FIXED = "fixed-response"
NO_BACKEND = Action(type=_FIXED, fixed_response=FixedResponse(status_code="500", content_type="text/plain"))
"""The answer of a rule without a backend that exists and has a weight (recorded; an Ingress answers 503)."""
_UNSUPPORTED = (
    "Unsupported filter type: {}. Only request redirect is supported. To specify header modification, please "
    "configure it through LoadBalancerConfiguration."
)
"""Recorded; an URLRewrite is built in spite of the text."""
BUILT_FILTERS = ("RequestRedirect", "URLRewrite", "ExtensionRef")
"""The types of filters that a Gateway can have; any other refuses it whole."""
_WHOLE_HOST, _WHOLE_PATH = ".*", "^([^?]*)"
_PORTS = {"https": "443", "http": "80"}
_BEFORE_FORWARD = ("authenticate-cognito", "authenticate-oidc", "jwt-validation")
_CONFIGS = {
    "authenticate-cognito": "authenticateCognitoConfig",
    "authenticate-oidc": "authenticateOIDCConfig",
    "jwt-validation": "jwtValidationConfig",
}


@dataclass(frozen=True, slots=True)
class RouteActions:
    """Builds the actions of the rules at a listener.

    Attributes:
        unaccepted: ListenerRuleConfigurations, `namespace/name`, that the controller has not accepted yet.
    """

    targets: TargetGroups
    objects: GatewayObjects
    cluster: ClusterState
    unaccepted: frozenset[str] = frozenset()

    def of(self, match: Match, listener: Mapping[str, Any]) -> tuple[Action, ...]:
        """Return the actions of a match.

        Raises:
            BuildError: a filter is not supported, or a target group cannot be built.
        """
        configurations = self._configurations(match)
        if None in configurations:
            return (NO_BACKEND,)
        forward = self._forward(match, listener)
        redirect: Action | None = None
        for rule_filter in _filters(match):
            match rule_filter["type"]:
                case "RequestRedirect":
                    redirect = _redirect(rule_filter["requestRedirect"])
                case kind if kind in BUILT_FILTERS:
                    pass
                case other:
                    raise BuildError(_UNSUPPORTED.format(other))
        return self._configured(match, redirect or forward or NO_BACKEND)

    def conditions(self, match: Match) -> tuple[Condition, ...]:
        """Return the conditions that ListenerRuleConfigurations add to those of a match."""
        found = []
        for spec in self._configurations(match):
            for one in (spec or {}).get("conditions") or ():
                indexes = one.get("matchIndexes") or ()
                if one.get("field") == "source-ip" and (not indexes or match.match_index in indexes):
                    values = tuple((one.get("sourceIPConfig") or {}).get("values") or ())
                    found.append(Condition(field="source-ip", values=values))
        return tuple(found)

    def _forward(self, match: Match, listener: Mapping[str, Any]) -> Action | None:
        weighted = weighted_targets(match.route, match.rule, listener, self.targets, self.cluster)
        if not any(one.weight for one in weighted):
            return None
        return Action(type="forward", forward=Forward(target_groups=weighted))

    def _configured(self, match: Match, action: Action) -> tuple[Action, ...]:
        before: list[Action] = []
        for spec in self._configurations(match):
            for one in (spec or {}).get("actions") or ():
                kind = one.get("type")
                if kind == _FIXED:
                    action = _fixed_response(one["fixedResponseConfig"])
                elif kind == "redirect" and action.redirect:
                    action = _with_query(action.redirect, (one.get("redirectConfig") or {}).get("query"))
                elif kind == "forward" and action.forward:
                    action = _sticky(action.forward, one.get("forwardConfig") or {})
                elif kind in _BEFORE_FORWARD:
                    before.append(Action(type=kind, authenticate=Authenticate(config=one[_CONFIGS[kind]])))
        return (*before, action)

    def _configurations(self, match: Match) -> list[Mapping[str, Any] | None]:
        """The specs that a rule's ExtensionRefs name; None for one that is missing or not accepted."""
        namespace = object_fields.namespace(match.route)
        found: list[Mapping[str, Any] | None] = []
        for one in _filters(match):
            if one["type"] != "ExtensionRef":
                continue
            key = (namespace, str(one["extensionRef"].get("name")))
            item = self.objects.listener_rule_configurations.get(key)
            is_usable = item is not None and "/".join(key) not in self.unaccepted
            found.append(object_fields.spec(item) if is_usable else None)
        return found


def weighted_targets(
    route: KubernetesObject,
    rule: Mapping[str, Any],
    listener: Mapping[str, Any],
    targets: TargetGroups,
    cluster: ClusterState,
) -> tuple[WeightedTargetGroup, ...]:
    """Return the target groups of a rule's backends that exist, with their weights.

    Raises:
        BuildError: a target group cannot be built.
    """
    found = []
    for backend in rule.get("backendRefs") or ():
        namespace = backend.get("namespace") or object_fields.namespace(route)
        name = str(backend.get("name"))
        service = cluster.services.get((namespace, name))
        if service is None or not targets.objects.may_refer(route, namespace, name):
            continue
        group = targets.of(route, service, int(backend.get("port") or 0), listener)
        weight = backend.get("weight")
        found.append(WeightedTargetGroup(target_group=group, weight=1 if weight is None else int(weight)))
    return tuple(found)


def transforms(match: Match) -> tuple[Transform, ...]:
    """Return the rewrites of host and path that a rule's URLRewrite filters ask for."""
    found: list[Transform] = []
    for one in _filters(match):
        rewrite = one.get("urlRewrite") if one["type"] == "URLRewrite" else None
        if not rewrite:
            continue
        if rewrite.get("hostname"):
            found.append(_transform("host-header-rewrite", _WHOLE_HOST, rewrite["hostname"]))
        path = rewrite.get("path") or {}
        if path.get("type") == "ReplaceFullPath":
            found.append(_transform("url-rewrite", _WHOLE_PATH, path["replaceFullPath"]))
        elif path.get("type") == "ReplacePrefixMatch":
            prefix = f"(^{path_prefix(match.match)}(/)?)"
            found.append(_transform("url-rewrite", prefix, _ending_in_slash(path["replacePrefixMatch"])))
    return tuple(found)


def _filters(match: Match) -> Sequence[Mapping[str, Any]]:
    return match.rule.get("filters") or ()


def _transform(kind: str, regex: str, replace: str) -> Transform:
    return Transform(type=kind, rewrites=(Rewrite(regex=regex, replace=replace),))


def _ending_in_slash(path: str) -> str:
    """The pattern takes the slash after the prefix with it; only "/" itself is recorded."""
    return path if path.endswith("/") else f"{path}/"


def _redirect(wanted: Mapping[str, Any]) -> Action:
    scheme, path = wanted.get("scheme"), wanted.get("path") or {}
    port = wanted.get("port") or _PORTS.get(str(scheme))
    return Action(
        type="redirect",
        redirect=Redirect(
            status_code=f"HTTP_{wanted.get('statusCode') or 302}",
            protocol=scheme.upper() if scheme else None,
            host=wanted.get("hostname"),
            port=str(port) if port else None,
            path=path.get("replaceFullPath") or path.get("replacePrefixMatch"),
        ),
    )


def _with_query(redirect: Redirect, query: str | None) -> Action:
    return Action(type="redirect", redirect=replace(redirect, query=query))


def _sticky(forward: Forward, config: Mapping[str, Any]) -> Action:
    wanted = config.get("targetGroupStickinessConfig") or {}
    stickiness = Stickiness(enabled=wanted.get("enabled"), duration_seconds=wanted.get("durationSeconds"))
    return Action(
        type="forward",
        forward=replace(forward, stickiness=stickiness if wanted else None),
    )


def _fixed_response(config: Mapping[str, Any]) -> Action:
    return Action(
        type=_FIXED,
        fixed_response=FixedResponse(
            status_code=str(config["statusCode"]),
            content_type=config.get("contentType"),
            message_body=config.get("messageBody"),
        ),
    )
