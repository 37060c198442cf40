"""Admission webhooks of other programs: a write asks them, and takes what they change or refuse.

```
verbs ─ Unreviewed ─► act ─ AdmissionReview ─► webhook      no lock of the store is held meanwhile
  ▲                    │
  └──── the same again, with the object that came back
```
A verb finds out inside its transaction what it is about to write. Nobody may be asked there: a webhook may
itself read from this API. So the verb stops, the webhooks are asked, and it runs again from the start; if the
object has changed meanwhile they are asked anew, as the API server's own update loop does.

Only webhooks that the run knows are called: a Service with a server in `ObjectStore.webhook_servers`, or a
URL on the loopback. A manifest may bring those of programs that do not run here.
"""

from __future__ import annotations

import base64
import http.client
import ipaddress
import socket
import ssl
import uuid
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

import orjson

from testbed.kubernetes.api.api_resources import Resource
from testbed.kubernetes.api.statuses import Refused
from testbed.kubernetes.object_fields import Object
from testbed.kubernetes.object_store import ObjectStore, WebhookServer
from testbed.kubernetes.rules import decoding, defaults
from testbed.kubernetes.rules.shapes import shape_of
from testbed.kubernetes.rules.webhook_configurations import (
    MUTATING,
    VALIDATING,
    Operation,
    Webhook,
    Write,
    matching,
)
from testbed.settings import PATIENCE

_GROUP = "admission.k8s.io"
_LOWEST_REFUSAL = 400
_HTTPS_PORT = 443


@dataclass(frozen=True, slots=True)
class Question:
    """A write that webhooks are asked about; `old` is None for a new object."""

    operation: Operation
    resource: Resource
    item: Object
    old: Object | None
    is_dry_run: bool

    @property
    def key(self) -> bytes:
        """Equal for the same write; a new name is made up each time that a verb runs."""
        metadata = {key: value for key, value in self.item["metadata"].items() if key != "managedFields"}
        if metadata.get("generateName") and self.old is None:
            metadata.pop("name", None)
        version = self.old["metadata"].get("resourceVersion") if self.old else None
        return orjson.dumps([version, {**self.item, "metadata": metadata}], option=orjson.OPT_SORT_KEYS)


class Unreviewed(Exception):
    """A verb has come to a write that webhooks have not been asked about."""

    def __init__(self, question: Question) -> None:
        super().__init__(question.resource.qualified)
        self.question = question


@dataclass(slots=True)
class Admission:
    """What webhooks have said of one request so far."""

    store: ObjectStore
    _known: dict[bytes, Object] = field(default_factory=dict)

    def admitted(self, question: Question) -> Object:
        """Return the object as the mutating webhooks leave it.

        Raises:
            Unreviewed: they have not been asked; `ask` does, outside of a transaction.
        """
        if not self._webhooks(question, MUTATING, VALIDATING):
            return question.item
        known = self._known.get(question.key)
        if known is None:
            raise Unreviewed(question)
        named = {**known["metadata"], "name": question.item["metadata"].get("name")}
        return {**known, "metadata": {key: value for key, value in named.items() if value is not None}}

    def ask(self, question: Question) -> None:
        """Ask the webhooks about a write.

        Raises:
            Refused: one refuses it, or does not answer and may not be ignored.
        """
        item = question.item
        for webhook, server in self._webhooks(question, MUTATING):
            item = _mutated(_reviewed(webhook, server, question, item), webhook, item)
        for webhook, server in self._webhooks(question, VALIDATING):
            _reviewed(webhook, server, question, item)
        self._known[question.key] = item

    def _webhooks(self, question: Question, *kinds: str) -> list[tuple[Webhook, WebhookServer]]:
        configurations = [item for kind in kinds for item in self.store.list(kind)]
        if not configurations or question.resource.group == "admissionregistration.k8s.io":
            return []
        metadata = question.item["metadata"]
        namespace = (
            self.store.get("Namespace", None, metadata.get("namespace") or "default")
            if question.resource.namespaced
            else None
        )
        write = Write(
            operation=question.operation,
            group=question.resource.group,
            resource=question.resource.plural,
            labels=metadata.get("labels") or {},
            old_labels=question.old and (question.old["metadata"].get("labels") or {}),
            namespace_labels=(namespace or {}).get("metadata", {}).get("labels") or {}
            if question.resource.namespaced
            else None,
        )
        return [
            (webhook, server)
            for webhook in matching(configurations, write)
            if (server := _server(webhook, self.store.webhook_servers))
        ]


def are_configured(store: ObjectStore) -> bool:
    """True if a write to this store may have to ask a webhook."""
    return bool(store.list(MUTATING) or store.list(VALIDATING))


def _server(webhook: Webhook, servers: Mapping[tuple[str, str], WebhookServer]) -> WebhookServer | None:
    """Return where a webhook is answered; None if that is nowhere in this run."""
    if webhook.service:
        return servers.get(webhook.service)
    url = urlsplit(webhook.url)
    host = url.hostname or ""
    try:
        is_here = host == "localhost" or ipaddress.ip_address(host).is_loopback
        port = url.port or _HTTPS_PORT
    except ValueError:
        return None
    if not is_here or url.scheme != "https":
        return None
    return WebhookServer(host, port, host, base64.b64decode(webhook.authority).decode(errors="replace"))


def _reviewed(
    webhook: Webhook, server: WebhookServer, question: Question, item: Object
) -> Mapping[str, Any] | None:
    """Return the response of a webhook that admits a write; None if it fails and that is to be ignored."""
    review = _review(webhook, question, item)
    path = urlsplit(webhook.url).path or "/" if webhook.url else webhook.path
    try:
        answer = _post(server, path, orjson.dumps(review), min(webhook.seconds, PATIENCE.api_call))
        response = _response(answer, review["request"]["uid"])
    except (OSError, http.client.HTTPException, ValueError) as error:
        if webhook.ignores_failure:
            return None
        place = f"https://{server.host}:{server.port}{path}?timeout={webhook.seconds}s"
        why = f'failed calling webhook "{webhook.name}": failed to call webhook: Post "{place}": {error}'
        raise Refused(500, "InternalError", f"Internal error occurred: {why}") from None
    if not response.get("allowed"):
        raise _denied(webhook, response.get("status") or {})
    return response


def _review(webhook: Webhook, question: Question, item: Object) -> dict[str, Any]:
    resource = question.resource
    group, _, version = item["apiVersion"].rpartition("/")
    kind = {"group": group, "version": version, "kind": resource.kind}
    place = {"group": group, "version": version, "resource": resource.plural}
    options = "CreateOptions" if question.operation == "CREATE" else "UpdateOptions"
    request = {
        "uid": str(uuid.uuid4()),
        "kind": kind,
        "resource": place,
        "requestKind": {**kind, "version": resource.version, "group": resource.group},
        "requestResource": {**place, "version": resource.version, "group": resource.group},
        "name": item["metadata"].get("name") or "",
        "namespace": item["metadata"].get("namespace") or "",
        "operation": question.operation,
        "userInfo": {"username": "testbed", "groups": ["system:masters", "system:authenticated"]},
        "object": {**item, "kind": resource.kind},
        "oldObject": question.old and {**question.old, "kind": resource.kind},
        "dryRun": question.is_dry_run,
        "options": {"kind": options, "apiVersion": "meta.k8s.io/v1"},
    }
    return {"kind": "AdmissionReview", "apiVersion": f"{_GROUP}/{webhook.version}", "request": request}


def _post(server: WebhookServer, path: str, body: bytes, seconds: float) -> bytes:
    tls = ssl.create_default_context(cadata=server.authority)
    with closing(http.client.HTTPConnection(server.address, server.port, timeout=seconds)) as connection:
        plain = socket.create_connection((server.address, server.port), timeout=seconds)
        with plain:
            connection.sock = tls.wrap_socket(plain, server_hostname=server.host)
            connection.request("POST", path, body, {"Content-Type": "application/json"})
            answer = connection.getresponse()
            content = answer.read()
    if answer.status != http.client.OK:
        raise ValueError(f"the server answers {answer.status}")
    return content


def _response(answer: bytes, uid: str) -> Mapping[str, Any]:
    try:
        response = orjson.loads(answer)["response"]
        told = response["uid"]
    except (ValueError, KeyError, TypeError):
        raise ValueError("the answer is no AdmissionReview with a response") from None
    if told != uid:
        raise ValueError(f'expected response.uid="{uid}", got "{told}"')
    assert isinstance(response, Mapping)
    return response


def _denied(webhook: Webhook, status: Mapping[str, Any]) -> Refused:
    """The refusal of a webhook (apiserver pkg/admission/plugin/webhook/errors, `ToStatusErr`)."""
    who = f'admission webhook "{webhook.name}" denied the request'
    message, reason = str(status.get("message") or ""), str(status.get("reason") or "")
    said = f"{who}: {message or reason}" if message or reason else f"{who} without explanation"
    return Refused(max(int(status.get("code") or 0), _LOWEST_REFUSAL), reason or "BadRequest", said)


def _mutated(response: Mapping[str, Any] | None, webhook: Webhook, item: Object) -> Object:
    import jsonpatch  # slow to import, and few runs have such a webhook

    if response is None or not response.get("patch"):
        return item
    try:
        patch = orjson.loads(base64.b64decode(response["patch"]))
        changed = jsonpatch.apply_patch(item, patch)
    except (ValueError, TypeError, AttributeError, jsonpatch.JsonPatchException, KeyError) as error:
        why = f'the patch of admission webhook "{webhook.name}" cannot be applied: {error}'
        raise Refused(500, "InternalError", f"Internal error occurred: {why}") from None
    # A webhook in Go sends the fields of its types that are unset as nulls.
    known = decoding.decoded(changed, shape_of(item["kind"], item["apiVersion"]))
    return defaults.converted({**known, "kind": item["kind"]})
