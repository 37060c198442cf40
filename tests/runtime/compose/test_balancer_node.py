from __future__ import annotations

import ipaddress
import socket
import struct

from testbed.runtime.compose.balancer_node import local_route


def test_the_route_makes_a_whole_range_local() -> None:
    message = local_route(ipaddress.IPv4Network("10.91.144.0/20"), 1)
    length, kind, flags, _, _ = struct.unpack_from("=IHHII", message)
    assert length == len(message)
    assert kind == socket.NETLINK_ROUTE + 24
    assert flags & 0x1
    family, bits, _, _, table, _, scope, route, _ = struct.unpack_from("=BBBBBBBBI", message, 16)
    assert (family, bits) == (socket.AF_INET, 20)
    assert (table, scope, route) == (255, 254, 2)
    assert message[28:36] == struct.pack("=HH4s", 8, 1, bytes([10, 91, 144, 0]))
    assert message[36:] == struct.pack("=HHI", 8, 4, 1)
