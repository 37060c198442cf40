"""The verbs of the API: a request in, an object out, and the store changed in between.

Each write is one transaction of the store: nothing can change the object between the read and the write.
"""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from testbed.clock import Clock
from testbed.kubernetes.api import custom_resources, deletion, lists, patches, statuses
from testbed.kubernetes.api.admission_webhooks import Admission, Question, Unreviewed
from testbed.kubernetes.api.api_requests import Request, parse
from testbed.kubernetes.api.api_resources import CRD, Resource
from testbed.kubernetes.api.server_side_apply import (
    APPLY,
    UPDATE,
    Manager,
    Ownership,
    after_update,
    applied,
    stamped,
)
from testbed.kubernetes.api.strict_decoding import decoded
from testbed.kubernetes.api.versioned_objects import (
    Object,
    inward,
    outward,
    with_plain_data_encoded,
)
from testbed.kubernetes.namespace_controller import finish_namespaces
from testbed.kubernetes.object_fields import copied
from testbed.kubernetes.object_store import ObjectStore
from testbed.kubernetes.rules import defaults, object_rules, schema_defaults
from testbed.kubernetes.rules.webhook_configurations import Operation

_ANSWERED_WHOLE = ("Service", "Pod", "ServiceAccount", "PersistentVolumeClaim")
"""Kinds whose delete answers with the object instead of a Status (`ReturnDeletedObject` of their storage)."""
_ATTEMPTS = 6
"""Of a write whose object changes while webhooks are asked (etcd3 `GuaranteedUpdate` goes on trying)."""
_NAME_SUFFIX = "bcdfghjklmnpqrstvwxz2456789"
"""The letters of generated names (apimachinery pkg/util/rand)."""


@dataclass(slots=True)
class Outcome:
    """The result of a request: the object in the client's version, and warnings."""

    item: Mapping[str, Any]
    code: int = 200
    warnings: list[str] = field(default_factory=list)


class Verbs:
    """The verbs of the API on one store. Every method may raise `Refused`."""

    def __init__(self, store: ObjectStore, clock: Clock, *, seed: int = 0) -> None:
        self._store, self._clock = store, clock
        self._random = random.Random(seed)  # noqa: S311 names, not keys

    def act(self, request: Request) -> Outcome:
        """Carry out the method of a request, on an object or a collection. Not for lists and watches."""
        request = replace(request, admission=Admission(self._store))
        for _ in range(_ATTEMPTS):
            try:
                return self._act(request)
            except Unreviewed as stopped:
                assert request.admission
                request.admission.ask(stopped.question)
        raise statuses.conflict(request.resource, request.name)

    def _act(self, request: Request) -> Outcome:
        match request.method, bool(request.name):
            case "GET", True:
                return self.get(request)
            case "POST", _:
                return self.create(request)
            case "PUT", True:
                return self.update(request)
            case "PATCH", True:
                return self.patch(request)
            case "DELETE", True:
                return self.delete(request)
            case "DELETE", False:
                return self.delete_collection(request)
        raise statuses.method_not_allowed()

    def get(self, request: Request) -> Outcome:
        """Return one object."""
        return Outcome(outward(request.resource, self._must_find(request)))

    def create(self, request: Request) -> Outcome:
        """POST."""
        if request.name:
            raise statuses.method_not_allowed()
        sent, warnings = self._decoded(request, request.parsed_object())
        resource, metadata = request.resource, sent["metadata"]
        if resource.namespaced:
            namespace = metadata.setdefault("namespace", request.namespace)
            if namespace != request.namespace:
                raise statuses.bad_request(
                    "the namespace of the provided object does not match the namespace sent on the request"
                )
        # A name that exists is a conflict, as in an API server without RetryGenerateName (before 1.31).
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
            # The patch names fields of the client's version, so it is applied to the object in that version.
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
            # Made before the delete: afterwards the object is gone.
            finished: Mapping[str, Any] = statuses.success(resource, metadata["name"], metadata["uid"])
            if resource.stored_kind in _ANSWERED_WHOLE:
                finished = outward(resource, item)
            if options.is_dry_run:
                return Outcome(finished)
            left = deletion.delete(self._store, item, options)
            finish_namespaces(self._store)
            return Outcome(outward(resource, left) if left else finished)

    def delete_collection(self, request: Request) -> Outcome:
        """DELETE of all objects that the selectors choose; the answer is a list of them."""
        options = self._delete_options(request)
        with self._store.transaction():
            page = lists.page(self._store, request)
            if not options.is_dry_run:
                for item in page.items:
                    deletion.delete(self._store, item, options)
                finish_namespaces(self._store)
        return Outcome(self.as_list(request.resource, page))

    def page(self, request: Request) -> lists.Page:
        """Return the page of stored objects that a list asks for."""
        return lists.page(self._store, request)

    def as_list(self, resource: Resource, page: lists.Page) -> Object:
        """Return a page in the client's version."""
        return {
            "kind": f"{resource.kind}List",
            "apiVersion": resource.api_version,
            "metadata": dict(page.metadata),
            "items": [outward(resource, item) for item in page.items],
        }

    # --- below -------------------------------------------------------------------------------------

    def _must_find(self, request: Request) -> Object:
        item = self._store.get(request.resource.stored_kind, request.namespace or None, request.name)
        if item is None:
            raise statuses.not_found(request.resource, request.name)
        return item

    def _decoded(self, request: Request, item: Mapping[str, Any]) -> tuple[Object, list[str]]:
        sent = inward(request.resource, item)
        known, warnings = decoded(request.resource, sent, request.query.get("fieldValidation", ""))
        if request.resource.warning:
            warnings = [request.resource.warning, *warnings]
        return defaults.converted(with_plain_data_encoded(known)), warnings

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
        """Check and store a new object."""
        resource, name = request.resource, sent["metadata"].get("name") or ""
        self._check_namespace(request)
        sent = self._admitted(request, _with_defaults(resource, _without_status(sent)), None)
        sent = _with_defaults(resource, _without_status(sent))
        self._check(resource, sent, None)
        if self._store.get(resource.stored_kind, request.namespace or None, name) is not None:
            raise statuses.already_exists(resource, name)
        if ownership is None:
            manager = self._manager(request, UPDATE)
            ownership = after_update(resource.stored_kind, None, _without_status(sent), manager)
        if resource.stored_kind == "Namespace":
            labels = sent["metadata"].get("labels") or {}
            # The admission of 1.21 and later sets it, so that a namespaceSelector can name a namespace.
            sent["metadata"]["labels"] = {"kubernetes.io/metadata.name": name, **labels}
        created = self._store.create(
            sent,
            managed=ownership.to_json(),
            status=sent.get("status"),
            dry_run=request.is_dry_run,
        )
        if request.is_dry_run:
            return created
        if resource.stored_kind == "Namespace":
            created = self._store.update_status("Namespace", None, name, {"phase": "Active"})
        elif resource.stored_kind == CRD:
            status = custom_resources.established(created, self._clock.rfc3339())
            created = self._store.update_status(CRD, None, name, status)
        return created

    def _write(self, request: Request, old: Object, sent: Object) -> Object:
        """Store an object's new status, or everything but its status, as the path says."""
        resource, before, metadata = request.resource, old["metadata"], sent["metadata"]
        for key, shown in (("uid", "UID"), ("resourceVersion", "")):
            expected = metadata.get(key)
            if expected and expected != before.get(key):
                precondition = f"Precondition failed: UID in precondition: {expected}, UID in object meta: "
                raise statuses.conflict(
                    resource, request.name, f"{precondition}{before.get(key)}" if shown else ""
                )
        new = self._admitted(request, _with_defaults(resource, _only(request, old, sent)), old)
        self._check(resource, new, old)
        manager = self._manager(request, UPDATE)
        # An empty list is how a client asks to reset the record (apimachinery pkg/util/managedfields).
        unmanaged = "managedFields" in metadata and not metadata["managedFields"]
        ownership = after_update(resource.stored_kind, old, new, manager)
        ownership = Ownership(()) if unmanaged else stamped(ownership, manager, Ownership.of(old))
        return outward(resource, self._replace(request, new, ownership))

    def _admitted(self, request: Request, item: Object, old: Object | None) -> Object:
        """Return an object as the admission webhooks of the cluster leave it."""
        if request.admission is None or request.subresource:
            return item
        operation: Operation = "UPDATE" if old else "CREATE"
        question = Question(operation, request.resource, item, old, is_dry_run=request.is_dry_run)
        return request.admission.admitted(question)

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
                # Nothing is there to be in conflict with.
                _, ownership = applied(resource, {"metadata": {}}, named, manager, force=True)
                return Outcome(outward(resource, self._create(request, sent, ownership)), 201, warnings)
            manifest = _applicable(request, sent)
            new, ownership = applied(resource, old, manifest, manager, force=request.flag("force"))
            new = self._admitted(request, _with_defaults(resource, new), old)
            self._check(resource, new, old)
            # An apply that changes nothing must keep its time, or it would make a new version by that alone.
            if _unmanaged(new) == _unmanaged(old):
                ownership = _same_time(ownership, Ownership.of(old), manager)
            return Outcome(outward(resource, self._replace(request, new, ownership)), warnings=warnings)

    def _replace(self, request: Request, new: Object, ownership: Ownership) -> Object:
        managed = ownership.to_json()
        metadata = {key: value for key, value in new["metadata"].items() if key != "managedFields"}
        if managed:
            metadata["managedFields"] = managed
        stored = self._store.replace({**new, "metadata": metadata}, dry_run=request.is_dry_run)
        # This write may have removed the last finalizer of the last object in a dying namespace.
        if metadata.get("deletionTimestamp") and not request.is_dry_run:
            finish_namespaces(self._store)
        return stored

    def _check_namespace(self, request: Request) -> None:
        """Refuse an object in an absent or dying namespace (admission plugin NamespaceLifecycle)."""
        if not request.resource.namespaced:
            return
        namespace = self._store.get("Namespace", None, request.namespace)
        if namespace is None:
            message = f'namespaces "{request.namespace}" not found'
            raise statuses.Refused(404, "NotFound", message, name=request.namespace)
        if namespace["metadata"].get("deletionTimestamp"):
            raise statuses.Refused(
                403,
                "Forbidden",
                f"{request.resource.qualified} is forbidden: unable to create new content in namespace "
                f"{request.namespace} because it is being terminated",
            )

    def _check(self, resource: Resource, item: Object, old: Object | None) -> None:
        held = defaults.node_ports(old or {})
        others = {
            port
            for service in (self._store.list("Service") if resource.stored_kind == "Service" else ())
            for port in defaults.node_ports(service)
            if port not in held
        }
        problems = list(
            object_rules.problems(defaults.released(item, old), old, others, resource.api_version)
        )
        if problems:
            raise statuses.invalid(resource, item["metadata"].get("name") or "", problems)


def _without_status(item: Object) -> Object:
    return {key: value for key, value in item.items() if key != "status"}


def _with_defaults(resource: Resource, item: Object) -> Object:
    """Return an object of a custom resource with the defaults of its schema, its status included."""
    filled: Object = schema_defaults.filled(item, resource.custom_schema or {})
    return {**filled, "metadata": item["metadata"]}


def _unmanaged(item: Object) -> Object:
    metadata = {key: value for key, value in item["metadata"].items() if key != "managedFields"}
    return {**item, "metadata": metadata}


def _same_time(ownership: Ownership, before: Ownership, manager: Manager) -> Ownership:
    """Keep the time of the manager's last write if it applies the same again."""
    old = next((other for other, _ in before.entries if other.key == manager.key), None)
    if old is None or before.fields(manager) != ownership.fields(manager):
        return ownership
    return Ownership(
        tuple((old if other.key == manager.key else other, owned) for other, owned in ownership.entries)
    )


def _only(request: Request, old: Object, sent: Object) -> Object:
    """Return the object with what the request may change: the status at its path, else all but the status."""
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
