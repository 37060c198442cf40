"""Sockets of another process, found and set from outside."""

from __future__ import annotations

import socket
import subprocess
import sys
from pathlib import Path

import pytest

from testbed.borrowed_sockets import Ends, borrowed, parsed, sockets
from testbed.network import lease

SERVER = """
import socket, sys
served = socket.create_server((sys.argv[1], 0))
print(served.getsockname()[1], flush=True)
client, _ = served.accept()
print(client.recv(10).decode(), flush=True)
"""


def test_what_is_set_on_a_borrowed_socket_is_set_for_its_process_and_stays() -> None:
    with lease() as network:
        command = [sys.executable, "-c", SERVER, network.backend_pod(0)]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
            assert server.stdout
            address = network.backend_pod(0), int(server.stdout.readline())
            for expected in (0, 1):
                with borrowed(server.pid, lambda ends: ends.listens and ends.local == address) as (found,):
                    assert found.getsockname() == address
                    assert found.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE) == expected
                    found.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
            with socket.create_connection(address) as client:
                client.sendall(b"still here")
                assert server.stdout.readline() == "still here\n"


def test_a_process_that_has_ended_has_no_sockets() -> None:
    with subprocess.Popen([sys.executable, "-c", ""]) as ended:
        ended.wait()
        with borrowed(ended.pid, lambda _: True) as found:
            assert found == []


def test_the_kernels_table_is_read_in_its_byte_order() -> None:
    with (
        socket.create_server(("127.0.0.1", 0)) as target,
        socket.create_connection(target.getsockname()) as client,
    ):
        found = list(sockets().values())
        assert Ends(client.getsockname(), client.getpeername()) in found
        assert Ends(target.getsockname(), ("0.0.0.0", 0), listens=True) in found


@pytest.mark.skipif(not Path("/proc/net/tcp6").exists(), reason="this machine has no IPv6")
def test_an_ipv4_address_of_an_ipv6_socket_is_written_as_ipv4() -> None:
    with socket.socket(socket.AF_INET6) as both:
        both.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
        both.bind(("::ffff:127.0.0.1", 0))
        both.listen()
        assert ("127.0.0.1", both.getsockname()[1]) in {
            one.local for one in sockets().values() if one.listens
        }


def test_a_line_of_the_table() -> None:
    ends = "0100007F:1F90 0200007F:C001"
    table = f"head\n  0: {ends} 01 0:0 00:0 0 0 0 4711 1 x\n  1: {ends} 06 0:0 00:0 0 0 0 0 1 x"
    if sys.byteorder == "little":
        assert parsed(table) == {4711: Ends(("127.0.0.1", 8080), ("127.0.0.2", 49153))}
