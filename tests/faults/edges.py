"""A process at the far side of an edge: it greets each caller with its address, and sends back what comes."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from testbed.borrowed_sockets import Address
from testbed.child_process import Command, Process
from testbed.faults.struck_edge import StruckEdge
from testbed.runtime.edge_relay import EdgeRelays
from testbed.runtime.loop_thread import LoopThread
from testbed.runtime.struck_edges import StruckEdges
from testbed.settings import PATIENCE

PORT = 18081
_ECHO = """
import asyncio, sys

async def serve(reader, writer):
    writer.write((writer.get_extra_info("peername")[0] + "\\n").encode())
    while data := await reader.read(1 << 16):
        if data == b"go\\n":
            break
        writer.write(data)
        await writer.drain()
    writer.close()

async def main():
    server = await asyncio.start_server(serve, sys.argv[1], int(sys.argv[2]))
    print("ready", flush=True)
    await server.serve_forever()

asyncio.run(main())
"""


@dataclass
class Caller:
    """An open connection to the process."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter

    async def echoed(self, word: bytes) -> bytes:
        """Send a line and return what comes back."""
        self.writer.write(word + b"\n")
        return (await self.reader.readline()).rstrip()

    async def close(self) -> None:
        """Close it."""
        self.writer.close()


class Far:
    """The process, and who strikes the edge to it."""

    def __init__(self, address: str, process: Process, relays: EdgeRelays) -> None:
        self.address, self.process, self.relays = address, process, relays
        self.callers: list[asyncio.StreamWriter] = []
        self.edges = StruckEdges(relays, {"targets-backends": [(process, self.is_at)]})

    def is_at(self, at: Address) -> bool:
        """True for its address and port."""
        return at == (self.address, PORT)

    @contextmanager
    def struck(self, fault: StruckEdge) -> Iterator[None]:
        """Strike the edge."""
        with self.edges.struck(fault):
            yield

    async def call(self, source: str = "127.0.0.1") -> Caller:
        """Connect from an address, and check that the process sees that one."""
        ends = await asyncio.open_connection(self.address, PORT, local_addr=(source, 0))
        self.callers.append(ends[1])
        assert (await ends[0].readline()).decode().rstrip() == source
        return Caller(*ends)


@contextmanager
def far_side(address: str, folder: Path) -> Iterator[Far]:
    """Start the process at an address."""
    command = Command("far", [sys.executable, "-c", _ECHO, address, str(PORT)])
    with LoopThread() as loop, Process(command, folder) as process:
        process.wait_until(lambda: "ready" in process.log.read_text())
        far = Far(address, process, EdgeRelays(loop))
        try:
            yield far
        finally:
            for caller in far.callers:
                caller.transport.abort()
            far.relays.close()


async def is_silent(caller: Caller) -> bool:
    """True if nothing comes back for a while."""
    try:
        async with asyncio.timeout(PATIENCE.command_look):
            await caller.echoed(b"anybody?")
    except TimeoutError:
        return True
    return False
