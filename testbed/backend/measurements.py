"""Measures a foot from its id: the same id gives the same foot on every pod, so no pod needs a state."""

from __future__ import annotations

import zlib
from dataclasses import dataclass

_SHORTEST, _LENGTHS = 200, 120
_NARROWEST, _WIDTHS = 75, 45


@dataclass(frozen=True, slots=True)
class Foot:
    """Length and width in millimetres."""

    length: int
    width: int


def measure(identifier: str) -> Foot:
    """The foot of an id."""
    digest = zlib.crc32(identifier.encode("utf-8", "surrogateescape"))
    return Foot(_SHORTEST + digest % _LENGTHS, _NARROWEST + (digest >> 16) % _WIDTHS)
