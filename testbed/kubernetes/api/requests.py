"""A request of the API read from its HTTP parts: which resource, which object, and what to do with it.

```
/api/v1/namespaces/default/services/envoy/status?fieldManager=kubectl&dryRun=All
/apis/networking.k8s.io/v1/ingresses?labelSelector=app%3Denvoy&watch=1&resourceVersion=12
```
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import orjson
import yaml

from testbed.kubernetes.api import protobuf
from testbed.kubernetes.api.resources import Resource, Resources
from testbed.kubernetes.api.statuses import bad_request, no_such_path, unsupported_media_type

_PATH = re.compile(
    r"/(?:api/(?P<core>v1)|apis/(?P<group>[^/]+/[^/]+))"
    r"(?:/namespaces/(?P<namespace>[^/]+))?/(?P<plural>[^/]+)(?:/(?P<name>[^/]+)(?:/(?P<subresource>[^/]+))?)?"
)
JSON, YAML = "application/json", "application/yaml"
_TRUE = ("1", "true", "t", "True", "TRUE")


@dataclass(frozen=True, slots=True)
class Request:
    """A request for objects.

    Attributes:
        method: of HTTP.
        namespace: "" for all namespaces, and for cluster-wide resources.
        name, subresource: "" where the path has none.
        query: parameters by name; the first of each.
        content_type, accept, agent: of the headers.
        body: bytes as they came.
    """

    method: str
    resource: Resource
    namespace: str
    name: str
    subresource: str
    query: Mapping[str, str] = field(default_factory=dict)
    content_type: str = ""
    accept: str = ""
    agent: str = ""
    body: bytes = b""

    def flag(self, name: str) -> bool:
        """Whether a parameter says yes."""
        return self.query.get(name, "") in _TRUE

    @property
    def is_dry_run(self) -> bool:
        """Whether nothing is to be stored.

        Raises:
            Refused: 400, a value other than All.
        """
        value = self.query.get("dryRun", "")
        if value not in ("", "All"):
            raise bad_request(f'dryRun: Unsupported value: "{value}": supported values: "All"')
        return value == "All"

    @property
    def manager(self) -> str:
        """Who writes: `fieldManager`, or the first word of the user agent."""
        return self.query.get("fieldManager") or self.agent.partition("/")[0] or "unknown"

    def parsed(self) -> Any:
        """The body as JSON values, from JSON or YAML.

        Raises:
            Refused: 400, it cannot be read; 415, it is of another kind, e.g. protobuf.
        """
        return parse(self.body, self.content_type)

    def parsed_object(self) -> dict[str, Any]:
        """The body as an object.

        Raises:
            Refused: as `parsed`; 400, it is no mapping.
        """
        found = self.parsed()
        if not isinstance(found, dict):
            raise bad_request("the object provided is unrecognized (must be of type Object)")
        return found


def parse(body: bytes, content_type: str) -> Any:
    """JSON values of a body.

    Raises:
        Refused: 400, it cannot be read; 415, it is of another kind.
    """
    kind = content_type.partition(";")[0].strip().lower()
    if kind == protobuf.CONTENT_TYPE:
        return protobuf.decoded(body)
    if kind in ("", "application/x-www-form-urlencoded"):
        kind = JSON
    try:
        if kind.endswith("json"):
            return orjson.loads(body)
        if kind.endswith("yaml"):
            # A timestamp stays the text that it is in JSON.
            return yaml.load(body, Loader=_Loader)  # noqa: S506 a SafeLoader
    except (orjson.JSONDecodeError, yaml.YAMLError, UnicodeDecodeError, RecursionError) as error:
        raise bad_request(f"error decoding the body: {' '.join(str(error).split())}") from None
    raise unsupported_media_type((JSON, YAML))


class _Loader(yaml.SafeLoader):
    """YAML as Kubernetes reads it: without timestamps."""


_Loader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag != "tag:yaml.org,2002:timestamp"]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}


def locate(path: str, resources: Resources) -> tuple[Resource, str, str, str]:
    """Resource, namespace, name and subresource of a path.

    Raises:
        Refused: 404, there is no such resource.
    """
    found = _PATH.fullmatch(path)
    if not found:
        # A namespace itself has the path that a resource in a namespace begins with.
        own = re.fullmatch(r"/api/v1/namespaces(?:/([^/]+))?", path)
        resource = resources.find("v1", "namespaces") if own else None
        if own is None or resource is None:
            raise no_such_path()
        return resource, "", own[1] or "", ""
    if found["namespace"] and found["plural"] in ("status", "finalize") and not found["name"]:
        resource = resources.find("v1", "namespaces")
        assert resource
        return resource, "", found["namespace"], found["plural"]
    resource = resources.find(found["core"] or found["group"], found["plural"])
    if resource is None or (found["namespace"] and not resource.namespaced):
        raise no_such_path()
    if resource.namespaced and found["name"] and not found["namespace"]:
        raise no_such_path()
    return resource, found["namespace"] or "", found["name"] or "", found["subresource"] or ""
