"""The resolvers by name. A name may have a parameter, `ttl-floor:300`, and a number of members, `bind*2`."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Mapping

from testbed.errors import BadInput
from testbed.resolvers.resolver_model import UNLIMITED, Expiry, NegativeTtl, Outcome, ResolverModel

DIRECT = "direct"
MOST_MEMBERS = 64
_MEASURED = "measured 2026-11-27 on Debian 12's defaults"
_HOUR = 3600.0
_DAY = 24 * _HOUR
_UNITS = {"": 1.0, "s": 1.0, "m": 60.0, "h": _HOUR, "d": _DAY}
_DURATION = re.compile(r"(\d{1,7})([smhd]?)")
_NAME = re.compile(r"(?P<name>[a-z-]+)(?::(?P<time>[^*]*))?(?:\*(?P<members>\d{1,3}))?")

RESOLVERS: Mapping[str, ResolverModel] = {
    model.name: model
    for model in (
        ResolverModel(name=DIRECT, source="no cache: each question reaches the authority", keeps=False),
        ResolverModel(
            name="unbound",
            version="unbound 1.17.1",
            source=_MEASURED,
            ceiling=_DAY,
            expiry=Expiry.THROUGH_SECOND,
            # unbound.conf(5), cache-max-negative-ttl; the other values are measured.
            negative_ceiling=_HOUR,
            failure_ttl=5.0,
        ),
        ResolverModel(name="dnsmasq", version="dnsmasq 2.90", source=_MEASURED, failure=Outcome.SILENCE),
        ResolverModel(
            name="bind",
            version="BIND 9.18.49",
            source=_MEASURED,
            ceiling=7 * _DAY,
            expiry=Expiry.BEFORE_SECOND,
            refresh_within=2.0,  # `prefetch 2 9`
            refresh_least_ttl=9.0,
            negative=NegativeTtl.SOA_TTL,
            negative_ceiling=3 * _HOUR,  # ARM, max-ncache-ttl
            failure_ttl=1.0,
        ),
        ResolverModel(
            name="pdns-recursor",
            version="PowerDNS Recursor 4.8.8",
            source=_MEASURED,
            floor=1.0,
            ceiling=_DAY,
            expiry=Expiry.BEFORE_SECOND,
            negative=NegativeTtl.SOA_TTL,
            negative_ceiling=_HOUR,  # max-negative-ttl
            failure_ttl=60.0,  # throttled from the start of the silence
        ),
        ResolverModel(
            name="knot-resolver",
            version="Knot Resolver 5.6.0, FORWARD with predict",
            source=_MEASURED,
            floor=5.0,
            ceiling=_DAY,
            expiry=Expiry.THROUGH_SECOND,
            refresh_within=6.0,  # less than 5 s left, and the second of the end is given too
            refreshes_negatives=True,
            negative_ceiling=5.0,  # unsigned answers of an authority that speaks EDNS, as Route 53 does
        ),
        ResolverModel(
            name="systemd-resolved",
            version="systemd-resolved 252.39",
            source=_MEASURED,
            ceiling=2 * _HOUR,
            failure=Outcome.SILENCE,
        ),
        ResolverModel(
            name="nscd",
            version="nscd 2.36",
            source=_MEASURED,
            sweep=15.0,
            negative=NegativeTtl.FIXED,
            negative_ceiling=20.0,
            failure=Outcome.NO_NAME,
            failure_ttl=20.0,
            stale=22.0,
        ),
        ResolverModel(
            name="forever",
            source="as networkaddress.cache.ttl=-1: the first addresses are kept for good",
            floor=UNLIMITED,
            negative=NegativeTtl.FIXED,
            negative_ceiling=0.0,
        ),
    )
}
"""Every resolver whose name has no parameter."""

WITH_A_TIME = ("ttl-floor", "serve-stale")


def names() -> list[str]:
    """Return all names, those with a parameter with an example of it."""
    return [*RESOLVERS, "ttl-floor:300", "serve-stale:1h"]


def resolver(name: str) -> ResolverModel:
    """Return the resolver of a name.

    Raises:
        BadInput: no resolver has it.
    """
    match = _NAME.fullmatch(name) if isinstance(name, str) else None
    members = int(match["members"] or 1) if match else 0
    if not match or not 1 <= members <= MOST_MEMBERS:
        raise _unknown(name)
    model = RESOLVERS.get(match["name"])
    if match["time"] is None and model:
        made = model
    elif match["time"] is not None and match["name"] in WITH_A_TIME:
        made = _with_time(match["name"], match["time"], name)
    else:
        raise _unknown(name)
    return dataclasses.replace(made, name=name, members=members)


def _with_time(kind: str, text: str, name: str) -> ResolverModel:
    match = _DURATION.fullmatch(text)
    if not match:
        raise BadInput(f"the resolver {name!r} has no time such as 300 or 1h", do=f"write {kind}:300")
    seconds = int(match[1]) * _UNITS[match[2]]
    if kind == "ttl-floor":
        return ResolverModel(
            name=name,
            source="a cache that raises each TTL, as providers and dnsmasq's min-cache-ttl do",
            floor=seconds,
        )
    return ResolverModel(
        name=name,
        source="RFC 8767: the last answer while the authority fails",
        stale=seconds,
        failure_ttl=30.0,  # RFC 8767, 5: failure recheck timer
    )


def _unknown(name: object) -> BadInput:
    return BadInput(f"{name!r} is no resolver", do=f"known are {', '.join(names())}")
