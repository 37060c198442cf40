"""The API over TLS: routes, tokens, forms of answers. What a verb does is in `handlers`.

```
GET  /api /apis /openapi /version /healthz        discovery
GET  .../plural[?watch=1]   POST .../plural   DELETE .../plural
GET  .../plural/name[/status]   PUT   PATCH   DELETE
```
"""

from __future__ import annotations

import contextlib
import errno
import hmac
import os
import ssl
from collections.abc import Mapping
from typing import Any

import orjson
import yaml
from aiohttp import web
from multidict import CIMultiDict

from testbed.clock import Clock
from testbed.errors import Missing
from testbed.kubernetes.api import discovery, openapi, statuses
from testbed.kubernetes.api.handlers import Handlers, Outcome
from testbed.kubernetes.api.rendering import Renderer, View
from testbed.kubernetes.api.requests import Request, locate
from testbed.kubernetes.api.resources import Resources
from testbed.kubernetes.api.statuses import Refused
from testbed.kubernetes.api.watches import WatchStream
from testbed.kubernetes.errors import ApiError
from testbed.kubernetes.store import ObjectStore

_MOST_BYTES = 3 << 20
"""Of a request's body, as the API server's limit."""
_OPEN_PATHS = ("/healthz", "/livez", "/readyz", "/version")


class KubernetesApi:
    """An HTTPS server in the servers' loop. `start` and `stop` belong into that loop.

    Args:
        store: the objects that it serves.
        clock: of the run.
        address, port: where it listens.
        tls: certificate and key of the server.
        token: the bearer token that a client must have.
        seed: of generated names.
    """

    def __init__(
        self,
        store: ObjectStore,
        clock: Clock,
        address: str,
        port: int,
        *,
        tls: ssl.SSLContext,
        token: str,
        seed: int = 0,
    ) -> None:
        self._store = store
        self._address, self._port = address, port
        self._tls, self._token = tls, token
        self._resources = Resources(store)
        self._handlers = Handlers(store, clock, seed=seed)
        self._renderer = Renderer(clock)
        self._runner: web.AppRunner | None = None

    async def start(self) -> None:
        """Listen.

        Raises:
            Missing: the port is taken, or is not this user's to bind.
        """
        application = web.Application(client_max_size=_MOST_BYTES)
        application.router.add_route("*", "/{path:.*}", self._handle)
        self._runner = web.AppRunner(
            application, access_log=None, shutdown_timeout=0.0, handler_cancellation=True
        )
        await self._runner.setup()
        try:
            await web.TCPSite(self._runner, self._address, self._port, ssl_context=self._tls).start()
        except OSError as error:
            await self.stop()
            why = "is taken" if error.errno == errno.EADDRINUSE else os.strerror(error.errno or 0)
            raise Missing(
                f"{self._address}:{self._port} (Kubernetes API) {why}",
                do="stop what listens there or name another network with --network",
            ) from None

    async def stop(self) -> None:
        """Close the server, its connections and the watches on them."""
        if self._runner:
            await self._runner.cleanup()

    # --- requests ----------------------------------------------------------------------------------

    async def _handle(self, request: web.Request) -> web.StreamResponse:
        try:
            if request.path not in _OPEN_PATHS:
                self._authenticate(request)
            document = self._document(request)
            if document is not None:
                return document
            return await self._objects(request)
        except Refused as error:
            return _answer(error.status, error.code)
        except ApiError as error:
            refused = statuses.of_store(error)
            return _answer(refused.status, refused.code)

    def _authenticate(self, request: web.Request) -> None:
        given = request.headers.get("Authorization", "")
        if not hmac.compare_digest(given.encode(), f"Bearer {self._token}".encode()):
            raise Refused(401, "Unauthorized", "Unauthorized")

    def _document(self, request: web.Request) -> web.Response | None:
        """Discovery and the descriptions of the types; None for a path of objects."""
        path = request.path.rstrip("/") or "/"
        aggregated = "as=APIGroupDiscoveryList" in request.headers.get("Accept", "")
        aggregated = aggregated and "v=v2;" in request.headers["Accept"].replace(" ", "") + ";"
        parts = path.strip("/").split("/")
        found: Mapping[str, Any] | None
        match parts:
            case ["healthz" | "livez" | "readyz", *_]:
                return web.Response(text="ok")
            case ["version"]:
                found = discovery.VERSION
            case ["api" | "apis"] if aggregated:
                found = discovery.aggregated(self._resources, core=parts == ["api"])
                return _answer(found, kind=discovery.AGGREGATED)
            case ["api"]:
                found = discovery.core_versions(f"{self._address}:{self._port}")
            case ["apis"]:
                found = discovery.groups(self._resources)
            case ["api", "v1"]:
                found = discovery.resource_list(self._resources, "v1")
            case ["apis", group]:
                found = discovery.group(self._resources, group)
            case ["apis", group, version]:
                found = discovery.resource_list(self._resources, f"{group}/{version}")
            case ["openapi", "v2"] if "protobuf" in request.headers.get("Accept", ""):
                return web.Response(body=openapi.PROTOBUF_V2, content_type="application/octet-stream")
            case ["openapi", "v2"]:
                found = openapi.v2(self._resources)
            case ["openapi", "v3"]:
                found = openapi.v3_index(self._resources)
            case ["openapi", "v3", *rest]:
                found = openapi.v3(self._resources, "/".join(rest))
            case ["" | "metrics" | "logs", *_]:
                found = None
            case _:
                return None
        if found is None:
            raise statuses.no_such_path()
        return _answer(found)

    async def _objects(self, http: web.Request) -> web.StreamResponse:
        resource, namespace, name, subresource = locate(http.path, self._resources)
        if subresource and not (subresource == "status" and resource.has_status):
            if not (resource.stored_kind == "Namespace" and subresource == "finalize"):
                raise statuses.no_such_path()
            subresource = ""
        try:
            body = await http.read()
        except web.HTTPRequestEntityTooLarge:
            raise Refused(413, "RequestEntityTooLarge", f"limit is {_MOST_BYTES}") from None
        request = Request(
            method=http.method,
            resource=resource,
            namespace=namespace,
            name=name,
            subresource=subresource,
            query={key: http.query[key] for key in http.query},
            content_type=http.headers.get("Content-Type", ""),
            accept=http.headers.get("Accept", ""),
            agent=http.headers.get("User-Agent", ""),
            body=body,
        )
        view = View.of(request.accept, request.query.get("includeObject", ""))
        if view is None:
            accepted = "application/json, application/yaml"
            message = f"only the following media types are accepted: {accepted}"
            raise Refused(406, "NotAcceptable", message)
        if request.method == "GET" and request.flag("watch"):
            return await self._watch(http, request, view)
        if request.method == "GET" and not name:
            page = self._handlers.page(request)
            return _answer(self._renderer.page(resource, page, view), is_yaml=view.is_yaml)
        outcome = self._act(request)
        shown = self._renderer.one(resource, outcome.item, view) if name or _is_one(outcome) else outcome.item
        warnings = outcome.warnings or ([resource.warning] if resource.warning else [])
        return _answer(shown, outcome.code, is_yaml=view.is_yaml, warnings=warnings)

    def _act(self, request: Request) -> Outcome:
        match request.method, bool(request.name):
            case "GET", True:
                return self._handlers.get(request)
            case "POST", _:
                return self._handlers.create(request)
            case "PUT", True:
                return self._handlers.update(request)
            case "PATCH", True:
                return self._handlers.patch(request)
            case "DELETE", True:
                return self._handlers.delete(request)
            case "DELETE", False:
                return self._handlers.delete_collection(request)
        raise statuses.method_not_allowed()

    async def _watch(self, http: web.Request, request: Request, view: View) -> web.StreamResponse:
        stream = WatchStream(self._store, self._renderer, request, view)
        response = web.StreamResponse(headers={"Content-Type": "application/json"})
        response.enable_chunked_encoding()
        await response.prepare(http)
        # The client goes away when it has seen enough.
        with contextlib.suppress(ConnectionError):
            async for line in stream.lines():
                await response.write(orjson.dumps(line, option=orjson.OPT_APPEND_NEWLINE))
            await response.write_eof()
        return response


def _is_one(outcome: Outcome) -> bool:
    return "items" not in outcome.item or not str(outcome.item.get("kind", "")).endswith("List")


def _answer(
    found: Any,
    code: int = 200,
    *,
    kind: str = "application/json",
    is_yaml: bool = False,
    warnings: Any = (),
) -> web.Response:
    headers = [("Content-Type", "application/yaml" if is_yaml else kind)]
    headers += [("Warning", f'299 - "{_quoted(text)}"') for text in warnings]
    body = yaml.safe_dump(found).encode() if is_yaml else orjson.dumps(found)
    return web.Response(status=code, body=body, headers=CIMultiDict(headers))


def _quoted(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"')
