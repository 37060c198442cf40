"""A gRPC service that answers any method, in place of the user's own service.

Answers are empty messages, which are valid for every proto. A server cannot see the shape of a method that it
does not know, so the caller's metadata gives the number of messages:

```
x-testbed-shape       unary (the default), server_stream, client_stream, bidi
x-testbed-messages    number of messages of a server_stream
x-testbed-interval    seconds between two messages
```
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import grpc
import grpc.aio

from testbed.backend.grpc_methods import INTERVAL, MESSAGES, SHAPE

HEALTH_CHECK = "/AWS.ALB/healthcheck"
"""The path of an ALB's default health check of a GRPC target group, which expects UNIMPLEMENTED."""
_MOST = 100_000


class AnyMethod(grpc.GenericRpcHandler):  # type: ignore[misc]
    """Handles every method that no other handler knows."""

    def service(self, details: grpc.HandlerCallDetails) -> grpc.RpcMethodHandler | None:
        """Return the handler of a method; None answers UNIMPLEMENTED."""
        if details.method == HEALTH_CHECK:
            return None
        return grpc.stream_stream_rpc_method_handler(_answer)


async def _answer(requests: AsyncIterator[bytes], context: grpc.aio.ServicerContext) -> AsyncIterator[bytes]:
    metadata = {str(key): str(value) for key, value in context.invocation_metadata() or ()}
    shape = metadata.get(SHAPE, "unary")
    async for _ in requests:
        if shape == "bidi":
            yield b""
    if shape == "server_stream":
        count = min(_MOST, int(metadata.get(MESSAGES, "1")))
        interval = float(metadata.get(INTERVAL, "0"))
        for number in range(count):
            if number:
                await asyncio.sleep(interval)
            yield b""
    elif shape != "bidi":
        yield b""
