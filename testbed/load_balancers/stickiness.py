"""Sticky sessions of an ALB: which target, and which of several groups, a client comes back to (pure).

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
from testbed.load_balancers.proto import extension, packed

FILTER = "envoy.filters.http.stateful_session"
SESSION = "x-alb-session"
APP_SESSION = "x-alb-app-session"
"""Request and response headers between `alb.lua` and Envoy's filter; neither client nor target sees them."""
STICKY = "x-alb-sticky"
"""Response header that tells `alb.lua` to set the target's cookies: `lb SECONDS` or `app SECONDS NAME`."""
GROUP = "x-alb-group"
"""Response header that tells `alb.lua` to set the group's cookies: `SECONDS VALUE`."""
DAY = 86_400
"""Default duration of both kinds [ELBv2 API reference, TargetGroupAttribute]."""
OWN_COOKIES = ("AWSALB", "AWSALBAPP", "AWSALBTG")
"""Reserved prefixes: no name of an application's cookie begins so."""

Message = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Stickiness:
    """How clients stick to the targets of a group; `seconds` are production time."""

    kind: Literal["lb", "app"]
    seconds: float
    cookie: str = ""

    @property
    def header(self) -> str:
        """The header that names the target of this kind of cookie."""
        return SESSION if self.kind == "lb" else APP_SESSION


def stickiness_of(group: TargetGroup) -> Stickiness | None:
    """The stickiness of an ALB's target group, None if it has none."""
    given = group.attributes
    if given.get("stickiness.enabled") != "true":
        return None
    if given.get("stickiness.type") == "app_cookie":
        seconds = float(given.get("stickiness.app_cookie.duration_seconds") or DAY)
        return Stickiness("app", seconds, given.get("stickiness.app_cookie.cookie_name", ""))
    return Stickiness("lb", float(given.get("stickiness.lb_cookie.duration_seconds") or DAY))


def to_target(sticky: Stickiness | None, clock: Clock) -> Message:
    """What a route, or the share of a weighted one, says of the target's cookie."""
    if sticky is None:
        return {}
    state = header_pb2.HeaderBasedSessionState(name=sticky.header)
    session = stateful_session_pb2.StatefulSession(
        session_state=extension("envoy.http.stateful_session.header", state)
    )
    told = " ".join(filter(None, (sticky.kind, _wall(sticky.seconds, clock), sticky.cookie)))
    return {
        "typed_per_filter_config": {
            FILTER: packed(stateful_session_pb2.StatefulSessionPerRoute(stateful_session=session))
        },
        "response_headers_to_add": [_header(STICKY, told)],
    }


def to_group(arn: str, seconds: float, clock: Clock) -> Message:
    """The response header by which a client keeps its group."""
    return _header(GROUP, f"{_wall(seconds, clock)} {group_value(arn)}")


def holds_group(arn: str) -> Message:
    """Matches requests whose cookie names the group."""
    regex = f"(?:.*; ?)?AWSALBTG(?:CORS)?={group_value(arn)}(?:;.*)?"
    return {"name": "cookie", "string_match": {"safe_regex": {"regex": regex}}}


def group_value(arn: str) -> str:
    """The value of AWSALBTG for a group."""
    return hashlib.sha256(arn.encode()).hexdigest()[:32]


def _wall(seconds: float, clock: Clock) -> str:
    """Wall seconds, as clients count them; cookies know whole seconds."""
    return str(max(1, round(clock.scaled(seconds))))


def _header(key: str, value: str) -> Message:
    return {"header": {"key": key, "value": value}, "append_action": "OVERWRITE_IF_EXISTS_OR_ADD"}
