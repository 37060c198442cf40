"""Calls of the user's own service, as the generator sends them: whom, how often, with which bytes.

A call is ready to be sent: messages are encoded before the run, so the generator needs no proto.
"""

from __future__ import annotations

import base64
import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import orjson

Shape = Literal["unary", "server_stream", "client_stream", "bidi"]
STREAMS: tuple[Shape, ...] = ("server_stream", "client_stream", "bidi")
IDEMPOTENT = frozenset(("GET", "PUT", "DELETE", "OPTIONS"))
"""RFC 9110, 9.2.2, of the methods that are taken."""
SHAPE, MESSAGES, INTERVAL = "x-testbed-shape", "x-testbed-messages", "x-testbed-interval"
"""What the generator tells the sample backend of a stream; a backend of the user's own may ignore it."""


@dataclass(frozen=True, slots=True)
class Call:
    """One kind of request.

    Attributes:
        path: of a gRPC call `/package.Service/Method`, of a REST request its path and query.
        method: HTTP method, "POST" for gRPC.
        share: how often, in proportion to the shares of the others.
        body: the body, or each message that the client sends, encoded.
        headers: further headers, lower case; metadata of a gRPC call.
        status: the HTTP status that is right; None for any 2xx.
    """

    protocol: Literal["grpc", "rest"]
    path: str
    method: str = "POST"
    shape: Shape = "unary"
    share: float = 1.0
    body: bytes = b""
    headers: tuple[tuple[str, str], ...] = ()
    status: int | None = None

    @property
    def is_idempotent(self) -> bool:
        """Whether it may be sent twice."""
        return self.method in IDEMPOTENT

    @property
    def title(self) -> str:
        """As the ledger names it: the path of a gRPC call, `GET /path` of a REST request."""
        return self.path if self.protocol == "grpc" else f"{self.method} {self.path}"


def as_json(calls: Sequence[Call]) -> list[dict[str, Any]]:
    """The calls as plain values."""
    return [
        {
            **dataclasses.asdict(call),
            "body": base64.b64encode(call.body).decode(),
            "headers": list(call.headers),
        }
        for call in calls
    ]


def from_json(values: Sequence[dict[str, Any]]) -> tuple[Call, ...]:
    """The calls that `as_json` wrote.

    Raises:
        ValueError, KeyError, TypeError: not such values.
    """
    return tuple(
        Call(
            **{
                **fields,
                "body": base64.b64decode(fields["body"]),
                "headers": tuple((str(name), str(value)) for name, value in fields["headers"]),
            }
        )
        for fields in values
    )


def to_text(calls: Sequence[Call]) -> str:
    """The calls as one JSON text."""
    return orjson.dumps(as_json(calls)).decode()


def from_text(text: str) -> tuple[Call, ...]:
    """The calls of such a text; none of an empty one."""
    return from_json(orjson.loads(text)) if text else ()
