"""A backend that answers any gRPC method and any REST path, in the place of the user's own service.

Answers to gRPC calls are empty messages, which are valid for every proto. How many there are is told by the
caller's metadata, for a server cannot see the shape of a method that it does not know:

```
x-testbed-shape       unary (without it), server_stream, client_stream, bidi
x-testbed-messages    how many a server_stream answers
x-testbed-interval    seconds between two of them
```
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import grpc
import grpc.aio

HEALTH_CHECK = "/AWS.ALB/healthcheck"
"""An ALB's own check of a GRPC target group wants it to be unknown."""
_MOST = 100_000


class AnyMethod(grpc.GenericRpcHandler):  # type: ignore[misc]
    """Takes every method that no other handler takes."""

    def service(self, details: grpc.HandlerCallDetails) -> grpc.RpcMethodHandler | None:
        """The handler of a method; None is UNIMPLEMENTED."""
        if details.method == HEALTH_CHECK:
            return None
        return grpc.stream_stream_rpc_method_handler(_answer)


async def _answer(requests: AsyncIterator[bytes], context: grpc.aio.ServicerContext) -> AsyncIterator[bytes]:
    told = {str(key): str(value) for key, value in context.invocation_metadata() or ()}
    shape = told.get("x-testbed-shape", "unary")
    async for _ in requests:
        if shape == "bidi":
            yield b""
    if shape == "server_stream":
        count = min(_MOST, int(told.get("x-testbed-messages", "1")))
        interval = float(told.get("x-testbed-interval", "0"))
        for number in range(count):
            if number:
                await asyncio.sleep(interval)
            yield b""
    elif shape != "bidi":
        yield b""
