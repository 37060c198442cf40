"""From a call of the API to its answer: discovery, objects and refusals, everything but a watch.

```
HTTPS ─► api_server ─┐
                     ├─► dispatch ─► discovery · openapi · verbs ─► store
client in process ───┘
```
A scenario and kubectl both come through here, so they get the same objects and the same refusals.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import orjson
import yaml

from testbed.clock import Clock
from testbed.kubernetes.api import discovery, openapi, pod_log, scale, statuses
from testbed.kubernetes.api.api_requests import JSON, YAML, Request, locate
from testbed.kubernetes.api.api_resources import Resources
from testbed.kubernetes.api.rendering import Renderer, View
from testbed.kubernetes.api.statuses import Refused
from testbed.kubernetes.api.verbs import Outcome, Verbs
from testbed.kubernetes.api.watch_streams import WatchStream
from testbed.kubernetes.api_errors import ApiError
from testbed.kubernetes.object_store import LoggedLine, ObjectStore


@dataclass(frozen=True, slots=True)
class Call:
    """A request that nothing has read yet: the parts of HTTP that count, as plain values.

    Attributes:
        method: the HTTP method.
        path: without the query.
        query: parameters by name; the first of each.
    """

    method: str
    path: str
    query: Mapping[str, str] = field(default_factory=dict)
    content_type: str = ""
    accept: str = ""
    agent: str = ""
    body: bytes = b""


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer of the API: `code` is the HTTP status, `warnings` are the texts of `Warning` headers."""

    code: int
    body: bytes
    content_type: str = JSON
    warnings: Sequence[str] = ()


class Dispatch:
    """The API on one store, without a network.

    Args:
        store: the objects that it serves.
        clock: the clock of the run.
        seed: the seed of generated names.
        address: the `host:port` that discovery gives as the server's.
    """

    def __init__(self, store: ObjectStore, clock: Clock, *, seed: int = 0, address: str = "") -> None:
        self._store, self._address = store, address
        self._resources = Resources(store)
        self._verbs = Verbs(store, clock, seed=seed)
        self._renderer = Renderer(clock)

    def answer(self, call: Call) -> Answer:
        """Carry out a call and return the answer; a refusal is an answer with a metav1.Status."""
        try:
            return self._document(call) or self._objects(call)
        except Refused as error:
            return refusal(error)
        except ApiError as error:
            return refusal(statuses.of_store(error))

    def watch(self, call: Call) -> WatchStream | None:
        """Return the stream of events if a call is a watch, else None.

        Raises:
            Refused: there is no such resource, or a parameter cannot be read.
        """
        if call.method != "GET" or "watch" not in call.query or self._document(call):
            return None
        request, view = self._read(call)
        return WatchStream(self._store, self._renderer, request, view) if request.flag("watch") else None

    def _objects(self, call: Call) -> Answer:
        request, view = self._read(call)
        resource = request.resource
        if request.subresource == "scale":
            return _answer(scale.act(self._verbs, request), is_yaml=view.is_yaml)
        if request.subresource == "log":
            return Answer(200, pod_log.text(self._log(request), request.query), "text/plain")
        if request.method == "GET" and not request.name:
            page = self._verbs.page(request)
            return _answer(self._renderer.page(resource, page, view), is_yaml=view.is_yaml)
        outcome = self._verbs.act(request)
        is_single = request.name or _is_one(outcome)
        shown = self._renderer.one(resource, outcome.item, view) if is_single else outcome.item
        warnings = outcome.warnings or ([resource.warning] if resource.warning else [])
        return _answer(shown, outcome.code, is_yaml=view.is_yaml, warnings=warnings)

    def followed_log(self, call: Call) -> Request | None:
        """Return the request of a call that follows a pod's log, else None.

        Raises:
            Refused: there is no such resource.
        """
        if call.method != "GET" or not call.path.endswith("/log") or "follow" not in call.query:
            return None
        request, _ = self._read(call)
        return request if request.subresource == "log" and request.flag("follow") else None

    def _log(self, request: Request) -> Sequence[LoggedLine]:
        return pod_log.asked(self.log_lines(request), request.query)

    def log_lines(self, request: Request) -> Sequence[LoggedLine]:
        """Return all lines of a pod's log.

        Raises:
            Refused: there is no such pod, or no log of it.
        """
        if request.method != "GET":
            raise statuses.method_not_allowed()
        pod = self._verbs.get(replace(request, subresource="")).item
        return pod_log.lines(self._store, pod, request.query)

    def _read(self, call: Call) -> tuple[Request, View]:
        resource, namespace, name, subresource = locate(call.path, self._resources)
        has_it = {
            "status": resource.has_status,
            "scale": resource.stored_kind in scale.SCALED,
            "log": resource.stored_kind == "Pod",
        }
        if subresource and not has_it.get(subresource):
            if not (resource.stored_kind == "Namespace" and subresource == "finalize"):
                raise statuses.no_such_path()
            subresource = ""
        request = Request(
            method=call.method,
            resource=resource,
            namespace=namespace,
            name=name,
            subresource=subresource,
            query=call.query,
            content_type=call.content_type,
            accept=call.accept,
            agent=call.agent,
            body=call.body,
        )
        view = View.of(call.accept, call.query.get("includeObject", ""))
        if view is None:
            message = f"only the following media types are accepted: {JSON}, {YAML}"
            raise Refused(406, "NotAcceptable", message)
        return request, view

    def _document(self, call: Call) -> Answer | None:
        """Return discovery or a description of the types; None for a path of objects."""
        path = call.path.rstrip("/") or "/"
        aggregated = "as=APIGroupDiscoveryList" in call.accept
        # With its semicolon, so that v2beta1, which older clients ask for, does not match.
        aggregated = aggregated and "v=v2;" in call.accept.replace(" ", "") + ";"
        parts = path.strip("/").split("/")
        document: Mapping[str, Any] | None
        match parts:
            case ["healthz" | "livez" | "readyz", *_]:
                return Answer(200, b"ok", "text/plain")
            case ["version"]:
                document = discovery.VERSION
            case ["api" | "apis"] if aggregated:
                document = discovery.aggregated(self._resources, core=parts == ["api"])
                return _answer(document, kind=discovery.AGGREGATED)
            case ["api"]:
                document = discovery.core_versions(self._address)
            case ["apis"]:
                document = discovery.groups(self._resources)
            case ["api", "v1"]:
                document = discovery.resource_list(self._resources, "v1")
            case ["apis", group]:
                document = discovery.group(self._resources, group)
            case ["apis", group, version]:
                document = discovery.resource_list(self._resources, f"{group}/{version}")
            case ["openapi", "v2"] if "protobuf" in call.accept:
                return Answer(200, openapi.PROTOBUF_V2, "application/octet-stream")
            case ["openapi", "v2"]:
                document = openapi.v2(self._resources)
            case ["openapi", "v3"]:
                document = openapi.v3_index(self._resources)
            case ["openapi", "v3", *rest]:
                document = openapi.v3(self._resources, "/".join(rest))
            case ["" | "metrics" | "logs", *_]:
                document = None
            case _:
                return None
        if document is None:
            raise statuses.no_such_path()
        return _answer(document)


def refusal(error: Refused) -> Answer:
    """Return the answer that carries a refusal's Status."""
    return _answer(error.status, error.code)


def _is_one(outcome: Outcome) -> bool:
    return "items" not in outcome.item or not str(outcome.item.get("kind", "")).endswith("List")


def _answer(
    document: Any, code: int = 200, *, kind: str = JSON, is_yaml: bool = False, warnings: Sequence[str] = ()
) -> Answer:
    if is_yaml:
        return Answer(code, yaml.safe_dump(document).encode(), YAML, warnings)
    return Answer(code, orjson.dumps(document), kind, warnings)
