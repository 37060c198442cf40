"""Calls of the user's own service, ready to be sent by the generator.

Messages are encoded before the run, so the generator needs no proto.
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
"""The idempotent methods of RFC 9110, 9.2.2, among those that traffic may use."""


@dataclass(frozen=True, slots=True)
class Call:
    """One kind of request.

    Attributes:
        protocol: `grpc` or `rest`.
        path: `/package.Service/Method` of a gRPC call, path and query of a REST request.
        method: HTTP method, "POST" for gRPC.
        shape: kind of a gRPC call; "unary" for REST.
        share: weight among the shares of all calls.
        body: the body, or the encoding of each message that the client sends.
        headers: further headers in lower case; metadata of a gRPC call.
        status: the expected HTTP status; None for any 2xx.
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
        """True if it may be sent twice."""
        return self.method in IDEMPOTENT

    @property
    def title(self) -> str:
        """Its name in the ledger: the path of a gRPC call, `GET /path` of a REST request."""
        return self.path if self.protocol == "grpc" else f"{self.method} {self.path}"


def as_json(calls: Sequence[Call]) -> list[dict[str, Any]]:
    """Convert calls to values that JSON can hold."""
    return [
        {
            **dataclasses.asdict(call),
            "body": base64.b64encode(call.body).decode(),
            "headers": list(call.headers),
        }
        for call in calls
    ]


def from_json(values: Sequence[dict[str, Any]]) -> tuple[Call, ...]:
    """Convert the values of `as_json` to calls.

    Raises:
        ValueError, KeyError, TypeError: the values are not those of calls.
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
    """Write calls as one JSON text."""
    return orjson.dumps(as_json(calls)).decode()


def from_text(text: str) -> tuple[Call, ...]:
    """Read the calls from a text of `to_text`; () from an empty text."""
    return from_json(orjson.loads(text)) if text else ()
