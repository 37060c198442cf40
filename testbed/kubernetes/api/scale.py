"""The subresource `scale` of Deployments: their number of pods alone, as `kubectl scale` reads and writes it.

Source: kubernetes pkg/registry/apps/deployment/storage (ScaleREST), autoscaling/v1 Scale.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import orjson

from testbed.kubernetes.api import patches
from testbed.kubernetes.api.api_requests import JSON, Request
from testbed.kubernetes.api.statuses import Refused, conflict, method_not_allowed
from testbed.kubernetes.api.verbs import Verbs
from testbed.kubernetes.played_pods import replicas_of

KIND = {"group": "autoscaling", "version": "v1", "kind": "Scale"}
VERBS = ("get", "patch", "update")
SCALED = ("Deployment",)
"""Kinds that have it here. StatefulSets and ReplicaSets have no controller."""


def act(verbs: Verbs, request: Request) -> Mapping[str, Any]:
    """Read or write the number of pods; return the Scale.

    Raises:
        Refused: there is no such object, or it cannot have that number.
    """
    whole = replace(request, method="GET", subresource="", query={}, body=b"")
    before = verbs.act(whole).item
    shown = scale_of(before)
    if request.method == "GET":
        return shown
    if request.method == "PUT":
        wanted = request.parsed_object()
    elif request.method == "PATCH":
        kind = patches.kind_of(request.content_type, request.resource)
        # All fields are plain values, for which a strategic merge is a merge.
        kind = kind if kind == patches.JSON_PATCH else patches.MERGE_PATCH
        wanted = patches.patched(request.resource, kind, shown, request.body)
    else:
        raise method_not_allowed()
    version = (wanted.get("metadata") or {}).get("resourceVersion")
    if version and version != shown["metadata"]["resourceVersion"]:
        raise conflict(request.resource, request.name)
    count = (wanted.get("spec") or {}).get("replicas", 0)
    if not isinstance(count, int) or isinstance(count, bool) or count < 0:
        why = f"spec.replicas: Invalid value: {count}: must be greater than or equal to 0"
        raise Refused(422, "Invalid", f'Scale.autoscaling "{request.name}" is invalid: {why}')
    patch = replace(
        request,
        method="PATCH",
        subresource="",
        content_type=patches.MERGE_PATCH,
        accept=JSON,
        body=orjson.dumps({"spec": {"replicas": count}}),
    )
    return scale_of(verbs.act(patch).item)


def scale_of(item: Mapping[str, Any]) -> dict[str, Any]:
    """Return the Scale of a Deployment."""
    metadata = item["metadata"]
    keys = ("name", "namespace", "uid", "resourceVersion", "creationTimestamp")
    labels = ((item.get("spec") or {}).get("selector") or {}).get("matchLabels") or {}
    return {
        "kind": "Scale",
        "apiVersion": "autoscaling/v1",
        "metadata": {key: metadata[key] for key in keys if key in metadata},
        "spec": {"replicas": replicas_of(item)},
        "status": {
            "replicas": (item.get("status") or {}).get("replicas", 0),
            "selector": ",".join(f"{key}={value}" for key, value in sorted(labels.items())),
        },
    }
