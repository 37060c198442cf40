"""List: selectors, pages, and the revision of a list.

A page's continue token holds the revision of the first page, so all pages show the same moment. Source:
apiserver pkg/storage/continue.go and pkg/storage/cacher.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson

from testbed.kubernetes.api import selectors
from testbed.kubernetes.api.api_requests import Request
from testbed.kubernetes.api.selectors import Predicate
from testbed.kubernetes.api.statuses import Refused, bad_request
from testbed.kubernetes.api_errors import Expired
from testbed.kubernetes.object_store import ObjectStore


@dataclass(frozen=True, slots=True)
class Page:
    """Objects of a list, which must not be changed, and the metadata of the list."""

    items: Sequence[Mapping[str, Any]]
    metadata: Mapping[str, Any]


def predicate(request: Request) -> Predicate:
    """Return a predicate for the objects of a request: by its namespace, name and selectors.

    Raises:
        Refused: 400, a selector cannot be read.
    """
    kind, custom = request.resource.stored_kind, request.resource.is_custom
    by_labels = selectors.by_labels(request.query.get("labelSelector", ""))
    by_fields = selectors.by_fields(
        request.query.get("fieldSelector", ""),
        lambda field: selectors.is_field_served("" if custom else kind, field),
    )

    def matches(item: Mapping[str, Any]) -> bool:
        metadata = item["metadata"]
        return (
            (not request.namespace or metadata.get("namespace") == request.namespace)
            and (not request.name or metadata["name"] == request.name)
            and by_labels(item)
            and by_fields(item)
        )

    return matches


def page(store: ObjectStore, request: Request) -> Page:
    """Return the page of a list that a request asks for.

    Raises:
        Refused: 400, a parameter cannot be read; 410, the history no longer holds the revision; 504, the
            revision is yet to come.
    """
    matches = predicate(request)
    limit = _number(request.query.get("limit", "0"), "limit")
    token = request.query.get("continue", "")
    kind = request.resource.stored_kind
    with store.transaction():
        revision, start = store.revision, ("", "")
        asked_revision = revision_of(request.query.get("resourceVersion", ""))
        if token:
            if request.query.get("resourceVersion", "0") not in ("", "0"):
                raise bad_request("specifying resource version is not allowed when using continue")
            revision, start = _read_token(token)
        elif asked_revision and asked_revision > revision:
            raise too_large(asked_revision, revision)
        elif asked_revision and request.query.get("resourceVersionMatch") == "Exact":
            revision = asked_revision
        try:
            # The history is walked back only for a page that began before the latest write.
            items = store.list(kind) if revision == store.revision else store.list_at(kind, revision)
        except Expired:
            raise (
                _page_expired()
                if token
                else Refused(
                    410, "Expired", f"The resourceVersion for the provided list is too old: {revision}"
                )
            ) from None
    # The token holds the last key, not an offset: an offset would skip objects when earlier ones are deleted.
    matching = [item for item in items if _key(item) > start and matches(item)]
    metadata: dict[str, Any] = {"resourceVersion": str(revision)}
    if limit and len(matching) > limit:
        metadata["continue"] = _token(revision, _key(matching[limit - 1]))
        # With a selector, the API server would have to read all that remains to count it.
        if not (request.query.get("labelSelector") or request.query.get("fieldSelector")):
            metadata["remainingItemCount"] = len(matching) - limit
        matching = matching[:limit]
    return Page(matching, metadata)


def revision_of(text: str) -> int | None:
    """Read a resourceVersion parameter: None for unset and for "0", which accept any revision.

    Raises:
        Refused: 400, it is not a number.
    """
    if text in ("", "0"):
        return None
    if not text.isdigit():
        raise bad_request(f'resourceVersion: Invalid value: "{text}": strconv.ParseUint: invalid syntax')
    return int(text)


def too_large(revision: int, current: int) -> Refused:
    """Return a 504 for a revision that is yet to come."""
    message = f"Timeout: Too large resource version: {revision}, current: {current}"
    return Refused(504, "Timeout", message, seconds=1)


def _number(text: str, field: str) -> int:
    if not text.isdigit():
        raise bad_request(f"{field}: strconv.ParseInt: parsing {text!r}: invalid syntax")
    return int(text)


def _key(item: Mapping[str, Any]) -> tuple[str, str]:
    return item["metadata"].get("namespace", ""), item["metadata"]["name"]


def _token(revision: int, last: tuple[str, str]) -> str:
    fields = {"v": "meta.k8s.io/v1", "rv": revision, "start": "/".join(last)}
    return base64.urlsafe_b64encode(orjson.dumps(fields)).decode().rstrip("=")


def _read_token(token: str) -> tuple[int, tuple[str, str]]:
    try:
        fields = orjson.loads(base64.urlsafe_b64decode(token + "=" * (-len(token) % 4)))
        namespace, _, name = fields["start"].partition("/")
        return int(fields["rv"]), (namespace, name)
    except (ValueError, KeyError, TypeError, AttributeError):
        raise bad_request("continue key is not valid: illegal base64 data") from None


def _page_expired() -> Refused:
    message = (
        "The provided continue parameter is too old to display a consistent list result. You can start a new "
        "list without the continue parameter."
    )
    return Refused(410, "Expired", message)
