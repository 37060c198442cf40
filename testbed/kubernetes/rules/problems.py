"""A problem of an object: the field, the kind of problem, and the API server's own words. Pure.

Source of the words: apimachinery pkg/util/validation/field/errors.go.
"""

from __future__ import annotations

import enum
import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

Path = tuple[str | int, ...]
"""Keys and list indices from the object's root."""


class Reason(enum.StrEnum):
    """The kind of a problem; the value is the `reason` of a cause in a `metav1.Status`."""

    INVALID = "FieldValueInvalid"
    REQUIRED = "FieldValueRequired"
    FORBIDDEN = "FieldValueForbidden"
    DUPLICATE = "FieldValueDuplicate"
    UNSUPPORTED = "FieldValueNotSupported"
    TOO_LONG = "FieldValueTooLong"
    WRONG_TYPE = "FieldTypeInvalid"
    UNKNOWN_FIELD = "UnknownField"
    """A status has no cause for this one and `WRONG_TYPE`: decoding fails before any rule is looked at."""


@dataclass(frozen=True, slots=True)
class Problem:
    """One field that the API server refuses.

    Attributes:
        path: where the field is in the object.
        reason: the kind of problem.
        message: the API server's words, without the name of the field.
        alias: the API server's name of the field where it is not the path (`spec.LoadBalancerSourceRanges`).
        advice: what a person can do about it; the API server has no such words.
    """

    path: Path
    reason: Reason
    message: str
    alias: str = ""
    advice: str | None = None

    @property
    def field(self) -> str:
        """The field as the API server names it: `spec.rules[0].host`."""
        return self.alias or dotted(self.path)

    def __str__(self) -> str:
        """The API server's words."""
        if self.reason in (Reason.WRONG_TYPE, Reason.UNKNOWN_FIELD):
            return self.message  # names the field itself
        return f"{self.field}: {self.message}"


class Raw(str):
    """A value that a message shows without quotes."""

    __slots__ = ()


def invalid(path: Path, value: Any, why: str, *, alias: str = "") -> Problem:
    """`Invalid value: 0: must be between ...`."""
    return Problem(path, Reason.INVALID, f"Invalid value: {_shown(value)}: {why}", alias)


def required(path: Path, why: str = "", *, alias: str = "") -> Problem:
    """`Required value`."""
    return Problem(path, Reason.REQUIRED, f"Required value: {why}" if why else "Required value", alias)


def forbidden(path: Path, why: str, *, alias: str = "") -> Problem:
    """`Forbidden: ...`."""
    return Problem(path, Reason.FORBIDDEN, f"Forbidden: {why}", alias)


def duplicate(path: Path, value: Any) -> Problem:
    """`Duplicate value: "http"`."""
    return Problem(path, Reason.DUPLICATE, f"Duplicate value: {_shown(value)}")


def too_long(path: Path, most: int) -> Problem:
    """`Too long: may not be more than 250 bytes`."""
    return Problem(path, Reason.TOO_LONG, f"Too long: may not be more than {most} bytes")


def unsupported(path: Path, value: Any, supported: Iterable[str]) -> Problem:
    """`Unsupported value: "x": supported values: "a", "b"`."""
    known = ", ".join(json.dumps(value) for value in sorted(supported))
    message = f"Unsupported value: {_shown(value)}: supported values: {known}"
    return Problem(path, Reason.UNSUPPORTED, message)


def dotted(path: Path) -> str:
    """A path as Kubernetes prints it: `spec.rules[0].host`, `metadata.annotations[example.com/a]`."""
    text = ""
    for part in path:
        text += f".{part}" if isinstance(part, str) and re.fullmatch(r"[\w-]+", part) else f"[{part}]"
    return text.removeprefix(".")


def go_strings(values: Iterable[str]) -> Raw:
    """A list of strings as a message shows it: `[]string{"a", "b"}`."""
    return Raw("[]string{" + ", ".join(json.dumps(value) for value in values) + "}")


def _shown(value: Any) -> str:
    return value if isinstance(value, Raw) else json.dumps(value, separators=(",", ":"), ensure_ascii=False)
