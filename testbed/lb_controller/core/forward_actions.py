"""Forwards of annotations `actions.…`, of Ingresses and of Services (pkg/ingress/config_types.go)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from testbed.lb_controller.core.build_inputs import BuildError, ClusterState
from testbed.lb_controller.core.go_json import PORT
from testbed.lb_controller.core.stack import Stickiness

FORWARD_SHAPE = {
    "type": str,
    "targetGroupARN": str,
    "targetGroupName": str,
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
"""The keys of an action that a forward reads, for `go_json.read`."""


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
    """A forward whose target groups are not built yet.

    `base_weight` is the weight of the Service that has the annotation; an Ingress has none.
    """

    targets: tuple[BackendTarget, ...]
    stickiness: Stickiness | None = None
    base_weight: int | None = None


def parse(entry: Mapping[str, Any]) -> BackendForward:
    """Read an action of type forward.

    Raises:
        BuildError: it names no target, or more than one way to find them, or a weight is missing.
    """
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
        base_weight=config.get("baseServiceWeight"),
    )


def existing_target_group(target: BackendTarget, cluster: ClusterState) -> str | None:
    """The ARN of a target group that is not of this stack; None for the port of a Service.

    Raises:
        BuildError: no target group has the name.
    """
    if target.target_group_name is None:
        return target.target_group_arn
    found = cluster.target_groups.get(target.target_group_name)
    if found is None:
        raise BuildError(f'target group "{target.target_group_name}" not found')
    return found


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
