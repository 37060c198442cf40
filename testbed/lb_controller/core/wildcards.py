"""Patterns of listener rules: `*` stands for any text, `?` for one character.

Hosts are case-insensitive, paths are case-sensitive (ALB guide, listener rule conditions).
"""

from __future__ import annotations

import functools


# Cached, as the rules of a large group compare the same few patterns over and over.
@functools.lru_cache(maxsize=4096)
def covers(general: str, special: str) -> bool:
    """True if `general` matches everything that `special` matches.

    False in doubt (`?*` covers `*?`, but the result is False), because it is used for warnings.
    """
    reached = {0}  # how far into `special` the part of `general` before the current character may reach
    for character in general:
        if character == "*":
            reached = set(range(min(reached), len(special) + 1)) if reached else set()
            continue
        reached = {
            position + 1
            for position in reached
            if position < len(special) and _stands_for(character, special[position])
        }
    return len(special) in reached


def matches(pattern: str, text: str) -> bool:
    """True if a pattern matches a text without wildcards."""
    return covers(pattern, text)


def _stands_for(general: str, special: str) -> bool:
    return special != "*" and general in ("?", special)
