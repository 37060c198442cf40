"""The refusals of Route 53 for the values of a record set (pure).

Texts as public reports quote them: `InvalidCharacterString`, `ARRDATAIllegalIPv4Address` (aws-cdk #14800),
`Duplicate Resource Record`. Formats: Route 53 Developer Guide, "Supported DNS record types".
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterator, Sequence

_QUOTED = r'"[^"\\]*(?:\\.[^"\\]*)*"'
_STRINGS = re.compile(rf"{_QUOTED}(?:\s+{_QUOTED})*", re.DOTALL)
_STRING = re.compile(r'"((?:[^"\\]|\\.)*)"', re.DOTALL)
_ESCAPED = re.compile(r"\\(?:[0-7]{3}|.)", re.DOTALL)
_LONGEST_STRING = 255
_LONGEST_NAME = 255
_LONGEST_LABEL = 63
_SINGLE_VALUED = ("CNAME", "SOA")


def problems(kind: str, values: Sequence[str]) -> Iterator[str]:
    """Yield the messages for wrong values of a record set of type `kind`."""
    if kind in _SINGLE_VALUED and len(values) > 1:
        yield f"Expected 1 value for a record of type {kind} but found {len(values)}"
    seen: set[str] = set()
    for value in values:
        # Text is case-sensitive; names and addresses are not.
        same = value if kind in ("TXT", "SPF", "CAA") else value.lower().rstrip(".")
        if same in seen:
            yield f"Duplicate Resource Record: '{value}'"
        seen.add(same)
        problem = _problem(kind, value)
        if problem:
            yield f"Invalid Resource Record: 'FATAL problem: {problem} encountered with '{value}''"


def _problem(kind: str, value: str) -> str:
    match kind:
        case "A":
            if not _is_address(value, ipaddress.IPv4Address):
                return "ARRDATAIllegalIPv4Address (Value is not a valid IPv4 address)"
        case "AAAA":
            if not _is_address(value, ipaddress.IPv6Address):
                return "AAAARRDATAIllegalIPv6Address (Value is not a valid IPv6 address)"
        case "TXT" | "SPF":
            if not _STRINGS.fullmatch(value):
                return "InvalidCharacterString (Value should be enclosed in quotation marks)"
            # The length of the whole value comes first, because it is cheap and nearly always small.
            if len(value) > _LONGEST_STRING and any(
                len(_ESCAPED.sub("x", part)) > _LONGEST_STRING for part in _STRING.findall(value)
            ):
                return "CharacterStringTooLong (Value is too long)"
        case "CNAME" | "NS" | "PTR":
            return name_problem(value)
    return ""


def name_problem(name: str) -> str:
    """Return the problem of a DNS name; "" if it is valid."""
    bare = name.rstrip(".")
    if not bare:
        return "DomainNameEmpty (Domain name is empty)"
    if len(bare) > _LONGEST_NAME:
        return "DomainNameTooLong (Domain name is too long)"
    labels = bare.split(".")
    if "\\" in bare:
        labels = [_ESCAPED.sub("x", label) for label in labels]
    if not all(labels):
        return "DomainLabelEmpty (Domain label is empty)"
    if len(bare) > _LONGEST_LABEL and any(len(label) > _LONGEST_LABEL for label in labels):
        return "DomainLabelTooLong (Domain label is too long)"
    return ""


def _is_address(value: str, kind: type[ipaddress.IPv4Address] | type[ipaddress.IPv6Address]) -> bool:
    try:
        kind(value)
    except ValueError:
        return False
    return True
