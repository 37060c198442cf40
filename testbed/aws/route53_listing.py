r"""The order of ListResourceRecordSets and its pages (pure).

Record sets are in the ASCII order of their names with the labels reversed and a trailing dot, then of type
and set identifier [Route 53 API reference, ListResourceRecordSets]. `-` comes before the dot, so
`a-b.example.com` comes before `a.example.com`; `*` is `\052`, which comes after the digits.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from urllib.parse import parse_qsl

from testbed.aws.route53_names import stored_name

MOST_ITEMS = 300
"""Record sets of a page; a call may ask for fewer."""

Key = tuple[str, str, str]
"""Name as Route 53 stores it, type, set identifier."""


class BadStart(ValueError):
    """A call that names no place in the list; the text belongs into the answer."""


@dataclass(frozen=True, slots=True)
class Page:
    """The place at which a page begins, and how many record sets it has at most."""

    start: Key
    most: int


def order(key: Key) -> Key:
    """Return the key by which record sets are sorted."""
    name, kind, identifier = key
    labels = name.rstrip(".").split(".")
    return ".".join(reversed(labels)) + ".", kind, identifier


def asked(path: str) -> Page:
    """Read the page that a call asks for from its path and query string.

    Raises:
        BadStart: it names a type without a name, an identifier without a type, or no number of items.
    """
    query = dict(parse_qsl(path.partition("?")[2]))
    name, kind, identifier = (query.get(key, "") for key in ("name", "type", "identifier"))
    if kind and not name:
        raise BadStart("Invalid request: The StartRecordType is specified without the StartRecordName")
    if identifier and not kind:
        raise BadStart("Invalid request: The StartRecordIdentifier is specified without the StartRecordType")
    most = query.get("maxitems", str(MOST_ITEMS))
    if not (most.isascii() and most.isdecimal() and int(most) > 0):
        raise BadStart(f"Invalid request: MaxItems must be a number greater than 0, but is '{most}'")
    start = order((stored_name(name), kind, identifier)) if name else ("", "", "")
    return Page(start, min(int(most), MOST_ITEMS))


def listed(keys: Iterable[Key], page: Page) -> tuple[Sequence[Key], Key | None]:
    """Return the keys of a page in their order, and the first key of the next page; None after the last."""
    rest = sorted((key for key in keys if order(key) >= page.start), key=order)
    following = rest[page.most :]
    return rest[: page.most], following[0] if following else None
