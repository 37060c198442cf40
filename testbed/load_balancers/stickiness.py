"""Sticky sessions of an ALB: how a client returns to its target, and to its group of several (pure).

```
cookie AWSALB ─► alb.lua ─► header x-alb-session ─► Envoy's stateful session ─► the target, if it takes work
response ◄─ alb.lua: Set-Cookie AWSALB, AWSALBCORS ◄─ x-alb-session, x-alb-sticky ◄─ the target that answered
```

[ALB guide, "Sticky sessions": AWSALB and AWSALBCORS last for a duration, AWSALBAPP-0 begins when the target
sets the application's own cookie, AWSALBTG and AWSALBTGCORS hold the group of a weighted forward.] AWS
encrypts its cookies; these hold the target's address in Base64, and a hash of the group's ARN.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Any, Literal

from envoy.extensions.filters.http.stateful_session.v3 import stateful_session_pb2
from envoy.extensions.http.stateful_session.header.v3 import header_pb2

from testbed.clock import Clock
from testbed.load_balancers.elbv2_state import TargetGroup
from testbed.load_balancers.envoy_messages import extension, packed

FILTER = "envoy.filters.http.stateful_session"
SESSION = "x-alb-session"
APP_SESSION = "x-alb-app-session"
"""Request and response headers between `alb.lua` and Envoy's filter; neither client nor target sees them."""
STICKY = "x-alb-sticky"
"""Response header for which `alb.lua` sets the cookies of the target: `lb SECONDS` or `app SECONDS NAME`."""
GROUP = "x-alb-group"
"""Response header for which `alb.lua` sets the cookies of the group: `SECONDS VALUE`."""
DAY = 86_400
"""Default duration in seconds of both kinds [ELBv2 API reference, TargetGroupAttribute]."""

Message = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Stickiness:
    """The stickiness of a target group; `seconds` are production time."""

    kind: Literal["lb", "app"]
    seconds: float
    cookie: str = ""

    @property
    def header(self) -> str:
        """The header that carries the target of this kind of cookie."""
        return SESSION if self.kind == "lb" else APP_SESSION


def stickiness_of(group: TargetGroup) -> Stickiness | None:
    """Return the stickiness of a target group of an ALB; None if it has none."""
    attributes = group.attributes
    if attributes.get("stickiness.enabled") != "true":
        return None
    if attributes.get("stickiness.type") == "app_cookie":
        seconds = float(attributes.get("stickiness.app_cookie.duration_seconds") or DAY)
        return Stickiness("app", seconds, attributes.get("stickiness.app_cookie.cookie_name", ""))
    return Stickiness("lb", float(attributes.get("stickiness.lb_cookie.duration_seconds") or DAY))


def to_target(sticky: Stickiness | None, clock: Clock) -> Message:
    """Return the fields of a route, or of a weighted cluster, that keep a client at its target."""
    if sticky is None:
        return {}
    state = header_pb2.HeaderBasedSessionState(name=sticky.header)
    session = stateful_session_pb2.StatefulSession(
        session_state=extension("envoy.http.stateful_session.header", state)
    )
    cookie = " ".join(filter(None, (sticky.kind, _wall(sticky.seconds, clock), sticky.cookie)))
    return {
        "typed_per_filter_config": {
            FILTER: packed(stateful_session_pb2.StatefulSessionPerRoute(stateful_session=session))
        },
        "response_headers_to_add": [_header(STICKY, cookie)],
    }


def to_group(arn: str, seconds: float, clock: Clock) -> Message:
    """Return the response header that keeps a client at its group."""
    return _header(GROUP, f"{_wall(seconds, clock)} {group_value(arn)}")


def holds_group(arn: str) -> Message:
    """Return a match for requests whose cookie names the group."""
    regex = f"(?:.*; ?)?AWSALBTG(?:CORS)?={group_value(arn)}(?:;.*)?"
    return {"name": "cookie", "string_match": {"safe_regex": {"regex": regex}}}


def group_value(arn: str) -> str:
    """Return the value of AWSALBTG for a group."""
    return hashlib.sha256(arn.encode()).hexdigest()[:32]


def _wall(seconds: float, clock: Clock) -> str:
    """Return wall seconds, which clients count in; a cookie has whole seconds."""
    return str(max(1, round(clock.scaled(seconds))))


def _header(key: str, value: str) -> Message:
    return {"header": {"key": key, "value": value}, "append_action": "OVERWRITE_IF_EXISTS_OR_ADD"}
