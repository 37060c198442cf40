"""Relays that step in front of listening sockets of other processes, and take a toll of what passes.

```
before    client ──────────────────────────────────────────► socket of the process
struck    client ──► relay, at the same address and port ──► socket of the process
                     by SO_REUSEPORT, and a program that      from the client's own address,
                     gives all new connections to it          at a port that the program knows
```

Who connects keeps its address for the process behind, and open connections stay where they are. No root is
needed: both sockets belong to this user. When the fault ends, new connections go to the process again, and
what the relay has goes on through it without a toll.
"""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
import errno
import itertools
import random
import socket
import struct
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

from testbed.borrowed_sockets import Address, borrowed
from testbed.faults.struck_edge import Toll
from testbed.real_controllers.stream_relay import Answer, Stream, StreamServer, relay
from testbed.runtime.loop_thread import LoopThread
from testbed.settings import PATIENCE

_SO_ATTACH_REUSEPORT_CBPF = 51
"""Of the kernel's headers; Python does not name it."""
_NETWORK_HEADER = -0x100000 & 0xFFFFFFFF
"""SKF_NET_OFF: where the IP header begins, for a program whose data begins behind the TCP header."""
_IPV4_HEADER, _IPV6_HEADER = 20, 40
_LOAD_HALF, _JUMP_GREATER, _RETURN = 0x28, 0x35, 0x06
"""Instructions of classic BPF [Linux, Documentation/networking/filter.rst]."""
_FIRST_OWN, _LAST_OWN = 61000, 65535
"""The ports from which the relays connect: above those that Linux gives to clients by itself."""
_CHUNK = 1 << 16
_TICKS = 20
"""Chunks in a second where the bandwidth is limited."""
_WAITING = 64
"""Most chunks of a direction that are on their way; beyond it the sender is held back."""


class EdgeRelays:
    """The relays of a run, in a loop of their own. `close` ends what they still pass on."""

    def __init__(self, loop: LoopThread) -> None:
        self._loop = loop
        self._ports = itertools.cycle(range(_FIRST_OWN, _LAST_OWN + 1))
        self._servers: list[StreamServer] = []

    def close(self) -> None:
        """End all connections that go through relays."""
        for one in self._servers:
            self._loop.run(one.stop(), PATIENCE.process_stop)

    @contextmanager
    def diverted(self, pid: int, is_wanted: Callable[[Address], bool], toll: Toll) -> Iterator[None]:
        """Lead the new connections to listening sockets of a process through relays while the block lasts.

        A socket that listens only later is led through one, too.

        Raises:
            Missing: the kernel does not let this user reach the sockets.
        """
        over = threading.Event()
        led: set[tuple[str, int]] = set()
        with contextlib.ExitStack() as stack:

            def lead() -> None:
                with borrowed(pid, lambda ends: ends.listens and is_wanted(ends.local)) as found:
                    new = {one.getsockname(): one.family for one in found if one.getsockname() not in led}
                    for address, family in new.items():
                        there = [one for one in found if one.getsockname() == address]
                        for one in there:
                            one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
                        stack.enter_context(self._in_front(address, family, len(there), toll))
                        led.add(address)

            def keep() -> None:
                while not over.wait(PATIENCE.command_look):
                    lead()

            again = threading.Thread(target=keep, name="relays", daemon=True)
            lead()
            again.start()
            try:
                yield
            finally:
                over.set()
                again.join()

    @contextmanager
    def _in_front(
        self, address: tuple[str, int], family: socket.AddressFamily, others: int, toll: Toll
    ) -> Iterator[None]:
        over = asyncio.Event()
        with socket.socket(family) as listening:
            listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
            listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listening.bind(address)
            listening.listen()
            _choose(listening, others)
            server = StreamServer(listening, self._passing(listening.getsockname(), family, toll, over))
            self._loop.run(server.start())
            self._servers.append(server)
            try:
                yield
            finally:
                _choose(listening, 0)
                self._loop.run(self._end(server, over))

    async def _end(self, server: StreamServer, over: asyncio.Event) -> None:
        over.set()
        await asyncio.sleep(PATIENCE.poll)  # connections that the kernel has given to the relay come still
        server.accept_no_more()

    def _passing(
        self, address: tuple[str, int], family: socket.AddressFamily, toll: Toll, over: asyncio.Event
    ) -> Answer:
        dice = random.Random()  # noqa: S311 the dice of a rehearsal, not of a key

        async def pass_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await _tolled(reader, writer, toll, over, dice)

        async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            peer = writer.get_extra_info("peername")
            far = await self._connected(address, family, peer[0])
            await relay((reader, writer), far, pass_on)

        return answer

    async def _connected(self, address: tuple[str, int], family: socket.AddressFamily, source: str) -> Stream:
        """Connect from an address at one of the relays' own ports."""
        for port in itertools.islice(self._ports, _LAST_OWN - _FIRST_OWN):
            own = socket.socket(family)
            own.setblocking(False)
            own.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                own.bind((source, port))
                await asyncio.get_running_loop().sock_connect(own, address)
                return await asyncio.open_connection(sock=own)
            except OSError as error:
                own.close()
                if error.errno not in (errno.EADDRINUSE, errno.EADDRNOTAVAIL):
                    raise
        raise OSError(errno.EADDRNOTAVAIL, "all ports of the relays are in use")


async def _tolled(
    reader: asyncio.StreamReader,
    writer: asyncio.StreamWriter,
    toll: Toll,
    over: asyncio.Event,
    dice: random.Random,
) -> None:
    """Pass on what comes as the toll says, and close when nothing comes any more."""
    now = asyncio.get_running_loop().time
    on_its_way: asyncio.Queue[tuple[float, bytes]] = asyncio.Queue(_WAITING)
    most = _CHUNK if toll.rate is None else max(1, int(toll.rate / _TICKS))

    async def wait(seconds: float) -> None:
        if seconds > 0 and not over.is_set():
            with suppress(TimeoutError):
                async with asyncio.timeout(seconds):
                    await over.wait()

    async def receive() -> None:
        due, data = 0.0, b"begins"
        while data:
            try:
                data = await reader.read(most)
            except OSError:  # either end may go at any time; the other is closed then
                data = b""
            due = max(due, now() + toll.delay + dice.uniform(0.0, toll.jitter))
            await on_its_way.put((due, data))

    async def send() -> None:
        while True:
            due, data = await on_its_way.get()
            await wait(due - now())
            if not data:
                await wait(toll.close_delay)
                return
            writer.write(data)
            await writer.drain()
            if toll.rate is not None:
                await wait(len(data) / toll.rate)

    receiving = asyncio.create_task(receive())
    try:
        with suppress(OSError):
            await send()
            writer.close()
            await writer.wait_closed()
    finally:
        writer.close()
        receiving.cancel()


def _choose(listening: socket.socket, index: int) -> None:
    """Give new connections to the socket of this index among those of the address; the relays' own to 0."""
    is_ipv4 = listening.family == socket.AF_INET or "." in listening.getsockname()[0]
    header = _IPV4_HEADER if is_ipv4 else _IPV6_HEADER
    program = (
        (_LOAD_HALF, 0, 0, _NETWORK_HEADER + header),  # the port of the client
        (_JUMP_GREATER, 0, 1, _FIRST_OWN),
        (_RETURN, 0, 0, 0),
        (_RETURN, 0, 0, index),
    )
    code = ctypes.create_string_buffer(b"".join(struct.pack("=HBBI", *one) for one in program))
    described = struct.pack("@HL", len(program), ctypes.addressof(code))
    listening.setsockopt(socket.SOL_SOCKET, _SO_ATTACH_REUSEPORT_CBPF, described)
