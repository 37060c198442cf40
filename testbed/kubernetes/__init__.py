"""Kubernetes: manifests become objects with versions and watches in one store, which all parts read."""

from __future__ import annotations

from testbed.kubernetes.api_errors import AlreadyExists, ApiError, Conflict, Expired, Invalid, NotFound
from testbed.kubernetes.object_store import ObjectStore
from testbed.kubernetes.object_watch import Change, Watch, WatchEvent

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
