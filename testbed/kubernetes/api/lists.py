"""List: selectors, pages, and the revision that a list is of.

A page's continue token holds the revision of the first page, so that all pages are of one moment. Source:
apiserver pkg/storage/continue.go and pkg/storage/cacher.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson

from testbed.kubernetes.api import selectors
from testbed.kubernetes.api.requests import Request
from testbed.kubernetes.api.selectors import Predicate
from testbed.kubernetes.api.statuses import Refused, bad_request
from testbed.kubernetes.errors import Expired
from testbed.kubernetes.store import ObjectStore


@dataclass(frozen=True, slots=True)
class Page:
    """Objects of a list, to be read only, and the metadata of the list."""

    items: Sequence[Mapping[str, Any]]
    metadata: Mapping[str, Any]


def predicate(request: Request) -> Predicate:
    """Which objects a request is about: its namespace, name and selectors.

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
    """The page of a list that a request asks for.

    Raises:
        Refused: 400, a parameter cannot be read; 410, the revision is no longer known; 504, not yet.
    """
    matches = predicate(request)
    limit = _number(request.query.get("limit", "0"), "limit")
    token = request.query.get("continue", "")
    kind = request.resource.stored_kind
    with store.transaction():
        revision, start = store.revision, ("", "")
        wanted = revision_of(request.query.get("resourceVersion", ""))
        if token:
            if request.query.get("resourceVersion", "0") not in ("", "0"):
                raise bad_request("specifying resource version is not allowed when using continue")
            revision, start = _read_token(token)
        elif wanted and wanted > revision:
            raise too_large(wanted, revision)
        elif wanted and request.query.get("resourceVersionMatch") == "Exact":
            revision = wanted
        try:
            items = store.list(kind) if revision == store.revision else store.list_at(kind, revision)
        except Expired:
            raise (
                _page_expired()
                if token
                else Refused(
                    410, "Expired", f"The resourceVersion for the provided list is too old: {revision}"
                )
            ) from None
    found = [item for item in items if _key(item) > start and matches(item)]
    metadata: dict[str, Any] = {"resourceVersion": str(revision)}
    if limit and len(found) > limit:
        metadata["continue"] = _token(revision, _key(found[limit - 1]))
        if not (request.query.get("labelSelector") or request.query.get("fieldSelector")):
            metadata["remainingItemCount"] = len(found) - limit
        found = found[:limit]
    return Page(found, metadata)


def revision_of(text: str) -> int | None:
    """A resourceVersion parameter: None for unset and for "0", which takes any.

    Raises:
        Refused: 400, it is no number.
    """
    if text in ("", "0"):
        return None
    if not text.isdigit():
        raise bad_request(f'resourceVersion: Invalid value: "{text}": strconv.ParseUint: invalid syntax')
    return int(text)


def too_large(wanted: int, current: int) -> Refused:
    """504 for a revision that is yet to come."""
    message = f"Timeout: Too large resource version: {wanted}, current: {current}"
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
