"""Resets the connections of a balancer to its targets.

Envoy cannot end the connections to a target that leaves or fails: it only opens no new ones. So the testbed,
whose child the Envoy is, disconnects the sockets of the Envoy from outside.

```
/proc/net/tcp ─► inode ─► /proc/PID/fd ─► pidfd_getfd(2) ─► connect(AF_UNSPEC): RST to the target, error here
```

It works where the Envoys of the balancers are processes of this machine and this user; elsewhere nothing is
reset.
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
from testbed.load_balancers.eligible_targets import Address

PIDFD_GETFD = 438
"""The same number on all architectures [Linux, include/uapi/asm-generic/unistd.h]."""
_SOCKADDR = struct.pack("=H14x", socket.AF_UNSPEC)

Connection = tuple[Address, Address]
"""Local and remote end."""


def cut(pid: int, nodes: Collection[str], targets: Collection[Address]) -> int:
    """Reset the connections of a process from any of the nodes' addresses to any of the targets.

    Returns:
        The number of connections that were reset.

    Raises:
        Missing: the kernel does not let this user duplicate the sockets of the process.
    """
    inodes = {
        inode
        for inode, (local, remote) in connections(Path("/proc/net/tcp").read_text()).items()
        if local[0] in nodes and remote in targets
    }
    if not inodes:
        return 0
    process = os.pidfd_open(pid)
    try:
        return sum(_disconnect(process, descriptor) for descriptor in _descriptors(pid, inodes))
    finally:
        os.close(process)


def connections(table: str) -> Mapping[int, Connection]:
    """Parse `/proc/net/tcp`: connections by the inode of their sockets (pure)."""
    by_inode = {}
    for line in table.splitlines()[1:]:
        fields = line.split()
        by_inode[int(fields[9])] = _address(fields[1]), _address(fields[2])
    return by_inode


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
    # Python offers neither pidfd_getfd nor a connect to AF_UNSPEC.
    library = ctypes.CDLL(None, use_errno=True)
    duplicate = library.syscall(PIDFD_GETFD, process, descriptor, 0)
    if duplicate < 0:
        if ctypes.get_errno() == errno.EBADF:
            return False  # closed meanwhile
        raise Missing(
            f"connections of a balancer cannot be reset: {os.strerror(ctypes.get_errno())}",
            do="allow this user to trace its own processes (kernel.yama.ptrace_scope 0 or 1)",
        )
    try:
        return bool(library.connect(duplicate, _SOCKADDR, len(_SOCKADDR)) == 0)
    finally:
        os.close(duplicate)
