"""Computes the measurement of a foot from its id, so that every pod answers the same without state."""

from __future__ import annotations

import zlib
from dataclasses import dataclass

IDENTIFIERS = tuple(f"foot-{number}" for number in range(32))
"""The ids that the clients of a run use in turn."""
_SHORTEST, _LENGTHS = 200, 120
_NARROWEST, _WIDTHS = 75, 45


@dataclass(frozen=True, slots=True)
class Foot:
    """Length and width in millimetres."""

    length: int
    width: int


def measure(identifier: str) -> Foot:
    """Return the foot with an id."""
    digest = zlib.crc32(identifier.encode("utf-8", "surrogateescape"))
    return Foot(_SHORTEST + digest % _LENGTHS, _NARROWEST + (digest >> 16) % _WIDTHS)
