"""The action, conditions and transforms of an Ingress backend.

A backend is a Service with a port; the port name `use-annotation` takes the action from the annotation
`actions.<service>` instead (pkg/ingress/{enhanced_backend_builder,config_types}.go).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from testbed.kubernetes import object_fields
from testbed.lb_controller.core import forward_actions, go_json
from testbed.lb_controller.core.annotations import Annotations, of_ingress
from testbed.lb_controller.core.build_inputs import (
    BuildError,
    ClusterState,
    ControllerOptions,
    KubernetesObject,
)
from testbed.lb_controller.core.facts import Fact
from testbed.lb_controller.core.forward_actions import FORWARD_SHAPE, BackendForward, BackendTarget
from testbed.lb_controller.core.stack import (
    Action,
    Condition,
    FixedResponse,
    Redirect,
    Rewrite,
    Transform,
)
from testbed.lb_controller.ingress import authentication_actions as authentication
from testbed.lb_controller.ingress import rule_conditions

USE_ANNOTATION = "use-annotation"
MISSING_SERVICE = "Backend service does not exist"
MISSING_ACTION = "Backend action does not exist"

_REDIRECT = dict.fromkeys(("host", "path", "port", "protocol", "query", "statusCode"), str)
_ACTION_SHAPE = {
    **FORWARD_SHAPE,
    "fixedResponseConfig": {"contentType": str, "messageBody": str, "statusCode": str},
    "redirectConfig": _REDIRECT,
}
_REWRITES = {"rewrites": [{"regex": str, "replace": str}]}
_TRANSFORMS_SHAPE = [{"type": str, "hostHeaderRewriteConfig": _REWRITES, "urlRewriteConfig": _REWRITES}]
_TRANSFORM_CONFIGS = {"host-header-rewrite": "hostHeaderRewriteConfig", "url-rewrite": "urlRewriteConfig"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Backend:
    """The backend of a path or the default backend; authentication is for HTTPS listeners only."""

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
    """Read a backend of `networking.k8s.io/v1` and its annotations.

    Raises:
        BuildError: an annotation is invalid, or a Service or an action is missing and not tolerated.
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
    namespace = object_fields.namespace(ingress)
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
    """The action, or a fixed 503 in place of a forward to a single Service that is missing.

    Raises:
        BuildError: a Service is missing and that is not tolerated: in a weighted forward, with the flag off,
            and always before v2.2.
    """
    if not isinstance(action, BackendForward):
        return action
    names = sorted({target.service for target in action.targets if target.service})
    # A missing Service among several targets fails the group (enhanced_backend_builder.go).
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
        BuildError: the annotation is invalid, or missing and that is not tolerated.
    """
    suffix = f"actions.{service}"
    entry = go_json.read(annotations.json(suffix), _ACTION_SHAPE)
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
            return forward_actions.parse(entry)
        case other:
            raise BuildError(f"unknown action type: {other}")


def transforms_from_annotation(annotations: Annotations, service: str) -> tuple[Transform, ...]:
    """The annotation `transforms.<service>`.

    Raises:
        BuildError: it is invalid.
    """
    entries = go_json.read(annotations.json(f"transforms.{service}"), _TRANSFORMS_SHAPE)
    return tuple(_transform(entry) for entry in entries or ())


def unavailable(message: str) -> Action:
    """A fixed 503 whose body names what is missing."""
    response = FixedResponse(status_code="503", content_type="text/plain", message_body=message)
    return Action(type="fixed-response", fixed_response=response)


def _with_single_service(
    annotations: Annotations, action: BackendForward | Action, namespace: str, cluster: ClusterState
) -> Annotations:
    """The annotations of the Ingress, overridden by those of the Service if there is only one."""
    if not isinstance(action, BackendForward) or len(action.targets) != 1:
        return annotations
    service = cluster.services.get((namespace, action.targets[0].service or ""))
    return annotations if service is None else of_ingress(service).over(annotations.values)


def _tolerates(options: ControllerOptions, flag: bool) -> bool:
    return flag and options.release.has(Fact.MISSING_BACKENDS_TOLERATED)


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
