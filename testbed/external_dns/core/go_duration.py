"""Durations as Go writes them, in flags and in the TTL annotation: `90s`, `1m30s`, `1h`.

Source: Go, time.ParseDuration.
"""

from __future__ import annotations

import re

_UNITS = {"ns": 1e-9, "us": 1e-6, "µs": 1e-6, "ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0}
_PART = re.compile(r"(\d+\.?\d*|\.\d+)(ns|us|µs|ms|s|m|h)")


def seconds(text: str) -> float:
    """Return the seconds of a duration.

    Raises:
        ValueError: the text is not a duration.
    """
    if text.lstrip("+-") == "0":
        return 0.0  # the only number that Go reads without a unit
    parts = _PART.findall(text)
    if not parts or "".join(number + unit for number, unit in parts) != text[text[0] in "+-" :]:
        raise ValueError(f"{text!r} is not a duration, such as 1m or 30s")
    sign = -1.0 if text.startswith("-") else 1.0
    return sign * sum(float(number) * _UNITS[unit] for number, unit in parts)
