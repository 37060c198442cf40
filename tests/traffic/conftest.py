"""A small world on loopback: a DNS server, a real Envoy with TLS in front of a real backend, and TCP
proxies in the place of balancers, which can be made to misbehave."""

from __future__ import annotations

import asyncio
import contextlib
import json
import socket
import ssl
import struct
import sys
import threading
from collections.abc import Callable, Coroutine, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import dns.flags
import dns.message
import dns.rcode
import dns.rrset
import pytest
import trustme

from testbed.child_process import Command, Process
from testbed.clock import Clock
from testbed.journal import Request, TrafficStopped, read
from testbed.network import Network, lease
from testbed.runtime.components import traffic_generator as traffic_process
from testbed.traffic.traffic_plan import ClientGroup, Mix, TrafficPlan

HOST = "api.example.com"
PORT = 8443
SPEED = 60.0


class Names(asyncio.DatagramProtocol):
    """A DNS server with one name; `addresses` None is NXDOMAIN, `is_silent` answers nothing."""

    def __init__(self) -> None:
        self.addresses: list[str] | None = []
        self.ttl = 60
        self.is_silent = False
        self.questions = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport

    def datagram_received(self, data: bytes, sender: tuple[str, int]) -> None:
        query = dns.message.from_wire(data)
        if self.is_silent:
            return
        self.questions += 1
        answer = dns.message.make_response(query)
        answer.flags |= dns.flags.AA
        question = query.question[0]
        if self.addresses is None:
            answer.set_rcode(dns.rcode.NXDOMAIN)
        elif question.rdtype == 1 and self.addresses:
            answer.answer.append(dns.rrset.from_text(question.name, self.ttl, "IN", "A", *self.addresses))
        self.transport.sendto(answer.to_wire(), sender)  # type: ignore[attr-defined]


@dataclass
class Proxy:
    """A balancer as TCP sees it: forwards to the target from its own address."""

    address: str
    target: tuple[str, int]
    writers: list[asyncio.StreamWriter] = field(default_factory=list)
    accepted: int = 0
    server: asyncio.Server | None = None

    async def open(self) -> None:
        self.server = await asyncio.start_server(self._forward, self.address, PORT)

    async def close_port(self) -> None:
        assert self.server
        self.server.close()

    async def reset(self) -> None:
        """RST to all clients."""
        for writer in self.writers:
            peer = writer.get_extra_info("socket")
            if writer.transport.is_closing():
                continue
            peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            writer.transport.abort()
        self.writers.clear()

    async def _forward(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.accepted += 1
        self.writers.append(writer)
        try:
            up_reader, up_writer = await asyncio.open_connection(*self.target, local_addr=(self.address, 0))
        except OSError:
            writer.close()
            return

        async def pump(source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
            with contextlib.suppress(OSError):
                while data := await source.read(1 << 16):
                    sink.write(data)
                    await sink.drain()
            sink.close()

        await asyncio.gather(pump(reader, up_writer), pump(up_reader, writer))


class World:
    """Runs DNS and proxies in a thread with a loop of its own; tests call it from outside."""

    def __init__(self, network: Network, folder: Path) -> None:
        self.network = network
        self.folder = folder
        self.ca = trustme.CA()
        self.ca_file = folder / "ca.pem"
        self.ca.cert_pem.write_to_path(self.ca_file)
        self.names = Names()
        self.loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self.loop.run_forever)
        self._thread.start()
        self.call(self._open_dns())

    async def _open_dns(self) -> None:
        self._dns, _ = await self.loop.create_datagram_endpoint(
            lambda: self.names, local_addr=(self.network.dns, self.network.dns_port)
        )

    def call(self, work: Coroutine[Any, Any, Any]) -> Any:
        return asyncio.run_coroutine_threadsafe(work, self.loop).result(timeout=20)

    def close(self) -> None:
        async def end() -> None:
            self._dns.close()
            others = asyncio.all_tasks() - {asyncio.current_task()}
            for task in others:
                task.cancel()
            await asyncio.gather(*others, return_exceptions=True)

        self.call(end())
        self.loop.call_soon_threadsafe(self.loop.stop)
        self._thread.join()
        self.loop.run_until_complete(self.loop.shutdown_asyncgens())
        self.loop.close()

    @property
    def dns(self) -> str:
        return f"{self.network.dns}:{self.network.dns_port}"

    grpc_only = Mix(rest_get=0, rest_post=0, rest_events=0)
    rest_only = Mix(grpc_unary=0, grpc_server_stream=0, grpc_client_stream=0, grpc_bidi=0)

    def plan(self, journal: Path, **changes: Any) -> TrafficPlan:
        fields: dict[str, Any] = {
            "run": "t",
            "clock": Clock(speed=SPEED),
            "journal": journal,
            "host": HOST,
            "port": PORT,
            "dns": self.dns,
            "ca_file": self.ca_file,
            "rate": 100.0,
            "clients": (ClientGroup("grpcio", 2), ClientGroup("ttl-pool", 1)),
        }
        return TrafficPlan(**(fields | changes))


@pytest.fixture(scope="session")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with lease() as network:
        made = World(network, tmp_path_factory.mktemp("world"))
        yield made
        made.close()


class Script:
    """An HTTPS server that answers each request by its script: `ok`, `drop` (close without an answer),
    `half` (close within the answer), `close` (answer, then close as announced), `silent` (no answer), or
    the bytes to answer. Once the script is at its end: `ok`."""

    def __init__(self, world: World, address: str) -> None:
        self.address = address
        self.steps: list[str | bytes] = []
        self.connections = 0
        self.requests: list[str] = []
        self._writers: list[asyncio.StreamWriter] = []
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        world.ca.issue_cert(HOST).configure_cert(self._context)

    async def open(self) -> None:
        self.server = await asyncio.start_server(self._serve, self.address, PORT, ssl=self._context)

    async def hang_up(self) -> None:
        """Close all connections; the port stays open."""
        for writer in self._writers:
            writer.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        self._writers.append(writer)
        with contextlib.suppress(asyncio.IncompleteReadError, OSError):
            while await self._answer(reader, writer):
                pass
        writer.close()

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        method, path, _ = head.split(" ", 2)
        if method == "POST":
            length = int(head.split("content-length: ")[1].split("\r\n")[0])
            identifier = json.loads(await reader.readexactly(length))["id"]
        else:
            identifier = path.split("/")[2]
        self.requests.append(f"{method} {path}")
        step = self.steps.pop(0) if self.steps else "ok"
        body = json.dumps({"id": identifier}).encode()
        lines = (
            f"HTTP/1.1 200 OK\r\nx-testbed-peer: {self.address}\r\ncontent-length: {len(body)}\r\n".encode()
        )
        if isinstance(step, bytes):
            writer.write(step)
        elif step == "ok":
            writer.write(lines + b"\r\n" + body)
        elif step == "close":
            writer.write(lines + b"connection: close\r\n\r\n" + body)
        elif step == "half":
            writer.write(lines + b"\r\n" + body[:3])
        return step not in {"close", "half", "drop"}


def envoy_config(world: World, address: str, backend: str) -> dict[str, Any]:
    """A target Envoy: TLS, h2 and http/1.1, the backend's two ports, and who answered."""

    def cluster(name: str, port: int, *, http2: bool) -> dict[str, Any]:
        made: dict[str, Any] = {
            "name": name,
            "type": "STATIC",
            "load_assignment": {
                "cluster_name": name,
                "endpoints": [
                    {
                        "lb_endpoints": [
                            {
                                "endpoint": {
                                    "address": {"socket_address": {"address": backend, "port_value": port}}
                                }
                            }
                        ]
                    }
                ],
            },
        }
        if http2:
            made["typed_extension_protocol_options"] = {
                "envoy.extensions.upstreams.http.v3.HttpProtocolOptions": {
                    "@type": "type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions",
                    "explicit_http_config": {"http2_protocol_options": {}},
                }
            }
        return made

    certificate = world.ca.issue_cert(HOST)
    header = [
        {"header": {"key": key, "value": value}}
        for key, value in (
            ("x-testbed-pod", "envoy-0"),
            ("x-testbed-listener", "tls"),
            ("x-testbed-peer", "%DOWNSTREAM_DIRECT_REMOTE_ADDRESS_WITHOUT_PORT%"),
        )
    ]
    manager = {
        "@type": "type.googleapis.com/envoy.extensions.filters.network"
        ".http_connection_manager.v3.HttpConnectionManager",
        "stat_prefix": "target",
        "drain_timeout": "0.5s",
        # As in envoy/target.yaml. Without it Envoy ends a connection whose stream outlasts the drain, and for
        # a second reads nothing more on it: a POST sent then is lost.
        "http1_safe_max_connection_duration": True,
        "common_http_protocol_options": {"max_connection_duration": "1s"} if address.endswith(".2") else {},
        "http_filters": [
            {
                "name": "router",
                "typed_config": {
                    "@type": "type.googleapis.com/envoy.extensions.filters.http.router.v3.Router"
                },
            }
        ],
        "route_config": {
            "response_headers_to_add": header,
            "virtual_hosts": [
                {
                    "name": "all",
                    "domains": ["*"],
                    "routes": [
                        {
                            "match": {"prefix": "/", "grpc": {}},
                            "route": {"cluster": "grpc", "timeout": "0s"},
                        },
                        {"match": {"prefix": "/"}, "route": {"cluster": "rest", "timeout": "0s"}},
                    ],
                }
            ],
        },
    }
    tls = {
        "@type": "type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.DownstreamTlsContext",
        "common_tls_context": {
            "alpn_protocols": ["h2", "http/1.1"],
            "tls_certificates": [
                {
                    "certificate_chain": {
                        "inline_string": "".join(
                            blob.bytes().decode() for blob in certificate.cert_chain_pems
                        )
                    },
                    "private_key": {"inline_string": certificate.private_key_pem.bytes().decode()},
                }
            ],
        },
    }
    return {
        "static_resources": {
            "listeners": [
                {
                    "name": "tls",
                    "address": {"socket_address": {"address": address, "port_value": PORT}},
                    "filter_chains": [
                        {
                            "filters": [{"name": "http", "typed_config": manager}],
                            "transport_socket": {"name": "tls", "typed_config": tls},
                        }
                    ],
                }
            ],
            "clusters": [cluster("grpc", 50051, http2=True), cluster("rest", 8000, http2=False)],
        }
    }


def is_open(address: str, port: int) -> bool:
    with contextlib.suppress(OSError), socket.create_connection((address, port), timeout=1):
        return True
    return False


@dataclass(frozen=True)
class Target:
    """Three target Envoys: `steady`; `ageing`, which retires each connection after a second; and
    `orphaned`, whose backend is down."""

    steady: str
    ageing: str
    orphaned: str
    backend: str


@pytest.fixture(scope="session")
def target(world: World) -> Iterator[Target]:
    network = world.network
    backend = network.backend_pod(0)
    with contextlib.ExitStack() as stack:
        arguments = [sys.executable, "-m", "testbed.backend", "--name", "backend-0", "--address", backend]
        started = [stack.enter_context(Process(Command("backend", arguments), world.folder))]
        addresses = [network.envoy_pod(index) for index in range(3)]
        for index, address in enumerate(addresses):
            config = world.folder / f"envoy-{index}.json"
            served_by = network.backend_pod(1) if address == addresses[2] else backend
            config.write_text(json.dumps(envoy_config(world, address, served_by)))
            envoy = [
                str(Path(sys.executable).parent / "envoy"),
                "--disable-hot-restart",
                "--concurrency",
                "1",
                "-l",
                "warn",
                "-c",
                str(config),
            ]
            started.append(stack.enter_context(Process(Command(f"envoy-{index}", envoy), world.folder)))
        started[0].wait_until(lambda: is_open(backend, 50051))
        for one, address in zip(started[1:], addresses, strict=True):
            one.wait_until(lambda address=address: is_open(address, PORT))
        yield Target(*addresses, backend)


@pytest.fixture
def balancers(world: World, target: Target) -> Iterator[Callable[..., list[Proxy]]]:
    """Opens proxies in front of a target."""
    opened: list[Proxy] = []

    def open_proxies(count: int, address: str | None = None) -> list[Proxy]:
        proxies = [
            Proxy(world.network.balancer(len(opened) + index, 0), (address or target.steady, PORT))
            for index in range(count)
        ]
        for proxy in proxies:
            world.call(proxy.open())
        opened.extend(proxies)
        return proxies

    yield open_proxies
    for proxy in opened:
        world.call(proxy.close_port())
        world.call(proxy.reset())
    world.names.addresses = []
    world.names.ttl = 60


@dataclass
class Traffic:
    """A generator under test and what it wrote."""

    plan: TrafficPlan
    process: Process

    def events(self, kind: type[Any]) -> list[Any]:
        return [event for event in read(self.plan.journal) if isinstance(event, kind)]

    def requests(self) -> list[Request]:
        return self.events(Request)

    def wait_for(self, condition: Callable[[], bool], seconds: float = 15.0) -> None:
        self.process.wait_until(condition, seconds)

    def finished(self) -> int:
        if not self.plan.journal.stat().st_size:
            return 0
        return len(self.requests())

    def wait_for_more(self, count: int) -> None:
        goal = self.finished() + count
        self.wait_for(lambda: self.finished() >= goal)

    def stop(self) -> TrafficStopped:
        self.process.send("stop")
        assert self.process.wait(30) == 0, self.process.last_words()
        (stopped,) = self.events(TrafficStopped)
        return stopped


@pytest.fixture
def traffic(world: World, tmp_path: Path) -> Iterator[Callable[..., Traffic]]:
    """Starts a generator of a plan with changes; it is gone at the end of the test."""
    with contextlib.ExitStack() as stack:

        def start(**changes: Any) -> Traffic:
            plan = world.plan(tmp_path / "journal.ndjson", **changes)
            process = stack.enter_context(Process(traffic_process.command(plan), tmp_path))
            process.wait_until(lambda: traffic_process.is_ready(process))
            return Traffic(plan, process)

        yield start


@pytest.fixture
def scripted(world: World) -> Iterator[Callable[[int], list[Script]]]:
    """Opens scripted servers at addresses of their own."""
    opened: list[Script] = []

    def open_scripts(count: int) -> list[Script]:
        for index in range(count):
            script = Script(world, world.network.balancer(20 + index, 0))
            world.call(script.open())
            opened.append(script)
        return opened

    async def close(script: Script) -> None:
        script.server.close()

    yield open_scripts
    for script in opened:
        world.call(close(script))
    world.names.addresses = []
    world.names.ttl = 60
