"""What each verb does: a request in, an object of the API out, the store changed in between.

Each write is one transaction of the store, so nobody writes between what is read and what is stored.
"""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from testbed.clock import Clock
from testbed.kubernetes import admission
from testbed.kubernetes.api import (
    custom_resources,
    deletion,
    ingress_rules,
    lists,
    patches,
    rules,
    service_rules,
    statuses,
)
from testbed.kubernetes.api.field_validation import decoded
from testbed.kubernetes.api.requests import Request, parse
from testbed.kubernetes.api.resources import CRD, Resource
from testbed.kubernetes.api.server_side_apply import (
    APPLY,
    UPDATE,
    Manager,
    Ownership,
    after_update,
    applied,
    stamped,
)
from testbed.kubernetes.api.shapes import Object, inward, outward, with_plain_data_encoded, without_nulls
from testbed.kubernetes.namespaces import finish_namespaces
from testbed.kubernetes.objects import copied
from testbed.kubernetes.store import ObjectStore

_ANSWERED_WHOLE = ("Service", "Pod", "ServiceAccount", "PersistentVolumeClaim")
"""Kinds of which a delete answers the object, not a Status (`ReturnDeletedObject` of their storage)."""
_NAME_SUFFIX = "bcdfghjklmnpqrstvwxz2456789"
"""Letters of generated names (apimachinery pkg/util/rand)."""


@dataclass(slots=True)
class Outcome:
    """What a request led to: the object as the client's version shows it, and warnings."""

    item: Mapping[str, Any]
    code: int = 200
    warnings: list[str] = field(default_factory=list)


class Handlers:
    """The verbs of the API on one store. Every method may raise `Refused`."""

    def __init__(self, store: ObjectStore, clock: Clock, *, seed: int = 0) -> None:
        self._store, self._clock = store, clock
        self._random = random.Random(seed)  # noqa: S311 names, not keys

    def get(self, request: Request) -> Outcome:
        """One object."""
        return Outcome(outward(request.resource, self._must_find(request)))

    def create(self, request: Request) -> Outcome:
        """POST."""
        if request.name:
            raise statuses.method_not_allowed()
        sent, warnings = self._decoded(request, request.parsed_object())
        resource, metadata = request.resource, sent["metadata"]
        if resource.namespaced:
            given = metadata.setdefault("namespace", request.namespace)
            if given != request.namespace:
                raise statuses.bad_request(
                    "the namespace of the provided object does not match the namespace sent on the request"
                )
        if not metadata.get("name") and metadata.get("generateName"):
            suffix = "".join(self._random.choices(_NAME_SUFFIX, k=5))
            metadata["name"] = f"{metadata['generateName']}{suffix}"
        with self._store.transaction():
            return Outcome(outward(resource, self._create(request, sent)), 201, warnings)

    def update(self, request: Request) -> Outcome:
        """PUT."""
        sent, warnings = self._decoded(request, request.parsed_object())
        metadata = sent["metadata"]
        if metadata.get("name") != request.name:
            raise statuses.bad_request(
                f"the name of the object ({metadata.get('name', '')}) does not match the name on the URL "
                f"({request.name})"
            )
        with self._store.transaction():
            old = self._must_find(request)
            return Outcome(self._write(request, old, sent), warnings=warnings)

    def patch(self, request: Request) -> Outcome:
        """PATCH of any kind."""
        resource = request.resource
        kind = patches.kind_of(request.content_type, resource)
        if kind == patches.APPLY:
            return self._apply(request)
        with self._store.transaction():
            old = self._must_find(request)
            shown = outward(resource, copied(old))
            sent = patches.patched(resource, kind, shown, request.body)
            if (sent.get("metadata") or {}).get("name") != request.name:
                raise statuses.bad_request("the name of an object cannot be changed")
            item, warnings = self._decoded(request, sent)
            return Outcome(self._write(request, old, item), warnings=warnings)

    def delete(self, request: Request) -> Outcome:
        """DELETE of one object."""
        options = self._delete_options(request)
        resource = request.resource
        with self._store.transaction():
            item = self._must_find(request)
            deletion.check(resource, item, options)
            metadata = item["metadata"]
            finished: Mapping[str, Any] = statuses.success(resource, metadata["name"], metadata["uid"])
            if resource.stored_kind in _ANSWERED_WHOLE:
                finished = outward(resource, item)
            if options.is_dry_run:
                return Outcome(finished)
            left = deletion.delete(self._store, item, options)
            finish_namespaces(self._store)
            return Outcome(outward(resource, left) if left else finished)

    def delete_collection(self, request: Request) -> Outcome:
        """DELETE of all objects that the selectors choose; they are answered as a list."""
        options = self._delete_options(request)
        with self._store.transaction():
            page = lists.page(self._store, request)
            if not options.is_dry_run:
                for item in page.items:
                    deletion.delete(self._store, item, options)
                finish_namespaces(self._store)
        return Outcome(self.as_list(request.resource, page))

    def page(self, request: Request) -> lists.Page:
        """The page of stored objects that a list asks for."""
        return lists.page(self._store, request)

    def as_list(self, resource: Resource, page: lists.Page) -> Object:
        """A page as a client reads it."""
        return {
            "kind": f"{resource.kind}List",
            "apiVersion": resource.api_version,
            "metadata": dict(page.metadata),
            "items": [outward(resource, item) for item in page.items],
        }

    # --- below -------------------------------------------------------------------------------------

    def _must_find(self, request: Request) -> Object:
        found = self._store.get(request.resource.stored_kind, request.namespace or None, request.name)
        if found is None:
            raise statuses.not_found(request.resource, request.name)
        return found

    def _decoded(self, request: Request, item: Mapping[str, Any]) -> tuple[Object, list[str]]:
        sent = inward(request.resource, item)
        known, warnings = decoded(request.resource, sent, request.query.get("fieldValidation", ""))
        if request.resource.warning:
            warnings = [request.resource.warning, *warnings]
        return admission.converted(with_plain_data_encoded(without_nulls(known))), warnings

    def _delete_options(self, request: Request) -> deletion.Options:
        body = parse(request.body, request.content_type) if request.body.strip() else {}
        return deletion.Options.of(body if isinstance(body, Mapping) else {}, request.query)

    def _manager(self, request: Request, operation: str) -> Manager:
        return Manager(
            request.manager,
            operation,
            request.resource.api_version,
            self._clock.rfc3339(),
            request.subresource,
        )

    def _create(self, request: Request, sent: Object, ownership: Ownership | None = None) -> Object:
        """Check a new object and store it."""
        resource, name = request.resource, sent["metadata"].get("name") or ""
        self._check_namespace(request)
        self._check(resource, sent, None)
        if self._store.get(resource.stored_kind, request.namespace or None, name) is not None:
            raise statuses.already_exists(resource, name)
        if ownership is None:
            manager = self._manager(request, UPDATE)
            ownership = after_update(resource.stored_kind, None, _without_status(sent), manager)
        if resource.stored_kind == "Namespace":
            labels = sent["metadata"].get("labels") or {}
            sent["metadata"]["labels"] = {"kubernetes.io/metadata.name": name, **labels}
        made = self._store.create(sent, managed=ownership.to_json(), dry_run=request.is_dry_run)
        if request.is_dry_run:
            return made
        if resource.stored_kind == "Namespace":
            made = self._store.update_status("Namespace", None, name, {"phase": "Active"})
        elif resource.stored_kind == CRD:
            status = custom_resources.established(made, self._clock.rfc3339())
            made = self._store.update_status(CRD, None, name, status)
        return made

    def _write(self, request: Request, old: Object, sent: Object) -> Object:
        """Store what became of an object; of its status or of all else, as the path says."""
        resource, before, metadata = request.resource, old["metadata"], sent["metadata"]
        for key, shown in (("uid", "UID"), ("resourceVersion", "")):
            given = metadata.get(key)
            if given and given != before.get(key):
                precondition = f"Precondition failed: UID in precondition: {given}, UID in object meta: "
                raise statuses.conflict(
                    resource, request.name, f"{precondition}{before.get(key)}" if shown else ""
                )
        new = _only(request, old, sent)
        self._check(resource, new, old)
        manager = self._manager(request, UPDATE)
        unmanaged = "managedFields" in metadata and not metadata["managedFields"]
        ownership = after_update(resource.stored_kind, old, new, manager)
        ownership = Ownership(()) if unmanaged else stamped(ownership, manager, Ownership.of(old))
        return outward(resource, self._replace(request, new, ownership))

    def _apply(self, request: Request) -> Outcome:
        resource = request.resource
        if not request.query.get("fieldManager"):
            raise statuses.Refused(
                422,
                "Invalid",
                'PatchOptions.meta.k8s.io "" is invalid: fieldManager: Required value: is required for apply '
                "patch",
            )
        body = parse(request.body, patches.APPLY)
        if not isinstance(body, dict):
            raise statuses.bad_request("error decoding YAML: the body is no object")
        if (body.get("metadata") or {}).get("managedFields"):
            raise statuses.bad_request("metadata.managedFields must be nil")
        sent, warnings = self._decoded(request, body)
        metadata = sent["metadata"]
        metadata.setdefault("name", request.name)
        if metadata["name"] != request.name:
            raise statuses.bad_request("the name of the object does not match the name on the URL")
        if resource.namespaced:
            metadata["namespace"] = request.namespace
        manager = self._manager(request, APPLY)
        with self._store.transaction():
            old = self._store.get(resource.stored_kind, request.namespace or None, request.name)
            if old is None:
                if request.subresource:
                    raise statuses.not_found(resource, request.name)
                named = _without_status(sent)
                _, ownership = applied(resource, {"metadata": {}}, named, manager, force=True)
                return Outcome(outward(resource, self._create(request, sent, ownership)), 201, warnings)
            wanted = _applicable(request, sent)
            new, ownership = applied(resource, old, wanted, manager, force=request.flag("force"))
            self._check(resource, new, old)
            if _unmanaged(new) == _unmanaged(old):
                ownership = _same_time(ownership, Ownership.of(old), manager)
            return Outcome(outward(resource, self._replace(request, new, ownership)), warnings=warnings)

    def _replace(self, request: Request, new: Object, ownership: Ownership) -> Object:
        managed = ownership.to_json()
        metadata = {key: value for key, value in new["metadata"].items() if key != "managedFields"}
        if managed:
            metadata["managedFields"] = managed
        stored = self._store.replace({**new, "metadata": metadata}, dry_run=request.is_dry_run)
        if metadata.get("deletionTimestamp") and not request.is_dry_run:
            finish_namespaces(self._store)
        return stored

    def _check_namespace(self, request: Request) -> None:
        """As the admission plugin NamespaceLifecycle does."""
        if not request.resource.namespaced:
            return
        found = self._store.get("Namespace", None, request.namespace)
        if found is None:
            message = f'namespaces "{request.namespace}" not found'
            raise statuses.Refused(404, "NotFound", message, name=request.namespace)
        if found["metadata"].get("deletionTimestamp"):
            raise statuses.Refused(
                403,
                "Forbidden",
                f"{request.resource.qualified} is forbidden: unable to create new content in namespace "
                f"{request.namespace} because it is being terminated",
            )

    def _check(self, resource: Resource, item: Object, old: Object | None) -> None:
        causes = list(rules.metadata(resource.stored_kind, item))
        if resource.stored_kind == "Service":
            held = admission.node_ports(old or {})
            taken = {
                port
                for service in self._store.list("Service")
                for port in admission.node_ports(service)
                if port not in held
            }
            causes += service_rules.problems(item, old, taken)
        elif resource.stored_kind == "Ingress":
            causes += ingress_rules.problems(item, old)
        elif resource.stored_kind == CRD:
            causes += custom_resources.definition_problems(item)
        if causes:
            raise statuses.invalid(resource, item["metadata"].get("name") or "", causes)


def _without_status(item: Object) -> Object:
    return {key: value for key, value in item.items() if key != "status"}


def _unmanaged(item: Object) -> Object:
    metadata = {key: value for key, value in item["metadata"].items() if key != "managedFields"}
    return {**item, "metadata": metadata}


def _same_time(ownership: Ownership, before: Ownership, manager: Manager) -> Ownership:
    """Applying the same again is no write: the manager keeps the time of its last one."""
    old = next((other for other, _ in before.entries if other.key == manager.key), None)
    if old is None or before.fields(manager) != ownership.fields(manager):
        return ownership
    return Ownership(
        tuple((old if other.key == manager.key else other, owned) for other, owned in ownership.entries)
    )


def _only(request: Request, old: Object, sent: Object) -> Object:
    """What the request may change: the status at its own path, everything else at the object's."""
    if request.subresource == "status":
        return {**old, **({"status": sent["status"]} if "status" in sent else {})}
    if not request.resource.has_status:
        return sent
    return {**_without_status(sent), **({"status": old["status"]} if "status" in old else {})}


def _applicable(request: Request, sent: Object) -> Object:
    if request.subresource == "status":
        kept = {"apiVersion", "kind", "status"}
        return {**{key: sent[key] for key in kept if key in sent}, "metadata": {}}
    return _without_status(sent) if request.resource.has_status else sent
