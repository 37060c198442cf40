"""A request of the API, read from its HTTP parts: the resource, the object, and what to do with it.

```
/api/v1/namespaces/default/services/envoy/status?fieldManager=kubectl&dryRun=All
/apis/networking.k8s.io/v1/ingresses?labelSelector=app%3Denvoy&watch=1&resourceVersion=12
```
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import orjson
import yaml

from testbed.kubernetes.api import protobuf
from testbed.kubernetes.api.api_resources import Resource, Resources
from testbed.kubernetes.api.statuses import bad_request, no_such_path, unsupported_media_type

if TYPE_CHECKING:
    from testbed.kubernetes.api.admission_webhooks import Admission

_PATH = re.compile(
    r"/(?:api/(?P<core>v1)|apis/(?P<group>[^/]+/[^/]+))"
    r"(?:/namespaces/(?P<namespace>[^/]+))?/(?P<plural>[^/]+)(?:/(?P<name>[^/]+)(?:/(?P<subresource>[^/]+))?)?"
)
JSON, YAML = "application/json", "application/yaml"
# The values that Go's strconv.ParseBool takes for true; anything else counts as false.
_TRUE = ("1", "true", "t", "True", "TRUE")


@dataclass(frozen=True, slots=True)
class Request:
    """A request for objects.

    Attributes:
        method: the HTTP method.
        namespace: "" for all namespaces, and for cluster-wide resources.
        name, subresource: "" where the path has none.
        query: parameters by name; the first of each.
        content_type, accept, agent: the headers of these names.
        body: the bytes of the body.
        admission: what webhooks have said of it so far.
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
    admission: Admission | None = field(default=None, compare=False)

    def flag(self, name: str) -> bool:
        """True if a parameter is set to true."""
        return self.query.get(name, "") in _TRUE

    @property
    def is_dry_run(self) -> bool:
        """True if nothing may be stored.

        Raises:
            Refused: 400, a value other than All.
        """
        value = self.query.get("dryRun", "")
        if value not in ("", "All"):
            raise bad_request(f'dryRun: Unsupported value: "{value}": supported values: "All"')
        return value == "All"

    @property
    def manager(self) -> str:
        """The writer's name: `fieldManager`, or the first word of the user agent."""
        return self.query.get("fieldManager") or self.agent.partition("/")[0] or "unknown"

    def parsed(self) -> Any:
        """Return the body as JSON values, from JSON or YAML.

        Raises:
            Refused: 400, it cannot be read; 415, it is of another kind, e.g. protobuf.
        """
        return parse(self.body, self.content_type)

    def parsed_object(self) -> dict[str, Any]:
        """Return the body as an object.

        Raises:
            Refused: as `parsed`; 400, it is not a mapping.
        """
        body = self.parsed()
        if not isinstance(body, dict):
            raise bad_request("the object provided is unrecognized (must be of type Object)")
        return body


def parse(body: bytes, content_type: str) -> Any:
    """Return the JSON values of a body.

    Raises:
        Refused: 400, it cannot be read; 415, it is of another kind.
    """
    kind = content_type.partition(";")[0].strip().lower()
    if kind == protobuf.CONTENT_TYPE:
        return protobuf.decoded(body)
    # curl -d sends the latter unless it is told otherwise, and means JSON.
    if kind in ("", "application/x-www-form-urlencoded"):
        kind = JSON
    try:
        if kind.endswith("json"):
            return orjson.loads(body)
        if kind.endswith("yaml"):
            # A timestamp stays text, as in JSON.
            return yaml.load(body, Loader=_Loader)  # noqa: S506 a SafeLoader
    except (ValueError, yaml.YAMLError, RecursionError) as error:  # a ValueError: JSON, UTF-8, `!!int x`
        raise bad_request(f"error decoding the body: {' '.join(str(error).split())}") from None
    raise unsupported_media_type((JSON, YAML))


class _Loader(yaml.SafeLoader):
    """YAML as Kubernetes reads it: without timestamps."""


_Loader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag != "tag:yaml.org,2002:timestamp"]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}


def locate(path: str, resources: Resources) -> tuple[Resource, str, str, str]:
    """Return the resource, namespace, name and subresource of a path.

    Raises:
        Refused: 404, there is no such resource.
    """
    parts = _PATH.fullmatch(path)
    if not parts:
        # A namespace itself has the path that a resource in a namespace begins with.
        own = re.fullmatch(r"/api/v1/namespaces(?:/([^/]+))?", path)
        resource = resources.find("v1", "namespaces") if own else None
        if own is None or resource is None:
            raise no_such_path()
        return resource, "", own[1] or "", ""
    if parts["namespace"] and parts["plural"] in ("status", "finalize") and not parts["name"]:
        resource = resources.find("v1", "namespaces")
        assert resource
        return resource, "", parts["namespace"], parts["plural"]
    resource = resources.find(parts["core"] or parts["group"], parts["plural"])
    if resource is None or (parts["namespace"] and not resource.namespaced):
        raise no_such_path()
    if resource.namespaced and parts["name"] and not parts["namespace"]:
        raise no_such_path()
    return resource, parts["namespace"] or "", parts["name"] or "", parts["subresource"] or ""
