"""IPv6 of a run on a machine that has one IPv6 address for all of it: a node is a port of `::1`.

```
node 127.80.10.1, port 8443     ──►  [::1]:17040      the run's IPv6 clients connect here, by IPv6
AAAA answer                          ::ffff:127.80.10.1
stand-in                             127.255.10.1
```
The AAAA answer is the node's IPv4-mapped address: any other program that takes it reaches the same node,
though by IPv4. The stand-in is that answer as the run's own IPv6 clients see it. Nothing listens there: it
tells their dialer to look for the node's port of `::1`. Why: docs/decisions/0015-ipv6-clients.md.
"""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import orjson

from testbed.network import STAND_INS, Network

ADDRESS = "::1"
_MAPPED = "::ffff:"
_STAND_IN = str(STAND_INS.network_address).removesuffix("0.0")


def is_available() -> bool:
    """True if this machine has the address `::1`."""
    return can_bind(0)


def can_bind(port: int) -> bool:
    """True if a TCP port of `::1` is free."""
    with suppress(OSError), socket.socket(socket.AF_INET6) as tried:
        tried.bind((ADDRESS, port))
        return True
    return False


def aaaa_of(node: str) -> str:
    """Return the address that DNS answers for a node's IPv6: `::ffff:127.80.10.1` of 127.80.10.1."""
    return f"{_MAPPED}{node}"


def stand_in_of(aaaa: str) -> str | None:
    """Return the stand-in of an AAAA answer; None of one that is no balancer's."""
    node = ipaddress.IPv6Address(aaaa).ipv4_mapped
    if node is None or not Network.is_balancer(node):
        return None
    return _STAND_IN + ".".join(str(node).split(".")[2:])


def is_stand_in(address: str) -> bool:
    """True for the stand-in of a balancer's node."""
    return address.startswith(_STAND_IN)


@dataclass(frozen=True, slots=True)
class NodePort:
    """The port of `::1` for a port of a node; `aaaa` is the node's address in DNS."""

    aaaa: str
    port: int


class NodePorts:
    """The ports of `::1` in a file: the balancers write it, and the clients read it."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def write(self, ports: Mapping[tuple[str, int], int]) -> None:
        """Replace the table: (AAAA answer, port of the node) → port of `::1`.

        Raises:
            OSError: the file cannot be written.
        """
        fresh = self.path.with_suffix(".new")
        fresh.write_bytes(orjson.dumps([[*key, port] for key, port in ports.items()]))
        fresh.replace(self.path)

    def find(self, stand_in: str, port: int) -> NodePort | None:
        """Return the port of `::1` for a stand-in's port; None if nothing has ever listened there."""
        try:
            table = orjson.loads(self.path.read_bytes())
        except FileNotFoundError:
            return None
        for aaaa, of_node, own in table:
            if of_node == port and stand_in_of(aaaa) == stand_in:
                return NodePort(aaaa, own)
        return None
