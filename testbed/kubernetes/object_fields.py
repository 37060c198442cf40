"""Fields and parts of Kubernetes objects that are plain JSON. Pure: the arguments are never changed.

A field that an object leaves out is empty here, as in the API's own types.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

import orjson

from testbed.kubernetes.api_errors import Invalid
from testbed.kubernetes.kinds import namespace_of

Object = dict[str, Any]


def metadata(item: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the metadata, {} if there are none."""
    return item.get("metadata") or {}


def spec(item: Mapping[str, Any] | None) -> Mapping[str, Any]:
    """Return the spec, {} if there is none."""
    return (item or {}).get("spec") or {}


def namespace(item: Mapping[str, Any]) -> str:
    """Return the namespace, "" for cluster-wide objects."""
    return str(metadata(item).get("namespace") or "")


def name(item: Mapping[str, Any]) -> str:
    """Return the name, "" if there is none."""
    return str(metadata(item).get("name") or "")


def key(item: Mapping[str, Any]) -> str:
    """Return `namespace/name`, as the AWS controller prints objects."""
    return f"{namespace(item)}/{name(item)}"


def uid(item: Mapping[str, Any]) -> str:
    """Return the UID, "" before the object is stored."""
    return str(metadata(item).get("uid") or "")


def annotations_of(item: Mapping[str, Any]) -> Mapping[str, str]:
    """Return the annotations, {} if there are none."""
    return metadata(item).get("annotations") or {}


def labels_of(item: Mapping[str, Any]) -> Mapping[str, str]:
    """Return the labels, {} if there are none."""
    return metadata(item).get("labels") or {}


def finalizers(item: Mapping[str, Any]) -> Sequence[str]:
    """Return the finalizers, () if there are none."""
    return metadata(item).get("finalizers") or ()


def balancer_entries(item: Mapping[str, Any]) -> Sequence[Mapping[str, Any]]:
    """Return `status.loadBalancer.ingress`, () while the object has no load balancer."""
    return ((item.get("status") or {}).get("loadBalancer") or {}).get("ingress") or ()


def balancer_addresses(item: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the host names and IP addresses in the status, () while the object has no load balancer."""
    return tuple(str(entry.get("hostname") or entry.get("ip")) for entry in balancer_entries(item))


def is_being_deleted(item: Mapping[str, Any]) -> bool:
    """True if the object was deleted and waits for its finalizers."""
    return bool(metadata(item).get("deletionTimestamp"))


def copied(item: Mapping[str, Any]) -> Object:
    """Return a deep copy of an object.

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
    """Return kind, namespace ("" if cluster-wide) and name.

    Raises:
        Invalid: no kind or name.
    """
    kind, own_name = item.get("kind"), metadata(item).get("name")
    if not kind or not own_name:
        raise Invalid(f"an object needs a kind and metadata.name, this one has {kind!r} and {own_name!r}")
    return kind, namespace_of(kind, metadata(item).get("namespace")), own_name


def title(item: Mapping[str, Any]) -> str:
    """Return `Service default/envoy`, for messages."""
    kind, where, own_name = identity(item)
    return f"{kind} {where}/{own_name}" if where else f"{kind} {own_name}"


def without_status(item: Object) -> Object:
    """Return all but the status."""
    return {field: value for field, value in item.items() if field != "status"}


def status_of(item: Object) -> Object:
    """Return only the status, {} where there is none."""
    return {"status": item["status"]} if "status" in item else {}


def with_fixed(new: Mapping[str, Any], old: Mapping[str, Any], fixed: Collection[str]) -> Object:
    """Return new metadata in which some fields are as in the old: present with its value, or absent."""
    return {
        **{field: value for field, value in new.items() if field not in fixed},
        **{field: old[field] for field in fixed if field in old},
    }


def content(item: Object) -> Object:
    """Return the fields that count for the generation: neither metadata nor status."""
    return {
        field: value for field, value in item.items() if field not in ("metadata", "status", "apiVersion")
    }


def unversioned(item: Object) -> Object:
    """Return all but the fields that every write changes."""
    changing = ("resourceVersion", "generation")
    kept = {field: value for field, value in item["metadata"].items() if field not in changing}
    return {**item, "metadata": kept}
