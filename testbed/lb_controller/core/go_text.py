"""Values and errors as Go prints them, because the controller's messages hold them."""

from __future__ import annotations

import ipaddress
import json
import re
from collections.abc import Iterable
from typing import Any

from testbed.lb_controller.core.build_inputs import BuildError

_INTEGER = re.compile(r"[+-]?[0-9]+\Z")
_TRUE = frozenset({"1", "t", "T", "TRUE", "true", "True"})
_FALSE = frozenset({"0", "f", "F", "FALSE", "false", "False"})


def bracketed(items: Iterable[object]) -> str:
    """A slice under `%v`: `[a b]`."""
    return f"[{' '.join(map(str, items))}]"


def as_set(items: Iterable[str]) -> str:
    """A `sets.String` under `%v`: `map[a:{} b:{}]`, sorted."""
    return f"map[{' '.join(f'{item}:{{}}' for item in sorted(items))}]"


def integer(text: str, *, bits: int = 64, function: str = "ParseInt") -> int:
    """`strconv.ParseInt(text, 10, bits)`.

    Raises:
        BuildError: with strconv's text.
    """
    # Not by `int` alone, which takes blanks, underscores and other alphabets' digits.
    if not _INTEGER.match(text):
        raise BuildError(f"strconv.{function}: parsing {quoted(text)}: invalid syntax")
    number = int(text)
    if not -(2 ** (bits - 1)) <= number < 2 ** (bits - 1):
        raise BuildError(f"strconv.{function}: parsing {quoted(text)}: value out of range")
    return number


def boolean(text: str) -> bool:
    """`strconv.ParseBool`.

    Raises:
        BuildError: with strconv's text.
    """
    if text in _TRUE:
        return True
    if text in _FALSE:
        return False
    raise BuildError(f"strconv.ParseBool: parsing {quoted(text)}: invalid syntax")


def quoted(text: str) -> str:
    """A string under `%q`."""
    return json.dumps(text, ensure_ascii=False)


def from_json(text: str) -> Any:
    """`json.Unmarshal` into an untyped value.

    Raises:
        BuildError: with encoding/json's text; exact for a text that ends too early, near otherwise.
    """
    try:
        return json.loads(text)
    except json.JSONDecodeError as error:
        if error.pos >= len(text.rstrip()) or error.msg.startswith("Unterminated"):
            raise BuildError("unexpected end of JSON input") from None
        raise BuildError(f"invalid character {text[error.pos]!r} looking for beginning of value") from None


def check_cidr(text: str) -> None:
    """`net.ParseCIDR`.

    Raises:
        BuildError: with the text of `net`.
    """
    try:
        if "/" not in text:
            raise ValueError
        ipaddress.ip_network(text, strict=False)
    except ValueError:
        raise BuildError(f"invalid CIDR address: {text}") from None
