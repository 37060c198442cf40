"""Which names an ExternalDNS takes for a load balancer's, and the hosted zone that each lives in.

What a version does not know becomes a plain CNAME: v0.7.4 has no NLB of ap-northeast-3. The table is
`canonical_zones.txt`; AWS's own truth is `testbed.aws.names`.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping
from importlib import resources

from testbed.external_dns.profile import Profile

LATER = (0, 7, 6)
AWS = ".amazonaws.com"


def canonical_zone(name: str, profile: Profile) -> str | None:
    """The id of the hosted zone, or None if this version takes the name for no load balancer's."""
    table = _table(profile.release)
    if not profile.typed:  # any string suffix, not label by label; no two of the table's end alike
        return next((zone for suffix, zone in table.items() if name.endswith(suffix)), None)
    dot = len(name)
    while dot >= 0:  # from the last label on, a label more each time
        dot = name.rfind(".", 0, dot)
        zone = table.get(name[dot + 1 :])
        if zone:
            return zone
    return None


@functools.cache
def _table(release: tuple[int, ...]) -> Mapping[str, str]:
    text = resources.files("testbed.external_dns").joinpath("canonical_zones.txt").read_text()
    rows = [line.split() for line in text.splitlines() if line and not line.startswith("#")]
    return {suffix: zone for suffix, zone, since in rows if release >= _release(since)}


def _release(since: str) -> tuple[int, ...]:
    return LATER if since == "later" else tuple(map(int, since.removeprefix("v").split(".")))
