"""Resets the connections of a balancer to its targets.

Envoy cannot end the connections to a target that leaves or fails: it only opens no new ones. So the testbed
disconnects the sockets of the Envoy from outside: connect(AF_UNSPEC) sends RST to the target, and Envoy sees
an error.

It works where the Envoys of the balancers are processes of this machine and this user; elsewhere nothing is
reset.
"""

from __future__ import annotations

import ctypes
import socket
import struct
from collections.abc import Callable, Collection

from testbed.borrowed_sockets import Address, Ends, borrowed

_SOCKADDR = struct.pack("=H14x", socket.AF_UNSPEC)


def cut(pid: int, nodes: Collection[str], targets: Collection[Address]) -> int:
    """Reset the connections of a process from any of the nodes' addresses to any of the targets.

    Returns:
        The number of connections that were reset.

    Raises:
        Missing: the kernel does not let this user duplicate the sockets of the process.
    """
    return reset(pid, lambda ends: ends.local[0] in nodes and ends.remote in targets)


def reset(pid: int, is_wanted: Callable[[Ends], bool]) -> int:
    """Reset the connections of a process that are wanted; return how many there were.

    Raises:
        Missing: the kernel does not let this user duplicate the sockets of the process.
    """
    # Python offers no connect to AF_UNSPEC.
    library = ctypes.CDLL(None, use_errno=True)
    with borrowed(pid, lambda ends: not ends.listens and is_wanted(ends)) as found:
        return sum(library.connect(one.fileno(), _SOCKADDR, len(_SOCKADDR)) == 0 for one in found)
