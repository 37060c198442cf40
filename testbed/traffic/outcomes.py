"""Decides the outcome of a request: ok, failed, or unknown (pure).

ok       the whole expected answer came
failed   the answer was an error, or nothing was sent: no name, no connection
unknown  it was sent and no answer came, so it may have been served or not

In doubt the outcome is unknown. Only a complete answer is ok.
"""

from __future__ import annotations

from testbed.journal import Outcome

_NEVER_SENT = (
    "failed to connect to all addresses",
    "errors resolving",
    "DNS resolution failed",
    "Name resolution failure",
    "empty address list",
)
"""Beginnings of gRPC core 1.80's details for calls without a connection (pick_first, resolvers)."""
_HTTP_ERROR = "Received http2 header with status"
"""gRPC core's details for an HTTP answer that is not gRPC, such as a balancer's own 502."""


def judge_grpc(status: str, details: str, *, answered: bool) -> Outcome:
    """Return the outcome of a gRPC call that ended with a status.

    Args:
        status: name of the status code.
        details: the status message, from the server or from the library.
        answered: True if the call ended with metadata. A status from a server has some (balancers and
            proxies add headers to it); a status from the library has none.
    """
    if status == "OK":
        return "ok"
    if answered or details.startswith((_HTTP_ERROR, *_NEVER_SENT)):
        return "failed"
    return "unknown"


def judge_http(status: int, *, complete: bool) -> Outcome:
    """Return the outcome of an answered HTTP request; `complete` is True if it has the expected body."""
    return "ok" if 200 <= status < 300 and complete else "failed"  # RFC 9110: success
