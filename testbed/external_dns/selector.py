"""Kubernetes label selectors: `a=b,c!=d,e in (f,g),h notin (i),j,!k`. Source: apimachinery, labels.Parse."""

from __future__ import annotations

import functools
import re
from collections.abc import Mapping

from testbed.errors import BadInput

_PART = re.compile(
    r"\s*(?:(?P<absent>!)\s*(?P<no>[^\s,=!()]+)"
    r"|(?P<key>[^\s,=!()]+)\s*(?:(?P<set>\bin\b|\bnotin\b)\s*\((?P<values>[^()]*)\)"
    r"|(?P<sign>==|=|!=)\s*(?P<value>[^\s,=!()]*))?)\s*(?:,|$)"
)


def matches(selector: str, values: Mapping[str, str]) -> bool:
    """Whether a selector takes these labels or annotations; the empty one takes all.

    Raises:
        BadInput: not a selector.
    """
    return all(_takes(part, values) for part in _parts(selector))


@functools.cache
def _parts(selector: str) -> tuple[Mapping[str, str | None], ...]:
    found, position = [], 0
    while position < len(selector.rstrip()):
        part = _PART.match(selector, position)
        if part is None or part.end() == position:
            raise BadInput(f"{selector!r} is not a label selector", do="write x=y, x in (a,b), x or !x")
        position = part.end()
        found.append(part.groupdict())
    return tuple(found)


def selector(text: str) -> str:
    """The text, if it is a selector.

    Raises:
        ValueError: it is none.
    """
    try:
        _parts(text)
    except BadInput as error:
        raise ValueError(error.what) from None
    return text


def _takes(part: Mapping[str, str | None], values: Mapping[str, str]) -> bool:
    if part["absent"]:
        return part["no"] not in values
    found = values.get(part["key"] or "")
    if part["set"]:
        wanted = {value.strip() for value in (part["values"] or "").split(",")}
        return (found in wanted) is (part["set"] == "in")
    if part["sign"]:
        return (found == part["value"]) is (part["sign"] != "!=")
    return found is not None
