"""A connection of another process is cut, and no other."""

from __future__ import annotations

import socket
import subprocess
import sys

import pytest

from testbed.load_balancers.connection_resets import cut
from testbed.network import lease
from testbed.settings import PATIENCE

CLIENT = """
import socket, sys
sockets = [
    socket.create_connection((sys.argv[1], int(sys.argv[2])), source_address=(source, 0))
    for source in sys.argv[3:]
]
print("connected", flush=True)
sys.stdin.read()
"""


def test_only_the_connections_between_these_addresses_are_reset() -> None:
    with lease() as network, socket.create_server((network.envoy_pod(0), 0)) as target:
        address = target.getsockname()
        sources = network.balancer(0, 0), network.balancer(1, 0)
        command = [sys.executable, "-c", CLIENT, address[0], str(address[1]), *sources]
        with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as client:
            assert client.stdout
            assert client.stdout.readline() == "connected\n"
            ends = dict(_accepted(target) for _ in sources)
            assert cut(client.pid, sources, [(network.envoy_pod(1), address[1])]) == 0
            assert cut(client.pid, sources[:1], [address]) == 1
            with pytest.raises(ConnectionResetError):
                ends[sources[0]].recv(1)
            ends[sources[1]].send(b"still there")
            client.communicate("")
        for end in ends.values():
            end.close()


def _accepted(target: socket.socket) -> tuple[str, socket.socket]:
    end, (source, _) = target.accept()
    end.settimeout(PATIENCE.request)
    return source, end
