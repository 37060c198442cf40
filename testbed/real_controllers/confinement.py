"""Where the binaries of a user run: nothing of this machine's accounts, and no way but to the testbed.

```
binary ── 127.N.0.1:4566, 6443 ──► AWS endpoint, Kubernetes API
       ── 127.N.0.1:3128 (CONNECT) ──► *.amazonaws.com is the AWS endpoint; every other host is refused
```
Where the kernel allows it the binaries live in a network namespace whose one interface is a loopback of its
own, and these ports are the only ones there. Elsewhere the environment alone leads them.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable, Mapping, Sequence
from contextlib import AsyncExitStack
from functools import partial
from pathlib import Path

import trustme

from testbed.errors import Missing
from testbed.network import AWS_PORT, Network
from testbed.real_controllers.connect_proxy import ConnectProxy
from testbed.real_controllers.forked_processes import MARK, new_mark
from testbed.real_controllers.network_namespace import LastingThread, Result
from testbed.real_controllers.stream_relay import Answer, StreamServer, relay
from testbed.settings import REGION

PROXY_PORT = 3128
_NOWHERE = "/dev/null"
_NO_PROXY = "http://127.0.0.1:9"
"""The port of a service that no machine has any more: what asks it is refused."""
_SYSTEM_PATH = "/usr/local/bin:/usr/bin:/bin"


class Confinement:
    """The place of a run's binaries. `start` and `stop` run in the loop of the servers.

    Args:
        network: of the run.
        folder: a folder of the run, for the certificate of the proxy's authority.
        refused: is told each host outside the testbed that a binary asked the proxy for.
        outward: ports of the run's control address that the binaries may call, beside the AWS endpoint's.

    Attributes:
        is_closed: True if a network namespace keeps them in; False if only their environment does.
    """

    def __init__(
        self, network: Network, folder: Path, refused: Callable[[str], None], outward: Sequence[int] = ()
    ) -> None:
        self._network, self._folder = network, folder
        self._outward = (AWS_PORT, *outward)
        authority = trustme.CA(organization_name="Testbed proxy CA")
        self._bundle = folder / "proxy-ca.pem"
        self._bundle.write_bytes(authority.cert_pem.bytes())
        self._proxy = ConnectProxy(authority, (network.control, AWS_PORT), refused)
        self._stack = AsyncExitStack()
        try:
            self._thread = LastingThread(confined=True)
            self.is_closed = True
        except OSError:
            self._thread = LastingThread(confined=False)
            self.is_closed = False

    async def start(self) -> None:
        """Open the ways out.

        Raises:
            Missing: a port is taken.
        """
        await self._serve(await self._listen_inside(PROXY_PORT), self._proxy.answer)
        if self.is_closed:
            for port in self._outward:
                await self._serve(await self._listen_inside(port), partial(self._pass_out, port))

    async def stop(self) -> None:
        """Close all ways; the binaries must have ended."""
        await self._stack.aclose()

    def close(self) -> None:
        """Give up the place, after `stop`."""
        self._thread.close()

    async def let_in(self, port: int) -> None:
        """Let the run, and this machine, call a port of a binary at the control address.

        Raises:
            Missing: the port is taken.
        """
        if self.is_closed:
            listening = listener(self._network.control, port)
            await self._serve(listening, partial(self._pass_in, port))

    def run(self, work: Callable[[], Result]) -> Result:
        """Run a function in the thread of the place: what it starts and opens lives there."""
        return self._thread.run(work)

    def environment(self, folder: Path, further: Mapping[str, str] | None = None) -> dict[str, str]:
        """Return all variables of a child, with a mark of its own.

        Args:
            folder: its HOME.
            further: those of this controller alone.
        """
        network = self._network
        led = led_environment(folder, self._bundle, network.aws_endpoint, network.control, (network.control,))
        return {**led, **(further or {})}

    async def _listen_inside(self, port: int) -> socket.socket:
        return await asyncio.to_thread(self._thread.run, partial(listener, self._network.control, port))

    async def _serve(self, listening: socket.socket, answer: Answer) -> None:
        server = StreamServer(listening, answer)
        await server.start()
        self._stack.push_async_callback(server.stop)

    async def _pass_out(self, port: int, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await relay((reader, writer), await asyncio.open_connection(self._network.control, port))

    async def _pass_in(self, port: int, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        inside = await asyncio.to_thread(self._thread.run, socket.socket)
        inside.setblocking(False)
        try:
            await asyncio.get_running_loop().sock_connect(inside, (self._network.control, port))
        except OSError:
            inside.close()
            raise
        await relay((reader, writer), await asyncio.open_connection(sock=inside))


def led_environment(
    home: Path, bundle: Path, aws: str, proxy_host: str, direct: Sequence[str]
) -> dict[str, str]:
    """Return the variables that lead a program to the AWS endpoint of a run, with a new mark.

    Args:
        bundle: the certificate of the proxy's authority, as the program finds it.
        aws: the URL of the endpoint.
        proxy_host: where the proxy listens, at `PROXY_PORT`.
        direct: hosts that are asked without the proxy.
    """
    proxy = f"http://{proxy_host}:{PROXY_PORT}"
    return {
        **clean_environment(home),
        "AWS_ENDPOINT_URL": aws,
        # Where a release asks for metadata all the same, it asks the proxy, which refuses.
        "AWS_EC2_METADATA_SERVICE_ENDPOINT": proxy,
        # Not AWS_CA_BUNDLE: with it SDK v1 fails ("LoadCustomCABundleError") as it has a transport.
        "SSL_CERT_FILE": str(bundle),
        "HTTPS_PROXY": proxy,
        "HTTP_PROXY": proxy,
        "NO_PROXY": ",".join(direct),
    }


def clean_environment(home: Path) -> dict[str, str]:
    """Return the variables that lead a program to no account of a user and to no host, with a new mark."""
    return {
        "PATH": _SYSTEM_PATH,
        "HOME": str(home),
        "AWS_ACCESS_KEY_ID": "testing",
        "AWS_SECRET_ACCESS_KEY": "testing",
        "AWS_REGION": REGION,
        "AWS_DEFAULT_REGION": REGION,
        "AWS_CONFIG_FILE": _NOWHERE,
        "AWS_SHARED_CREDENTIALS_FILE": _NOWHERE,
        "AWS_EC2_METADATA_DISABLED": "true",
        "HTTPS_PROXY": _NO_PROXY,
        "HTTP_PROXY": _NO_PROXY,
        MARK: new_mark(),
    }


def listener(address: str, port: int) -> socket.socket:
    """Return a socket that listens.

    Raises:
        Missing: the port is taken.
    """
    listening = socket.socket()
    try:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind((address, port))
        listening.listen()
    except OSError as error:
        listening.close()
        raise Missing(
            f"{address}:{port} cannot be bound: {error.strerror}",
            do="stop what listens there or name another network with --network",
        ) from None
    return listening
