"""Durations as Kubernetes prints them. Source: apimachinery pkg/util/duration/duration.go."""

from __future__ import annotations

import datetime


def age(timestamp: str | None, now: float) -> str:
    """Return how long ago an RFC 3339 time was; `<unknown>` without a time.

    Args:
        timestamp: as in `creationTimestamp`.
        now: seconds since the epoch, of the same clock.
    """
    if not timestamp:
        return "<unknown>"
    moment = datetime.datetime.fromisoformat(timestamp)
    return human_duration(now - moment.timestamp())


def human_duration(seconds: float) -> str:
    """Return a duration as `5m20s`, `3h` or `8d`: two units while the first is small, else one."""
    if seconds < -1:
        return "<invalid>"
    whole = max(0, int(seconds))
    minutes, hours, days = whole // 60, whole // 3600, whole // 86400
    if whole < 120:
        return f"{whole}s"
    if minutes < 10:
        return _two(minutes, "m", whole % 60, "s")
    if minutes < 180:
        return f"{minutes}m"
    if hours < 8:
        return _two(hours, "h", minutes % 60, "m")
    if hours < 48:
        return f"{hours}h"
    if hours < 192:
        return _two(days, "d", hours % 24, "h")
    if days < 730:
        return f"{days}d"
    if days < 2920:
        return _two(days // 365, "y", days % 365, "d")
    return f"{days // 365}y"


def _two(first: int, first_unit: str, second: int, second_unit: str) -> str:
    return f"{first}{first_unit}{second}{second_unit}" if second else f"{first}{first_unit}"
