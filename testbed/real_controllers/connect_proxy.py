"""A CONNECT proxy that ends the TLS of AWS's hosts, and refuses every other host.

ExternalDNS up to v0.15.0 speaks AWS SDK v1, which knows no `AWS_ENDPOINT_URL`: its calls go to
`https://route53.amazonaws.com`. A newer one that is led elsewhere by a flag or a bug ends here, too.
"""

from __future__ import annotations

import asyncio
import re
import ssl
from collections.abc import Callable
from typing import TYPE_CHECKING

from testbed.real_controllers.stream_relay import relay

if TYPE_CHECKING:
    import trustme

_REQUEST = re.compile(rb"([A-Z]+) (\S+) HTTP/1\.[01]\r\n")
_HOST = re.compile(r"(?:[a-z0-9-]+\.)+amazonaws\.com(?:\.cn)?:443")
_LONGEST_HEAD = 1 << 14


class ConnectProxy:
    """Answers one client connection after another; who listens is up to the caller.

    Args:
        authority: issues a certificate for each host of AWS that is asked for.
        endpoint: address and port of the AWS endpoint of the run, plain HTTP.
        refused: is told each other host, `example.com:443`.
    """

    def __init__(
        self, authority: trustme.CA, endpoint: tuple[str, int], refused: Callable[[str], None]
    ) -> None:
        self._authority, self._endpoint, self._refused = authority, endpoint, refused
        self._contexts: dict[str, ssl.SSLContext] = {}

    async def answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer a client until it goes."""
        try:
            head = await reader.readuntil(b"\r\n\r\n")
        except (asyncio.IncompleteReadError, asyncio.LimitOverrunError, OSError):
            return
        asked = _REQUEST.match(head) if len(head) <= _LONGEST_HEAD else None
        method, target = (asked[1].decode(), asked[2].decode("latin-1").lower()) if asked else ("", "")
        if method != "CONNECT" or not _HOST.fullmatch(target):
            self._refused(target or "something that is no HTTP proxy request")
            body = b"a testbed reaches nothing but itself\n"
            writer.write(
                b"HTTP/1.1 403 Forbidden\r\nContent-Length: %d\r\nConnection: close\r\n\r\n" % len(body)
            )
            writer.write(body)
            await writer.drain()
            return
        writer.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
        await writer.drain()
        await writer.start_tls(self._context(target.partition(":")[0]))
        far_reader, far_writer = await asyncio.open_connection(*self._endpoint)
        await relay((reader, writer), (far_reader, far_writer))

    def _context(self, host: str) -> ssl.SSLContext:
        if host not in self._contexts:
            context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
            context.set_alpn_protocols(["http/1.1"])
            self._authority.issue_cert(host).configure_cert(context)
            self._contexts[host] = context
        return self._contexts[host]
