"""Delete: preconditions, finalizers, what depends on the object, and namespaces with all that is in them.

Source: apiserver pkg/registry/generic/registry/store.go; kube-controller-manager's garbage collector and
namespace controller, whose work is done here at once, for deletes by this API.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from testbed.kubernetes.api.resources import Resource
from testbed.kubernetes.api.statuses import bad_request, conflict
from testbed.kubernetes.namespaces import contents, finish_namespaces
from testbed.kubernetes.objects import identity
from testbed.kubernetes.store import ObjectStore

BACKGROUND, FOREGROUND, ORPHAN = "Background", "Foreground", "Orphan"
_NAMESPACE_FINALIZER = "kubernetes"


@dataclass(frozen=True, slots=True)
class Options:
    """metav1.DeleteOptions; kubectl names a dry run here, not in the path."""

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


def check(resource: Resource, item: Mapping[str, Any], options: Options) -> None:
    """Whether the object is the one that is meant.

    Raises:
        Refused: 409.
    """
    metadata = item["metadata"]
    for field, wanted in (("uid", options.uid), ("resourceVersion", options.resource_version)):
        if wanted and metadata.get(field) != wanted:
            shown = "UID" if field == "uid" else "ResourceVersion"
            why = f"Precondition failed: {shown} in precondition: {wanted}, {shown} in object meta: "
            raise conflict(resource, metadata["name"], f"{why}{metadata.get(field)}")


def delete(store: ObjectStore, item: Mapping[str, Any], options: Options) -> Mapping[str, Any] | None:
    """Delete an object of the store; what is left of it while finalizers hold it, or None."""
    kind, namespace, name = identity(item)
    if kind == "Namespace":
        return _delete_namespace(store, name)
    uid = item["metadata"].get("uid", "")
    if options.propagation == FOREGROUND:
        _each_dependent(store, uid, lambda found: delete(store, found, options))
    store.delete(kind, namespace, name)
    left = store.get(kind, namespace, name)
    if left is None and options.propagation == ORPHAN:
        _each_dependent(store, uid, lambda found: _forget_owner(store, found, uid))
    elif left is None:
        _each_dependent(store, uid, lambda found: _forget_or_delete(store, found, uid, options))
    return left


def _delete_namespace(store: ObjectStore, name: str) -> Mapping[str, Any] | None:
    # spec.finalizers of a real namespace; here the object's own do the same.
    store.patch("Namespace", None, name, {"metadata": {"finalizers": [_NAMESPACE_FINALIZER]}})
    store.delete("Namespace", None, name)
    store.patch("Namespace", None, name, {"status": {"phase": "Terminating"}})
    for item in contents(store, name):
        kind, namespace, found = identity(item)
        if not item["metadata"].get("deletionTimestamp"):
            store.delete(kind, namespace, found)
    left = store.get("Namespace", None, name)
    finish_namespaces(store)
    return left


def _each_dependent(store: ObjectStore, uid: str, act: Callable[[Mapping[str, Any]], object]) -> None:
    for item in store.list_all():
        if any(owner.get("uid") == uid for owner in item["metadata"].get("ownerReferences") or ()):
            act(item)


def _forget_owner(store: ObjectStore, item: Mapping[str, Any], uid: str) -> None:
    kind, namespace, name = identity(item)
    owners = [one for one in item["metadata"]["ownerReferences"] if one.get("uid") != uid]
    store.patch(kind, namespace, name, {"metadata": {"ownerReferences": owners or None}})


def _forget_or_delete(store: ObjectStore, item: Mapping[str, Any], uid: str, options: Options) -> None:
    if len(item["metadata"]["ownerReferences"]) > 1:
        _forget_owner(store, item, uid)
    else:
        delete(store, item, options)
