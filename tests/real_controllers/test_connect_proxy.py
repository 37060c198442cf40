import asyncio
import socket

import pytest
import trustme

from testbed.real_controllers.connect_proxy import ConnectProxy
from testbed.real_controllers.stream_relay import StreamServer


@pytest.mark.parametrize(
    ("request_", "told"),
    [
        (b"CONNECT example.com:443 HTTP/1.1\r\n\r\n", "example.com:443"),
        (b"CONNECT evil-amazonaws.com:443 HTTP/1.1\r\n\r\n", "evil-amazonaws.com:443"),
        (b"GET http://route53.amazonaws.com/ HTTP/1.1\r\n\r\n", "http://route53.amazonaws.com/"),
        (b"SSH-2.0-x\r\n\r\n", "something that is no HTTP proxy request"),
    ],
)
async def test_what_is_no_host_of_aws_is_refused(request_: bytes, told: str) -> None:
    refused: list[str] = []
    listening = socket.create_server(("127.0.0.1", 0))
    address = listening.getsockname()
    proxy = ConnectProxy(trustme.CA(), ("127.0.0.1", 9), refused.append)
    server = StreamServer(listening, proxy.answer)
    await server.start()
    reader, writer = await asyncio.open_connection(*address)
    writer.write(request_)
    assert (await reader.read()).startswith(b"HTTP/1.1 403 ")
    assert refused == [told]
    writer.close()
    await writer.wait_closed()
    await server.stop()
