"""Domain names as Route 53 spells them, and their plain form. Pure.

Route 53 lists names in lower case with a last dot, and characters other than a-z, 0-9, '-', '_' and '.' as
octal escapes, so `*.example.com` comes back as `\\052.example.com.`. Source: Route 53 Developer Guide, "DNS
domain name format".
"""

from __future__ import annotations

import functools
import re

_TO_ESCAPE = re.compile(r"[^a-z0-9_.\\-]")
# Up to \377, the last byte: other digits behind a backslash are no escape of Route 53's.
_OCTAL = re.compile(r"\\([0-3][0-7]{2})")


@functools.lru_cache(maxsize=4096)  # checking a batch converts the same names many times
def stored_name(name: str) -> str:
    r"""Return a name as Route 53 stores it: lower case, trailing dot, octal escapes (`*` is `\052`)."""
    plain = name.rstrip(".").lower() + "."
    if not _TO_ESCAPE.search(plain):
        return plain
    return _TO_ESCAPE.sub(lambda match: "".join(f"\\{byte:03o}" for byte in match[0].encode()), plain)


def unescaped(name: str) -> str:
    """Return a name without its octal escapes."""
    # Most names have none, and a sync converts every name of its zones.
    return _OCTAL.sub(lambda match: chr(int(match[1], 8)), name) if "\\" in name else name


def plain_name(name: str) -> str:
    """Return a name as people compare it: lower case, no last dot, no escapes."""
    return unescaped(name).rstrip(".").lower()


def decimal_escapes(text: str) -> str:
    """Convert the octal escapes of Route 53 to the decimal ones of a DNS master file."""
    return _OCTAL.sub(lambda match: f"\\{int(match[1], 8):03d}", text)
