"""Decides what a client may claim about a request: ok, failed, or unknown.

ok       the whole expected answer came
failed   somebody answered with an error, or nothing was sent: no name, no connection
unknown  it was sent and no answer came: nobody can say whether it was served

In doubt the outcome is unknown. Nothing but a complete answer is ok.
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
"""How gRPC core 1.80 begins the details of calls that found no connection (pick_first, resolvers)."""

_HTTP_ERROR = "Received http2 header with status"
"""gRPC core's details for an answer that is HTTP but not gRPC, such as a balancer's own 502."""


def judge_grpc(status: str, details: str, *, answered: bool) -> Outcome:
    """The outcome of a gRPC call that ended with a status.

    Args:
        status: the status code's name.
        details: the status message, made by the server or by the library.
        answered: whether the end of the call carried metadata. A server's own status does (balancers
            and proxies add headers to it); a status that the library made up has none.
    """
    if status == "OK":
        return "ok"
    if answered or details.startswith((_HTTP_ERROR, *_NEVER_SENT)):
        return "failed"
    return "unknown"


def judge_http(status: int, *, complete: bool) -> Outcome:
    """The outcome of an HTTP request that was answered; `complete`: the body is what was asked for."""
    return "ok" if 200 <= status < 300 and complete else "failed"  # RFC 9110: success
