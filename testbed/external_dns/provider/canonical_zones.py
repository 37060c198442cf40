"""The names that a version of ExternalDNS knows as load balancers, and the hosted zone of each.

A name that a version does not know becomes a plain CNAME: v0.7.4 has no NLB of ap-northeast-3. The table is
`canonical_zones.txt`; AWS's own names are in `testbed.aws.balancer_names`.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping
from importlib import resources

from testbed.dated_releases import Release
from testbed.external_dns.core.facts import Fact

AWS = ".amazonaws.com"
_REMEMBERED = 1 << 15
"""Names of balancers; a sync asks about each target for its A, its AAAA and its alias."""


@functools.lru_cache(_REMEMBERED)
def canonical_zone(name: str, release: Release) -> str | None:
    """Return the id of the hosted zone; None if this version knows no load balancer of that name."""
    table = _table(release)
    if not release.has(
        Fact.BALANCERS_BY_LABEL
    ):  # any string suffix, not label by label; no two suffixes of the table end alike
        return next((zone for suffix, zone in table.items() if name.endswith(suffix)), None)
    dot = len(name)
    while dot >= 0:  # from the last label on, one label more each time
        dot = name.rfind(".", 0, dot)
        zone = table.get(name[dot + 1 :])
        if zone:
            return zone
    return None


@functools.cache
def _table(release: Release) -> Mapping[str, str]:
    text = resources.files("testbed.external_dns").joinpath("canonical_zones.txt").read_text()
    rows = [line.split() for line in text.splitlines() if line and not line.startswith("#")]
    return {suffix: zone for suffix, zone, since in rows if release.is_since(since)}
