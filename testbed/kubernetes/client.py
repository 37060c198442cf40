"""A client of the Kubernetes API that acts as kubectl does: get, list, apply, annotate, delete.

```
scenario, `testbed up`, pytest ─► client ─► transport ─► the API's verbs ─► store
runbook ─► kubectl ─► HTTPS ───────────────────────────────┘
```
Both send the same requests, so a scenario and an operator can take turns on one object: `apply` writes the
annotation of kubectl and computes its patch.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

import orjson

from testbed.kubernetes import api_errors
from testbed.kubernetes.api import client_side_apply, patches
from testbed.kubernetes.api.api_requests import JSON
from testbed.kubernetes.api.api_resources import BUILT_IN
from testbed.kubernetes.api.dispatch import Answer, Call
from testbed.kubernetes.api_errors import ApiError, Conflict, NotFound
from testbed.kubernetes.client_transports import Transport
from testbed.kubernetes.kinds import custom_kind, namespace_of
from testbed.kubernetes.last_applied import last_applied, with_last_applied
from testbed.kubernetes.object_fields import Object

APPLY_MANAGER, ANNOTATE_MANAGER = "kubectl-client-side-apply", "kubectl-annotate"
"""The names that kubectl's writes have in `managedFields`."""
_AGENT = "kubectl/testbed"
_TRIES = 5
"""How often a patch is sent that conflicts with another write (kubectl's `maxPatchRetry`)."""
_SET_BY_THE_SERVER = (
    *("uid", "resourceVersion", "generation", "creationTimestamp", "deletionTimestamp"),
    *("deletionGracePeriodSeconds", "managedFields", "selfLink"),
)
_NOT_BUILT_INTO_KUBECTL = "apiextensions.k8s.io"
_ERRORS: Mapping[str, type[ApiError]] = {
    kind.reason: kind
    for kind in vars(api_errors).values()
    if isinstance(kind, type) and issubclass(kind, ApiError)
}


@dataclass(frozen=True, slots=True)
class _Resource:
    """The path of a kind's objects, and the patch that `apply` sends for them.

    Attributes:
        stored_kind: the kind by which the store keeps its objects.
        is_custom: True if `apply` sends a JSON merge patch, False if a strategic merge patch.
    """

    api_version: str
    plural: str
    stored_kind: str
    is_namespaced: bool
    is_custom: bool

    def path(self, namespace: str | None, name: str = "") -> str:
        root = "api" if self.api_version == "v1" else "apis"
        place = (
            namespace_of(self.stored_kind, namespace) if self.is_namespaced and (name or namespace) else ""
        )
        parts = [root, *self.api_version.split("/"), *(["namespaces", place] if place else []), self.plural]
        return "/" + "/".join(quote(part, safe="") for part in [*parts, *([name] if name else [])])


class KubernetesClient:
    """Reads and writes the objects of one cluster. Every method may be called from any thread.

    Raises:
        ApiError: from every method: the API refuses the request; the message is the API server's.
        Missing: from every method: the API does not answer.
    """

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def get(self, kind: str, namespace: str | None, name: str) -> Object | None:
        """Return the object, or None. `kind` is e.g. `Service`; for a custom resource, `Kind.group`."""
        try:
            return self._send("GET", self._of_kind(kind).path(namespace, name))
        except NotFound:
            return None

    def list(self, kind: str, namespace: str | None = None) -> list[Object]:
        """Return the objects of a kind by namespace and name; of all namespaces for None."""
        resource = self._of_kind(kind)
        page = self._send("GET", resource.path(namespace))
        # The API leaves both out of the items of a list, as the real one does.
        own = {"apiVersion": resource.api_version, "kind": page["kind"].removesuffix("List")}
        return [{**own, **item} for item in page["items"]]

    def apply(self, item: Mapping[str, Any]) -> Object:
        """Do what `kubectl apply` does: create the object, or patch what its manifests, old and new, name.

        Unlike kubectl, leave out of the manifest what only the API server sets, such as the uid. Otherwise
        the API would refuse a manifest that was exported from another cluster.

        Raises:
            Invalid, Denied, NotFound: the API refuses the object; e.g. its namespace does not exist.
        """
        resource = self._of_manifest(item)
        manifest = with_last_applied(_without_server_fields(item), namespaced=resource.is_namespaced)
        metadata = manifest["metadata"]
        path = resource.path(metadata.get("namespace"), metadata["name"])
        query = {"fieldManager": APPLY_MANAGER, "fieldValidation": "Strict"}
        # Controllers write the same object meanwhile, above all its status and finalizers.
        for attempt in range(1, _TRIES + 1):
            try:
                live = self._send("GET", path)
            except NotFound:
                return self._send("POST", path.rpartition("/")[0], JSON, manifest, query)
            patch = _patch(resource, manifest, live)
            # kubectl sends nothing either, so that an unchanged manifest makes no new version.
            if not patch:
                return live
            kind = patches.MERGE_PATCH if resource.is_custom else patches.STRATEGIC
            try:
                return self._send("PATCH", path, kind, patch, query)
            except Conflict:
                if attempt == _TRIES:
                    raise
        raise AssertionError("the last attempt returns or raises")

    def annotate(
        self, kind: str, namespace: str | None, name: str, annotations: Mapping[str, str | None]
    ) -> Object:
        """Do what `kubectl annotate --overwrite` does; the value None removes an annotation.

        Raises:
            NotFound: no such object.
        """
        path = self._of_kind(kind).path(namespace, name)
        live = self._send("GET", path)
        there = live["metadata"].get("annotations") or {}
        changes = {key: value for key, value in annotations.items() if there.get(key) != value}
        if not changes:
            return live
        patch = {"metadata": {"annotations": changes}}
        return self._send("PATCH", path, patches.MERGE_PATCH, patch, {"fieldManager": ANNOTATE_MANAGER})

    def scale(self, kind: str, namespace: str | None, name: str, replicas: int) -> None:
        """Do what `kubectl scale --replicas` does.

        Raises:
            NotFound: there is no such object.
        """
        path = self._of_kind(kind).path(namespace, name)
        self._send("PATCH", path, patches.MERGE_PATCH, {"spec": {"replicas": replicas}})

    def set_balancer(self, kind: str, namespace: str | None, name: str, hostname: str) -> None:
        """Write the DNS name of a load balancer into an object's status, as its controller does.

        Raises:
            NotFound: no such object.
        """
        path = f"{self._of_kind(kind).path(namespace, name)}/status"
        status = {"loadBalancer": {"ingress": [{"hostname": hostname}]}}
        self._send("PATCH", path, patches.MERGE_PATCH, {"status": status})

    def set_ready(self, namespace: str, name: str, is_ready: bool) -> None:
        """Write the `Ready` condition of a pod into its status, as its kubelet does.

        Raises:
            NotFound: no such pod.
        """
        path = f"{self._of_kind('Pod').path(namespace, name)}/status"
        condition = {"type": "Ready", "status": "True" if is_ready else "False"}
        self._send("PATCH", path, patches.STRATEGIC, {"status": {"conditions": [condition]}})

    def delete(self, kind: str, namespace: str | None, name: str) -> None:
        """Do what `kubectl delete --wait=false` does: with finalizers, the object goes with the last of them.

        Raises:
            NotFound: no such object.
        """
        options = {"kind": "DeleteOptions", "apiVersion": "v1", "propagationPolicy": "Background"}
        self._send("DELETE", self._of_kind(kind).path(namespace, name), JSON, options)

    # --- which resource ----------------------------------------------------------------------------

    def _of_manifest(self, item: Mapping[str, Any]) -> _Resource:
        kind, version = item["kind"], item["apiVersion"]
        for resource in BUILT_IN:
            # Before discovery: built-in types are known here as they are in kubectl, and cost no request.
            if resource.kind == kind and resource.api_version == version:
                return _built_in(
                    resource.api_version, resource.plural, kind, resource.namespaced, resource.is_custom
                )
        custom = self._defined(version, kind)
        if custom is None:
            # kubectl's words (apimachinery pkg/api/meta/errors.go).
            raise NotFound(
                f'no matches for kind "{kind}" in version "{version}"', do="ensure CRDs are installed first"
            )
        return custom

    def _of_kind(self, kind: str) -> _Resource:
        for resource in BUILT_IN:
            if resource.stored_kind == kind:
                return _built_in(
                    resource.api_version, resource.plural, kind, resource.namespaced, resource.is_custom
                )
        plain, _, group = kind.partition(".")
        try:
            version = self._send("GET", f"/apis/{quote(group, safe='')}")["preferredVersion"]["groupVersion"]
        except NotFound:
            version = ""
        custom = self._defined(version, plain) if version else None
        if custom is None:
            raise NotFound(f'the server doesn\'t have a resource type "{kind}"')
        return custom

    def _defined(self, version: str, kind: str) -> _Resource | None:
        """Return the custom resource that discovery describes, or None."""
        group = version.rpartition("/")[0]
        try:
            served = self._send("GET", f"/apis/{version}")["resources"]
        except NotFound:
            return None
        for resource in served:
            if resource["kind"] == kind and "/" not in resource["name"]:
                stored = custom_kind(kind, group, namespaced=resource["namespaced"])
                return _Resource(version, resource["name"], stored, resource["namespaced"], is_custom=True)
        return None

    # --- calls -------------------------------------------------------------------------------------

    def _send(
        self,
        method: str,
        path: str,
        content_type: str = "",
        document: Any = None,
        query: Mapping[str, str] | None = None,
    ) -> Object:
        body = b"" if document is None else orjson.dumps(document)
        call = Call(method, path, query or {}, content_type, JSON, _AGENT, body)
        answer = self._transport.send(call)
        if answer.code >= 400:
            raise _error(answer)
        item = orjson.loads(answer.body)
        assert isinstance(item, dict)
        return item


def _built_in(version: str, plural: str, kind: str, namespaced: bool, is_custom: bool) -> _Resource:
    # kubectl sends a strategic merge patch for types that are built into it; CRDs are not.
    return _Resource(
        version, plural, kind, namespaced, is_custom or version.startswith(_NOT_BUILT_INTO_KUBECTL)
    )


def _without_server_fields(item: Mapping[str, Any]) -> dict[str, Any]:
    metadata = item["metadata"]
    kept = {key: value for key, value in metadata.items() if key not in _SET_BY_THE_SERVER or value is None}
    return {**item, "metadata": kept}


def _patch(resource: _Resource, manifest: Mapping[str, Any], live: Mapping[str, Any]) -> dict[str, Any]:
    before = last_applied(live) or {}
    if resource.is_custom:
        return client_side_apply.merge_patch(before, manifest, live)
    return client_side_apply.strategic_patch(resource.stored_kind, before, manifest, live)


def _error(answer: Answer) -> ApiError:
    """Return the error that a metav1.Status describes."""
    try:
        status = orjson.loads(answer.body)
        message, reason = str(status["message"]), str(status.get("reason", ""))
    except (ValueError, KeyError, TypeError):
        message, reason = f"the API answers {answer.code}", ""
    return _ERRORS.get(reason, ApiError)(message)
