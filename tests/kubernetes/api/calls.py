"""Calls of the API without a network, for tests of what a request leads to."""

from __future__ import annotations

from typing import Any

import orjson

from testbed.clock import Clock
from testbed.kubernetes import ObjectStore
from testbed.kubernetes.api.api_requests import Request
from testbed.kubernetes.api.api_resources import BUILT_IN, Resource
from testbed.kubernetes.api.dispatch import Answer, Call, Dispatch

DEFAULT = "/api/v1/namespaces/default"


def resource(kind: str, version: str = "") -> Resource:
    """A resource of Kubernetes itself, in its first version or in another."""
    return next(one for one in BUILT_IN if one.kind == kind and version in ("", one.api_version))


def request(method: str, kind: str, name: str = "", *, body: Any = None, **query: str) -> Request:
    """A request for objects of a kind in the namespace `default`."""
    found = resource(kind)
    return Request(
        method=method,
        resource=found,
        namespace="default" if found.namespaced else "",
        name=name,
        subresource="",
        query=query,
        content_type="application/json",
        body=b"" if body is None else orjson.dumps(body),
    )


class Api:
    """A store with the namespace `default`, and the API on it."""

    def __init__(self) -> None:
        self.clock = Clock()
        self.store = ObjectStore(self.clock)
        self.store.create({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "default"}})
        self.dispatch = Dispatch(self.store, self.clock, address="127.0.0.1:6443")

    def answer(
        self, method: str, path: str, body: Any = None, kind: str = "application/json", **more: Any
    ) -> Answer:
        data = b"" if body is None else orjson.dumps(body)
        query = {name: value for name, value in more.items() if name != "accept"}
        return self.dispatch.answer(
            Call(method, path, query, kind, more.get("accept", "application/json"), "test/1", data)
        )

    def ok(
        self, method: str, path: str, body: Any = None, kind: str = "application/json", **more: Any
    ) -> Any:
        """The document of an answer that must be no refusal."""
        answer = self.answer(method, path, body, kind, **more)
        assert answer.code < 300, answer
        return orjson.loads(answer.body)

    def refused(
        self, method: str, path: str, body: Any = None, kind: str = "application/json", **more: Any
    ) -> tuple[int, str, str]:
        """Code, reason and message of an answer that must be a refusal."""
        answer = self.answer(method, path, body, kind, **more)
        status = orjson.loads(answer.body)
        assert status["kind"] == "Status"
        assert status["code"] == answer.code
        return answer.code, status["reason"], status["message"]
