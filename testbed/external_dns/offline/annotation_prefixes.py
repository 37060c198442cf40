"""The prefixes under which objects have ExternalDNS's annotations. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from testbed.external_dns.core.facts import ALPHA_PREFIX, PREFIX

PREFIXES = (ALPHA_PREFIX, PREFIX)
"""Those that a release reads by default."""


def only(items: Iterable[Mapping[str, Any]]) -> str:
    """Return the one default prefix that objects use; "" if they use none, or both."""
    keys = [
        key
        for item in items
        if item.get("kind") in ("Service", "Ingress")
        for key in (item.get("metadata") or {}).get("annotations") or {}
    ]
    used = [prefix for prefix in PREFIXES if any(str(key).startswith(prefix) for key in keys)]
    return used[0] if len(used) == 1 else ""
