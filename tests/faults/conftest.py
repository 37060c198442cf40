"""What faults strike here: one small process for each part, the AWS endpoint, a name server."""

from __future__ import annotations

import socket
import sys
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import dns.asyncquery
import dns.exception
import dns.message
import dns.rcode
import psutil
import pytest

from testbed.child_process import Command, Process
from testbed.dns.dns_server import DnsServer
from testbed.dns.hosted_zone import Zones
from testbed.faults.spoiled_answers import SpoiledAnswers
from testbed.faults.struck_part import StruckPart
from testbed.network import Network
from testbed.runtime.struck_processes import Strikable, StruckProcesses
from testbed.runtime.upkeep import Upkeep
from testbed.settings import PATIENCE
from tests.aws.conftest import account, moto, network, servers
from tests.dns.zones_of_route53 import around, record, zones
from tests.rehearsal.conftest import still_topology

__all__ = ["account", "moto", "network", "servers", "still_topology"]

PORT = 18080
_SERVES = (
    "import socket, sys\n"
    "served = socket.create_server((sys.argv[1], int(sys.argv[2])))\n"
    "while True:\n"
    "    client, _ = served.accept()\n"
    "    client.sendall(b'hi')\n"
    "    client.close()\n"
)


@dataclass
class Plant:
    """A part that runs, and who strikes it."""

    address: str
    process: Process
    processes: StruckProcesses
    upkeep: Upkeep

    def answers(self) -> bool:
        """True if it answers a connection now."""
        try:
            with socket.create_connection((self.address, PORT), PATIENCE.api_call) as client:
                return client.recv(2) == b"hi"
        except ConnectionError:
            return False

    def connects(self) -> bool:
        """True if it takes a connection soon."""
        try:
            socket.create_connection((self.address, PORT), PATIENCE.command_look).close()
        except OSError:
            return False
        return True

    def until(self, holds: Callable[[], bool]) -> bool:
        """Wait for what a signal does."""
        pause = threading.Event()
        for _ in range(int(PATIENCE.condition / PATIENCE.poll)):
            if holds():
                return True
            pause.wait(PATIENCE.poll)
        return False

    def is_stopped(self) -> bool:
        """True if SIGSTOP holds it."""
        return psutil.Process(self.process.pid).status() == psutil.STATUS_STOPPED

    @contextmanager
    def struck(self, fault: StruckPart) -> Iterator[None]:
        """Strike it."""
        with self.processes.struck(fault.word, fault.part):
            yield

    def ends_and_starts_again(self, fault: StruckPart, status: int) -> None:
        """Strike it with a fault that ends it, see that, and see it serve again."""
        before = self.process.pid
        assert self.answers()
        with self.struck(fault):
            assert self.process.returncode == status
            assert not self.answers()
            self.upkeep.check()  # an end that a fault brings is no failure of the run
        assert self.answers()
        assert self.process.pid != before
        self.upkeep.check()

    def falls_silent_and_goes_on(self, fault: StruckPart) -> None:
        """Strike it with a fault that pauses it, see that, and see it go on."""
        before = self.process.pid
        with self.struck(fault):
            assert self.until(self.is_stopped)
        assert self.until(lambda: not self.is_stopped())
        assert self.answers()
        assert self.process.pid == before


@pytest.fixture
def plant(network: Network, tmp_path: Path) -> Iterator[Callable[[str], Plant]]:
    upkeep = Upkeep()
    processes = StruckProcesses(upkeep)
    address = network.backend_pod(0)

    def made(part: str) -> Plant:
        command = Command(part, [sys.executable, "-c", _SERVES, address, str(PORT)])
        process = upkeep.spawn(command, tmp_path)
        found = Plant(address, process, processes, upkeep)
        ready = partial(process.wait_until, found.answers)
        ready()
        processes.know({part: Strikable(process, ready, restarts=part not in ("nlb", "alb"))})
        return found

    yield made
    upkeep.close()


@dataclass
class NameServer:
    """A name server whose records a test changes."""

    server: DnsServer
    served: list[Zones]

    def change(self, value: str) -> None:
        """Give api.example.com another address."""
        self.served[0] = zones(record("api.example.com.", "A", value))

    async def ask(self, *, tcp: bool = False) -> dns.message.Message:
        """Ask for its addresses once."""
        query = dns.message.make_query("api.example.com", "A")
        where = (self.server.address, PATIENCE.api_call, self.server.port)
        if tcp:
            return await dns.asyncquery.tcp(query, *where)
        return await dns.asyncquery.udp(query, *where)

    async def address(self) -> str:
        """Its address over UDP."""
        return (await self.ask()).answer[0][0].to_text()

    @contextmanager
    def struck(self, fault: SpoiledAnswers) -> Iterator[None]:
        """Strike it."""
        with self.server.spoiled(fault.effect):
            yield


@pytest.fixture
async def name_server(network: Network) -> AsyncIterator[NameServer]:
    served = [zones(record("api.example.com.", "A", "10.0.0.1"))]
    async with DnsServer(network.dns, network.dns_port, lambda: served[0], around()) as running:
        yield NameServer(running, served)
