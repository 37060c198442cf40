"""Delete: preconditions, finalizers, dependent objects, and namespaces with their contents.

Source: apiserver pkg/registry/generic/registry/store.go; kube-controller-manager's garbage collector and
namespace controller. A delete by this API does their work at once.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from testbed.kubernetes.api.api_resources import Resource
from testbed.kubernetes.api.statuses import bad_request, conflict, forbidden
from testbed.kubernetes.namespace_controller import contents, finish_namespaces
from testbed.kubernetes.object_fields import identity
from testbed.kubernetes.object_store import ObjectStore

BACKGROUND, FOREGROUND, ORPHAN = "Background", "Foreground", "Orphan"
_NAMESPACE_FINALIZER = "kubernetes"


@dataclass(frozen=True, slots=True)
class Options:
    """metav1.DeleteOptions. kubectl asks for a dry run here, not in the query."""

    propagation: str = BACKGROUND
    uid: str = ""
    resource_version: str = ""
    is_dry_run: bool = False

    @classmethod
    def of(cls, body: Mapping[str, Any], query: Mapping[str, str]) -> Options:
        """Read the body and the parameters of a request.

        Raises:
            Refused: 400, an unknown propagation policy.
        """
        policy = query.get("propagationPolicy") or body.get("propagationPolicy")
        orphan = query.get("orphanDependents") == "true" or body.get("orphanDependents") is True
        policy = policy or (ORPHAN if orphan else BACKGROUND)
        if policy not in (BACKGROUND, FOREGROUND, ORPHAN):
            raise bad_request(
                f'DeleteOptions.meta.k8s.io "" is invalid: propagationPolicy: Unsupported value: "{policy}": '
                'supported values: "Background", "Foreground", "Orphan", "nil"'
            )
        conditions = body.get("preconditions") or {}
        dry_run = body.get("dryRun") or ([query["dryRun"]] if query.get("dryRun") else [])
        if dry_run not in ([], ["All"]):
            raise bad_request(f"dryRun: Unsupported value: {dry_run}: supported values: All")
        return cls(
            policy,
            conditions.get("uid") or "",
            conditions.get("resourceVersion") or "",
            is_dry_run=bool(dry_run),
        )


IMMORTAL = frozenset(("default", "kube-system", "kube-public"))
"""Namespaces that the API server never deletes."""


def check(resource: Resource, item: Mapping[str, Any], options: Options) -> None:
    """Check the preconditions of a delete.

    Raises:
        Refused: 409, the object has another uid or resourceVersion; 403, the namespace may not go (admission
            plugin NamespaceLifecycle).
    """
    metadata = item["metadata"]
    if resource.stored_kind == "Namespace" and metadata["name"] in IMMORTAL:
        raise forbidden(resource, metadata["name"], "this namespace may not be deleted")
    for field, expected in (("uid", options.uid), ("resourceVersion", options.resource_version)):
        if expected and metadata.get(field) != expected:
            shown = "UID" if field == "uid" else "ResourceVersion"
            why = f"Precondition failed: {shown} in precondition: {expected}, {shown} in object meta: "
            raise conflict(resource, metadata["name"], f"{why}{metadata.get(field)}")


def delete(store: ObjectStore, item: Mapping[str, Any], options: Options) -> Mapping[str, Any] | None:
    """Delete an object of the store, and return what is left of it while finalizers hold it, or None."""
    kind, namespace, name = identity(item)
    if kind == "Namespace":
        return _delete_namespace(store, name)
    uid = item["metadata"].get("uid", "")
    # The garbage collector holds the owner by a finalizer until its dependents are gone; here they go first.
    if options.propagation == FOREGROUND:
        _each_dependent(store, uid, lambda dependent: delete(store, dependent, options))
    store.delete(kind, namespace, name)
    left = store.get(kind, namespace, name)
    if left is None and options.propagation == ORPHAN:
        _each_dependent(store, uid, lambda dependent: _forget_owner(store, dependent, uid))
    elif left is None:
        _each_dependent(store, uid, lambda dependent: _forget_or_delete(store, dependent, uid, options))
    return left


def _delete_namespace(store: ObjectStore, name: str) -> Mapping[str, Any] | None:
    # A real namespace has spec.finalizers; here metadata.finalizers do the same.
    store.patch("Namespace", None, name, {"metadata": {"finalizers": [_NAMESPACE_FINALIZER]}})
    store.delete("Namespace", None, name)
    store.patch("Namespace", None, name, {"status": {"phase": "Terminating"}})
    for item in contents(store, name):
        kind, namespace, content = identity(item)
        # An object that is deleted already only waits for its finalizers.
        if not item["metadata"].get("deletionTimestamp"):
            store.delete(kind, namespace, content)
    # Before it is finished: the answer shows the namespace as Terminating even if it was empty.
    left = store.get("Namespace", None, name)
    finish_namespaces(store)
    return left


def _each_dependent(store: ObjectStore, uid: str, act: Callable[[Mapping[str, Any]], object]) -> None:
    for item in store.list_all():
        if any(owner.get("uid") == uid for owner in item["metadata"].get("ownerReferences") or ()):
            act(item)


def _forget_owner(store: ObjectStore, item: Mapping[str, Any], uid: str) -> None:
    kind, namespace, name = identity(item)
    owners = [owner for owner in item["metadata"]["ownerReferences"] if owner.get("uid") != uid]
    store.patch(kind, namespace, name, {"metadata": {"ownerReferences": owners or None}})


def _forget_or_delete(store: ObjectStore, item: Mapping[str, Any], uid: str, options: Options) -> None:
    # An object with another owner outlives this one: it goes with its last owner.
    if len(item["metadata"]["ownerReferences"]) > 1:
        _forget_owner(store, item, uid)
    else:
        delete(store, item, options)
