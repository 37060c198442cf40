"""Parts of a Kubernetes object that is plain JSON. Pure: the arguments are never changed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import orjson

from testbed.kubernetes.errors import Invalid
from testbed.kubernetes.kinds import namespace_of

Object = dict[str, Any]


def copied(item: Mapping[str, Any]) -> Object:
    """A deep copy of an object.

    Raises:
        Invalid: it is not JSON.
    """
    try:
        copy = orjson.loads(orjson.dumps(item))
    except TypeError as error:
        raise Invalid(f"the object is not JSON: {error}") from None
    assert isinstance(copy, dict)
    return copy


def identity(item: Mapping[str, Any]) -> tuple[str, str, str]:
    """Kind, namespace ("" if cluster-wide) and name.

    Raises:
        Invalid: no kind or name.
    """
    kind = item.get("kind")
    metadata = item.get("metadata") or {}
    name = metadata.get("name")
    if not kind or not name:
        raise Invalid(f"an object needs a kind and metadata.name, this one has {kind!r} and {name!r}")
    return kind, namespace_of(kind, metadata.get("namespace")), name


def title(item: Mapping[str, Any]) -> str:
    """`Service default/envoy`, for messages."""
    kind, namespace, name = identity(item)
    return f"{kind} {namespace}/{name}" if namespace else f"{kind} {name}"


def without_status(item: Object) -> Object:
    """All but the status."""
    return {key: value for key, value in item.items() if key != "status"}


def status_of(item: Object) -> Object:
    """Only the status, {} where there is none."""
    return {"status": item["status"]} if "status" in item else {}


def content(item: Object) -> Object:
    """What counts for the generation: neither metadata nor status."""
    return {key: value for key, value in item.items() if key not in ("metadata", "status", "apiVersion")}


def unversioned(item: Object) -> Object:
    """All but what every write changes."""
    changing = ("resourceVersion", "generation")
    metadata = {key: value for key, value in item["metadata"].items() if key not in changing}
    return {**item, "metadata": metadata}
