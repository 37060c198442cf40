"""A client of its own library in a network namespace: a DNS server, an old and a new side, and a timeline.

`lab.py TIMELINE COMMAND...` with TIMELINE as JSON; run it by `unshare --net --mount`. It plays the timeline
from the first request of the name on, and prints what happened as JSON, in seconds since the first call.
"""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import json
import socket
import struct
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import dns.flags
import dns.message
import dns.rcode
import dns.rdatatype
import dns.rrset

HOST, PORT = "api.example.test", 8080
OLD, NEW = "127.0.0.2", "127.0.0.3"
TTL, SOA_TTL = 2, 900
_SIOCSIFFLAGS, _UP_AND_RUNNING = 0x8914, 0x41
_AFTER_A_CALL = 0.1
"""Seconds from the end of a request to the next event: half of the interval, so that none is ambiguous."""


@dataclass
class Lab:
    """What the servers see, by the machine's monotonic clock."""

    flipped: bool = False
    gone: bool = False
    questions: list[float] = field(default_factory=list)
    requests: list[tuple[float, str]] = field(default_factory=list)
    events: dict[str, list[float]] = field(default_factory=dict)
    idle: dict[str, set[asyncio.StreamWriter]] = field(default_factory=lambda: {OLD: set(), NEW: set()})
    first: asyncio.Event = field(default_factory=asyncio.Event)

    def answer(self, wire: bytes) -> bytes:
        query = dns.message.from_wire(wire)
        question = query.question[0]
        response = dns.message.make_response(query)
        response.flags |= dns.flags.AA
        is_mine = question.name.to_text(omit_final_dot=True).lower() == HOST
        if is_mine and question.rdtype == dns.rdatatype.A:
            self.questions.append(time.monotonic())
        if not is_mine or self.gone:
            response.set_rcode(dns.rcode.NXDOMAIN)
        if is_mine and not self.gone and question.rdtype == dns.rdatatype.A:
            address = NEW if self.flipped else OLD
            response.answer.append(dns.rrset.from_text(question.name, TTL, "IN", "A", address))
        else:
            soa = f". . 1 0 0 0 {SOA_TTL}"
            response.authority.append(dns.rrset.from_text("example.test.", SOA_TTL, "IN", "SOA", soa))
        return response.to_wire()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        address = writer.get_extra_info("sockname")[0]
        body = json.dumps({"TableNames": []}).encode()
        lines = (
            "HTTP/1.1 200 OK",
            "content-type: application/x-amz-json-1.0",
            f"content-length: {len(body)}",
        )
        head = "\r\n".join((*lines, "", ""))
        with contextlib.suppress(asyncio.IncompleteReadError, OSError):
            while True:
                self.idle[address].add(writer)
                request = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
                self.idle[address].discard(writer)
                if "content-length:" in request:
                    await reader.readexactly(int(request.split("content-length:")[1].split("\r\n")[0]))
                if f"host: {HOST}" in request:
                    self.requests.append((time.monotonic(), address))
                    self.first.set()
                writer.write(head.encode() + body)
        self.idle[address].discard(writer)
        writer.close()

    def act(self, what: str) -> None:
        match what:
            case "flip":
                self.flipped = True
            case "drain":
                for writer in list(self.idle[OLD]):
                    writer.close()
            case "hole" | "hole_ends":
                self.gone = what == "hole"
        self.events.setdefault(what, []).append(time.monotonic())


class Datagrams(asyncio.DatagramProtocol):
    def __init__(self, lab: Lab) -> None:
        self._lab = lab

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        self._transport.sendto(self._lab.answer(data), addr)  # type: ignore[attr-defined]


async def play(timeline: list[tuple[float, str]], command: list[str]) -> dict[str, Any]:
    lab, loop = Lab(), asyncio.get_running_loop()
    await loop.create_datagram_endpoint(lambda: Datagrams(lab), local_addr=("127.0.0.1", 53))
    for address in (OLD, NEW):
        await asyncio.start_server(lab.serve, address, PORT)
    client = await asyncio.create_subprocess_exec(*command, stdout=subprocess.PIPE)
    calls: list[dict[str, Any]] = []
    called = asyncio.Event()

    async def listen() -> None:
        assert client.stdout
        async for line in client.stdout:
            calls.append(json.loads(line))
            called.set()

    async def act() -> None:
        await lab.first.wait()
        began = lab.requests[0][0]
        for at, what in timeline:
            await asyncio.sleep(began + at - time.monotonic())
            called.clear()
            await called.wait()
            await asyncio.sleep(_AFTER_A_CALL)
            lab.act(what)

    acting = asyncio.create_task(act())
    await listen()
    await client.wait()
    acting.cancel()
    if not calls:
        raise SystemExit("the client made no call")
    began = calls[0]["at"]
    return {
        "calls": [[call["at"] - began, call["ended"] - began, call["problem"]] for call in calls],
        "questions": [at - began for at in lab.questions],
        "requests": [[at - began, address] for at, address in lab.requests],
        "events": {what: [at - began for at in times] for what, times in lab.events.items()},
    }


def prepare() -> None:
    """Set the namespace's loopback up, and make the lab's server the resolver of everything in it."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
        fcntl.ioctl(any_socket, _SIOCSIFFLAGS, struct.pack("16sh14x", b"lo", _UP_AND_RUNNING))
    with tempfile.TemporaryDirectory() as folder:
        for name, text in (
            ("resolv.conf", "nameserver 127.0.0.1\n"),
            ("nsswitch.conf", "hosts: files dns\n"),
        ):
            path = Path(folder) / name
            path.write_text(text)
            subprocess.run(["mount", "--bind", path, f"/etc/{name}"], check=True)


if __name__ == "__main__":
    prepare()
    sys.stdout.write(json.dumps(asyncio.run(play(json.loads(sys.argv[1]), sys.argv[2:]))))
