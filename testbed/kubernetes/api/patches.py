"""The kinds of patch: JSON patch (RFC 6902), JSON merge patch (RFC 7386), strategic merge patch, apply."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from testbed.kubernetes.api import strategic_merge
from testbed.kubernetes.api.api_requests import parse
from testbed.kubernetes.api.api_resources import Resource
from testbed.kubernetes.api.statuses import Refused, bad_request, unsupported_media_type
from testbed.kubernetes.merge_patch import merged

JSON_PATCH = "application/json-patch+json"
MERGE_PATCH = "application/merge-patch+json"
STRATEGIC = "application/strategic-merge-patch+json"
APPLY = "application/apply-patch+yaml"


def kind_of(content_type: str, resource: Resource) -> str:
    """Return the kind of patch that a content type names.

    Raises:
        Refused: 415, the resource does not accept it.
    """
    kind = content_type.partition(";")[0].strip().lower()
    taken = [JSON_PATCH, MERGE_PATCH, *([] if resource.is_custom else [STRATEGIC]), APPLY]
    if kind not in taken:
        raise unsupported_media_type(taken)
    return kind


def patched(resource: Resource, kind: str, item: Mapping[str, Any], body: bytes) -> dict[str, Any]:
    """Return an object with a patch of any kind but apply.

    Raises:
        Refused: 400, the patch cannot be read; 422, it cannot be applied to this object.
    """
    patch = parse(body, "application/json")
    if kind == JSON_PATCH:
        return _json_patched(item, patch)
    if not isinstance(patch, dict):
        raise bad_request("error decoding patch: json: cannot unmarshal into Go value of type map")
    if kind == MERGE_PATCH:
        result = merged(item, patch)
        assert isinstance(result, dict)
        return result
    return strategic_merge.merged(resource.stored_kind, item, patch)


def _json_patched(item: Mapping[str, Any], patch: Any) -> dict[str, Any]:
    import jsonpatch  # slow to import, and few clients send such a patch

    try:
        result = jsonpatch.apply_patch(dict(item), patch)
    except jsonpatch.InvalidJsonPatch as error:
        raise bad_request(f"error decoding patch: {error}") from None
    except (jsonpatch.JsonPatchException, jsonpatch.JsonPointerException) as error:
        raise Refused(
            422, "Invalid", f"the server rejected our request due to an error in our request: {error}"
        ) from None
    except (TypeError, AttributeError) as error:  # the library does not check the types in a patch
        raise bad_request(f"error decoding patch: {error}") from None
    if not isinstance(result, dict):
        raise bad_request("the patched object is no object")
    return result
