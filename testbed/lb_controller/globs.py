"""Patterns of listener rules: `*` stands for any text, `?` for one character.

Hosts are compared without case, paths with it (ALB guide, listener rule conditions).
"""

from __future__ import annotations

import functools


@functools.lru_cache(maxsize=4096)
def covers(general: str, special: str) -> bool:
    """Whether everything that `special` matches is matched by `general`.

    Says no where it cannot tell (`?*` covers `*?`, but is not found to): it is used for warnings.
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
    """Whether a text without wildcards matches."""
    return covers(pattern, text)


def _stands_for(general: str, special: str) -> bool:
    return special != "*" and general in ("?", special)
