"""Kubernetes: manifests in, objects with versions and watches, read by everybody through one store."""

from __future__ import annotations

from testbed.kubernetes.errors import AlreadyExists, ApiError, Conflict, Expired, Invalid, NotFound
from testbed.kubernetes.store import ObjectStore
from testbed.kubernetes.watch import Change, Watch, WatchEvent

__all__ = [
    "AlreadyExists",
    "ApiError",
    "Change",
    "Conflict",
    "Expired",
    "Invalid",
    "NotFound",
    "ObjectStore",
    "Watch",
    "WatchEvent",
]
