from __future__ import annotations

import socket

from testbed.network import lease
from testbed.traffic.grpc_sockets import Flow, flows


def test_a_connection_is_seen_while_it_is_open():
    with lease() as network, socket.create_server((network.balancer(0, 0), 0)) as server:
        port = server.getsockname()[1]
        assert flows(port) == frozenset()
        with socket.create_connection(server.getsockname()) as connection:
            assert flows(port) == {Flow(connection.getsockname()[1], network.balancer(0, 0))}
        assert flows(port) == frozenset()
