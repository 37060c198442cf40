"""The container of all balancers of a type: takes its addresses, gives up its rights, and becomes Envoy.

```
root, NET_ADMIN ──► routes "local 10.N.144.0/20", "local 10.N.16.0/20" ──► user 1000, no capability ──► envoy
```

Docker gives a container one address in a network. A balancer needs one for each zone, and there are several
balancers. With a local route for the whole range, Linux answers at every address in it.
"""

from __future__ import annotations

import ipaddress
import os
import socket
import struct
from collections.abc import Sequence
from typing import NoReturn

from testbed.errors import Missing
from testbed.runtime.compose.container_network import ContainerNetwork

_NEW_ROUTE = 24
_REQUEST, _ACK, _REPLACE, _CREATE = 0x1, 0x4, 0x100, 0x400
_LOCAL_TABLE, _BOOT, _HOST_SCOPE, _LOCAL = 255, 3, 254, 2
_DESTINATION, _OUTPUT = 1, 4
_ERROR = 2
"""Constants of rtnetlink(7)."""


def become_envoy(network: ContainerNetwork, kind: str, user: str, command: Sequence[str]) -> NoReturn:
    """Take the addresses of a balancer type, then run Envoy as `user` (`uid:gid`).

    Raises:
        Missing: the container may not change its routes.
    """
    for text in network.range(kind):
        answer_for(ipaddress.IPv4Network(text))
    uid, _, gid = user.partition(":")
    # The groups before the user: without root there is no right left to drop them.
    os.setgroups([])
    os.setgid(int(gid or uid))
    os.setuid(int(uid))
    os.execv(command[0], list(command))  # noqa: S606 the path is docker-compose.yml's


def answer_for(addresses: ipaddress.IPv4Network) -> None:
    """Make this network namespace answer at all addresses of a range.

    Raises:
        Missing: the container may not change its routes.
    """
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, socket.NETLINK_ROUTE) as netlink:
        netlink.send(local_route(addresses, socket.if_nametoindex("lo")))
        answer = netlink.recv(4096)
    kind, code = struct.unpack_from("=H", answer, 4)[0], struct.unpack_from("=i", answer, 16)[0]
    if kind == _ERROR and code:
        raise Missing(f"no route for {addresses}: {os.strerror(-code)}", do="the container needs NET_ADMIN")


def local_route(addresses: ipaddress.IPv4Network, device: int) -> bytes:
    """Return the netlink message for `ip route replace local <addresses> dev <device>`."""
    route = struct.pack(
        "=BBBBBBBBI",
        socket.AF_INET, addresses.prefixlen, 0, 0, _LOCAL_TABLE, _BOOT, _HOST_SCOPE, _LOCAL, 0,
    )  # fmt: skip
    attributes = struct.pack("=HH4s", 8, _DESTINATION, addresses.network_address.packed)
    attributes += struct.pack("=HHI", 8, _OUTPUT, device)
    body = route + attributes
    flags = _REQUEST | _ACK | _REPLACE | _CREATE
    return struct.pack("=IHHII", 16 + len(body), _NEW_ROUTE, flags, 1, 0) + body
