"""Converts the JSON log of the ALBs' Envoy to the access log of an ALB.

The fields follow the order of the ALB guide, "Access logs" (29 until 2023), plus conn_trace_id. Times are
production times; durations are wall time, as they were measured.
"""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import orjson

from testbed.clock import Clock

CLIENT_CLOSED = 460
NONE = "-"
_ESCAPES = {code: f"\\x{code:02X}" for code in (*range(32), ord('"'), ord("\\"))}


def line(fields: Mapping[str, Any], clock: Clock) -> str:
    """Return one access log line of an ALB, without its newline.

    Args:
        fields: one line of the JSON log, keys as in `envoy_listeners.ACCESS_FIELDS`.
        clock: the run's clock, for the times.
    """
    start = float(fields["start"])
    ended = start + float(fields["duration"] or 0) / 1000
    reached = fields["target"] or NONE
    answered = is_answered(fields)
    status = status_of(fields)
    target_status = str(status) if answered else NONE
    values = (
        kind(fields),
        _time(clock.production(ended)),
        fields["elb"],
        fields["client"],
        reached,
        *_durations(fields, answered=answered),
        str(status),
        target_status,
        str(fields["received"] or 0),
        str(fields["sent"] or 0),
        _quoted(_request(fields)),
        _quoted(fields["user_agent"]),
        fields["cipher"] or NONE,
        fields["tls"] or NONE,
        fields["group"] or NONE,
        _quoted(fields["trace"]),
        _quoted(fields["sni"]),
        _quoted(fields["certificate"]),
        fields["priority"] or NONE,
        _time(clock.production(start)),
        _quoted(fields["action"]),
        _quoted(fields["location"] if fields["action"] == "redirect" else None),
        _quoted(None),  # error_reason: only Lambda targets and authentication have one
        _quoted(None if reached == NONE else reached),
        _quoted(None if target_status == NONE else target_status),
        _quoted(None),  # classification and its reason: desync mitigation is not emulated
        _quoted(None),
        NONE,  # conn_trace_id
    )
    return " ".join(values)


def write(source: Path, destination: Path, clock: Clock) -> int:
    """Convert the JSON log of a run; return the number of lines. A torn last line is left out."""
    count = 0
    with source.open("rb") as lines, destination.open("w", encoding="utf-8") as output:
        for text in lines:
            if text.endswith(b"\n"):
                output.write(line(orjson.loads(text), clock) + "\n")
                count += 1
    return count


def kind(fields: Mapping[str, Any]) -> str:
    """Return the type of a request: http, https, h2, grpcs, ws or wss."""
    secure = fields["scheme"] == "https"
    if (fields["upgrade"] or "").lower() == "websocket":
        return "wss" if secure else "ws"
    if fields["protocol"] == "HTTP/2":
        return "grpcs" if (fields["content_type"] or "").startswith("application/grpc") else "h2"
    return "https" if secure else "http"


def is_answered(fields: Mapping[str, Any]) -> bool:
    """True if the client got the beginning of a target's response, even if not its end."""
    began = fields["details"] == "via_upstream" or fields["from_target"] is not None
    return began and bool(fields["status"])


def status_of(fields: Mapping[str, Any]) -> int:
    """Return the code that the ALB answered; 460 if the client left before the response."""
    status = int(fields["status"] or 0)
    gone = "DC" in (fields["flags"] or "").split(",") and not is_answered(fields)
    return CLIENT_CLOSED if gone or status == 0 else status


def _durations(fields: Mapping[str, Any], *, answered: bool) -> tuple[str, str, str]:
    """Return request, target and response processing time in seconds; -1 for a stage that was not reached."""
    if fields["to_target"] is None:
        return "-1", "-1", "-1"
    parts = (fields["to_target"], fields["at_target"], fields["from_target"])
    if not answered:
        return _seconds(parts[0]), "-1", "-1"
    return _seconds(parts[0]), _seconds(parts[1]), _seconds(parts[2])


def _seconds(microseconds: Any) -> str:
    return "-1" if microseconds is None else f"{float(microseconds) / 1e6:.3f}"


def _request(fields: Mapping[str, Any]) -> str:
    if not fields["method"]:
        return "- - -"
    # The log names the port of the listener as production has it, not the one that is bound here.
    host = str(fields["host"] or NONE).rpartition(":")[0] or fields["host"] or NONE
    version = "HTTP/2.0" if fields["protocol"] == "HTTP/2" else fields["protocol"] or NONE
    url = f"{fields['scheme']}://{host}:{fields['port']}{fields['path'] or ''}"
    return f"{fields['method']} {url} {version}"


def _quoted(value: Any) -> str:
    r"""Quote a field; quotes and control characters inside become `\xNN` as the ALB escapes them."""
    text = NONE if value in (None, "") else str(value)
    return f'"{text.translate(_ESCAPES)}"'


def _time(seconds: float) -> str:
    moment = datetime.datetime.fromtimestamp(seconds, tz=datetime.UTC)
    return moment.strftime("%Y-%m-%dT%H:%M:%S.%fZ")
