"""Cuts the connections of a balancer to one target, with a reset to both ends.

Envoy has no means to end what flows to a target that leaves or fails: it only sends nothing new there. So the
sockets of the Envoy, which is our child, are disconnected from outside.

```
/proc/net/tcp ─► inode ─► /proc/PID/fd ─► pidfd_getfd(2) ─► connect(AF_UNSPEC): RST to the target, error here
```

Works where the balancers' Envoys are processes of this machine and of this user; elsewhere nothing is cut.
"""

from __future__ import annotations

import ctypes
import errno
import os
import socket
import struct
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path

from testbed.errors import Missing
from testbed.load_balancers.endpoints import Address

PIDFD_GETFD = 438
"""The same number on all architectures [Linux, include/uapi/asm-generic/unistd.h]."""
_SOCKADDR = struct.pack("=H14x", socket.AF_UNSPEC)

Connection = tuple[Address, Address]
"""Local and remote end."""


def cut(pid: int, nodes: Collection[str], targets: Collection[Address]) -> int:
    """Reset the connections of a process from any of the nodes' addresses to any of the targets.

    Returns:
        How many were reset.

    Raises:
        Missing: the kernel does not let this user take the sockets of the process.
    """
    wanted = {
        inode
        for inode, (local, remote) in connections(Path("/proc/net/tcp").read_text()).items()
        if local[0] in nodes and remote in targets
    }
    if not wanted:
        return 0
    process = os.pidfd_open(pid)
    try:
        return sum(_disconnect(process, descriptor) for descriptor in _descriptors(pid, wanted))
    finally:
        os.close(process)


def connections(table: str) -> Mapping[int, Connection]:
    """The connections of `/proc/net/tcp` by the inode of their sockets (pure)."""
    found = {}
    for line in table.splitlines()[1:]:
        fields = line.split()
        found[int(fields[9])] = _address(fields[1]), _address(fields[2])
    return found


def _address(text: str) -> Address:
    """`0101007F:1F90` is 127.0.1.1:8080: the address in the machine's byte order, the port as a number."""
    host, _, port = text.partition(":")
    return socket.inet_ntoa(struct.pack("=I", int(host, 16))), int(port, 16)


def _descriptors(pid: int, inodes: Collection[int]) -> Iterator[int]:
    names = {f"socket:[{inode}]" for inode in inodes}
    for entry in Path(f"/proc/{pid}/fd").iterdir():
        try:
            if str(entry.readlink()) in names:
                yield int(entry.name)
        except FileNotFoundError:
            continue  # closed meanwhile


def _disconnect(process: int, descriptor: int) -> bool:
    library = ctypes.CDLL(None, use_errno=True)
    taken = library.syscall(PIDFD_GETFD, process, descriptor, 0)
    if taken < 0:
        if ctypes.get_errno() == errno.EBADF:
            return False  # closed meanwhile
        raise Missing(
            f"connections of a balancer cannot be cut: {os.strerror(ctypes.get_errno())}",
            do="allow this user to trace its own processes (kernel.yama.ptrace_scope 0 or 1)",
        )
    try:
        return bool(library.connect(taken, _SOCKADDR, len(_SOCKADDR)) == 0)
    finally:
        os.close(taken)
