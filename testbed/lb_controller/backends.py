"""What an Ingress backend asks for: its action, conditions and transforms.

A backend is a Service with a port; the port name `use-annotation` takes the action from the annotation
`actions.<service>` instead (pkg/ingress/{enhanced_backend_builder,config_types}.go).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from testbed.lb_controller import authentication, json_shapes, objects, rule_conditions
from testbed.lb_controller.annotations import Annotations, of_ingress
from testbed.lb_controller.inputs import (
    BuildError,
    ClusterState,
    ControllerOptions,
    KubernetesObject,
    Version,
)
from testbed.lb_controller.json_shapes import PORT
from testbed.lb_controller.stack import (
    Action,
    Condition,
    FixedResponse,
    Redirect,
    Rewrite,
    Stickiness,
    Transform,
)

USE_ANNOTATION = "use-annotation"
MISSING_SERVICE = "Backend service does not exist"
MISSING_ACTION = "Backend action does not exist"

_REDIRECT = dict.fromkeys(("host", "path", "port", "protocol", "query", "statusCode"), str)
_ACTION_SHAPE = {
    "type": str,
    "targetGroupARN": str,
    "targetGroupName": str,
    "fixedResponseConfig": {"contentType": str, "messageBody": str, "statusCode": str},
    "redirectConfig": _REDIRECT,
    "forwardConfig": {
        "baseServiceWeight": int,
        "targetGroups": [
            {
                "targetGroupARN": str,
                "targetGroupName": str,
                "serviceName": str,
                "servicePort": PORT,
                "weight": int,
            }
        ],
        "targetGroupStickinessConfig": {"enabled": bool, "durationSeconds": int},
    },
}
_REWRITES = {"rewrites": [{"regex": str, "replace": str}]}
_TRANSFORMS_SHAPE = [{"type": str, "hostHeaderRewriteConfig": _REWRITES, "urlRewriteConfig": _REWRITES}]
_TRANSFORM_CONFIGS = {"host-header-rewrite": "hostHeaderRewriteConfig", "url-rewrite": "urlRewriteConfig"}


@dataclass(frozen=True, slots=True, kw_only=True)
class BackendTarget:
    """One target of a forward: a Service's port, or a target group by ARN or name."""

    service: str | None = None
    port: int | str | None = None
    target_group_arn: str | None = None
    target_group_name: str | None = None
    weight: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class BackendForward:
    """A forward whose target groups are not built yet."""

    targets: tuple[BackendTarget, ...]
    stickiness: Stickiness | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Backend:
    """What stands behind a path or as default backend; authentication is for HTTPS listeners only."""

    action: BackendForward | Action
    conditions: tuple[Condition, ...] = ()
    transforms: tuple[Transform, ...] = ()
    authentication: tuple[Action, ...] = ()


def build(
    ingress: KubernetesObject,
    backend: Mapping[str, Any],
    cluster: ClusterState,
    options: ControllerOptions,
) -> Backend:
    """Read a backend of `networking.k8s.io/v1` and the annotations that go with it.

    Raises:
        BuildError: an annotation is invalid; a Service or an action is missing and not tolerated.
    """
    service = backend.get("service")
    if service is None:
        raise BuildError('missing required "service" field')
    annotations = of_ingress(ingress)
    name, port = service["name"], service.get("port") or {}
    conditions = rule_conditions.from_annotation(annotations, name)
    action: BackendForward | Action
    if port.get("name") == USE_ANNOTATION:
        action = action_from_annotation(annotations, name, options)
    else:
        target = BackendTarget(service=name, port=port.get("name") or port.get("number") or 0)
        action = BackendForward(targets=(target,))
    namespace = objects.namespace(ingress)
    action = with_existing_services(action, namespace, cluster, options)
    return Backend(
        action=action,
        conditions=conditions,
        transforms=transforms_from_annotation(annotations, name),
        authentication=authentication.actions(
            _with_single_service(annotations, action, namespace, cluster), namespace, cluster
        ),
    )


def with_existing_services(
    action: BackendForward | Action, namespace: str, cluster: ClusterState, options: ControllerOptions
) -> BackendForward | Action:
    """The action, or a fixed 503 in the place of a forward to a single Service that is missing.

    Raises:
        BuildError: a Service is missing and that is not tolerated: in a weighted forward, by the flag, and
            always before v2.2.
    """
    if not isinstance(action, BackendForward):
        return action
    names = sorted({target.service for target in action.targets if target.service})
    is_tolerated = _tolerates(options, options.tolerate_missing_service) and len(action.targets) == 1
    for name in names:
        if (namespace, name) not in cluster.services:
            if is_tolerated:
                return unavailable(MISSING_SERVICE)
            raise BuildError(f'services "{name}" not found')
    return action


def action_from_annotation(
    annotations: Annotations, service: str, options: ControllerOptions
) -> BackendForward | Action:
    """The annotation `actions.<service>`.

    Raises:
        BuildError: it is invalid, or missing and that is not tolerated.
    """
    suffix = f"actions.{service}"
    entry = json_shapes.read(annotations.json(suffix), _ACTION_SHAPE)
    if entry is None:
        if _tolerates(options, options.tolerate_missing_action):
            return unavailable(MISSING_ACTION)
        raise BuildError(f"missing {suffix} configuration")
    match entry.get("type") or "":
        case "fixed-response":
            return _fixed_response(_config(entry, "fixedResponseConfig", "FixedResponseConfig"))
        case "redirect":
            return _redirect(_config(entry, "redirectConfig", "RedirectConfig"))
        case "forward":
            return _forward(entry)
        case other:
            raise BuildError(f"unknown action type: {other}")


def transforms_from_annotation(annotations: Annotations, service: str) -> tuple[Transform, ...]:
    """The annotation `transforms.<service>`.

    Raises:
        BuildError: it is invalid.
    """
    entries = json_shapes.read(annotations.json(f"transforms.{service}"), _TRANSFORMS_SHAPE)
    return tuple(_transform(entry) for entry in entries or ())


def unavailable(message: str) -> Action:
    """A fixed 503 that says what is missing."""
    response = FixedResponse(status_code="503", content_type="text/plain", message_body=message)
    return Action(type="fixed-response", fixed_response=response)


def _with_single_service(
    annotations: Annotations, action: BackendForward | Action, namespace: str, cluster: ClusterState
) -> Annotations:
    """The annotations under those of the Service, if the forward goes to a single one."""
    if not isinstance(action, BackendForward) or len(action.targets) != 1:
        return annotations
    service = cluster.services.get((namespace, action.targets[0].service or ""))
    return annotations if service is None else of_ingress(service).over(annotations.values)


def _tolerates(options: ControllerOptions, flag: bool) -> bool:
    return flag and options.version is not Version.V2_1  # tolerance came with v2.2


def _config(entry: Mapping[str, Any], key: str, printed: str) -> Mapping[str, Any]:
    config: Mapping[str, Any] | None = entry.get(key)
    if config is None:
        raise BuildError(f"missing {printed}")
    if not config.get("statusCode"):
        raise BuildError(f"invalid {printed}: statusCode is required")
    return config


def _fixed_response(config: Mapping[str, Any]) -> Action:
    response = FixedResponse(
        status_code=config["statusCode"],
        content_type=config.get("contentType"),
        message_body=config.get("messageBody"),
    )
    return Action(type="fixed-response", fixed_response=response)


def _redirect(config: Mapping[str, Any]) -> Action:
    parts = {name: config.get(name) for name in _REDIRECT if name != "statusCode"}
    return Action(type="redirect", redirect=Redirect(status_code=config["statusCode"], **parts))


def _forward(entry: Mapping[str, Any]) -> BackendForward:
    arn, name, config = entry.get("targetGroupARN"), entry.get("targetGroupName"), entry.get("forwardConfig")
    if sum(item is not None for item in (arn, name, config)) != 1:
        raise BuildError(
            "precisely one of TargetGroupArn, TargetGroupName and ForwardConfig can be specified"
        )
    if config is None:
        return BackendForward(targets=(BackendTarget(target_group_arn=arn, target_group_name=name),))
    targets = tuple(_target(item) for item in config.get("targetGroups") or ())
    if len(targets) > 1 and any(target.weight is None for target in targets):
        raise BuildError("invalid ForwardConfig: weight must be set when route to multiple target groups")
    sticky = config.get("targetGroupStickinessConfig")
    return BackendForward(
        targets=targets,
        stickiness=sticky
        and Stickiness(enabled=sticky.get("enabled"), duration_seconds=sticky.get("durationSeconds")),
    )


def _target(entry: Mapping[str, Any]) -> BackendTarget:
    service, port = entry.get("serviceName"), entry.get("servicePort")
    arn, name = entry.get("targetGroupARN"), entry.get("targetGroupName")
    where = "invalid ForwardConfig: invalid TargetGroupTuple"
    if sum(item is not None for item in (arn, name, service)) != 1:
        raise BuildError(
            f"{where}: precisely one of targetGroupARN, targetGroupName and serviceName can be specified"
        )
    if service is not None and port is None:
        raise BuildError(f"{where}: missing servicePort")
    if isinstance(port, str) and port.isdecimal():
        port = int(port)  # the v1 controller's schema had ports as text
    return BackendTarget(
        service=service, port=port, target_group_arn=arn, target_group_name=name, weight=entry.get("weight")
    )


def _transform(entry: Mapping[str, Any]) -> Transform:
    kind = entry.get("type") or ""
    if kind not in _TRANSFORM_CONFIGS:
        raise BuildError(f"unknown transform type: {kind}")
    name = _TRANSFORM_CONFIGS[kind]
    if entry.get(name) is None:
        raise BuildError(f"missing {name}")
    rewrites = tuple(
        Rewrite(regex=item.get("regex") or "", replace=item.get("replace") or "")
        for item in entry[name].get("rewrites") or ()
    )
    return Transform(type=kind, rewrites=rewrites)
