"""The sockets of a child process, borrowed from outside.

Some of what a network does to connections no program can be told to do to its own. So the testbed, whose
child the program is, takes duplicates of its sockets and sets them from here.

```
/proc/net/tcp, tcp6 ─► inode ─► /proc/PID/fd ─► pidfd_getfd(2) ─► a duplicate
```

It works on processes of this machine and this user.
"""

from __future__ import annotations

import ctypes
import errno
import os
import socket
import struct
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from testbed.errors import Missing

PIDFD_GETFD = 438
"""The same number on all architectures [Linux, include/uapi/asm-generic/unistd.h]."""
_LISTENS = "0A"
"""The state TCP_LISTEN in the kernel's tables."""
_MAPPED, _IPV4_BYTES = bytes(10) + b"\xff\xff", 4
"""In front of an IPv4 address that a socket of IPv6 has, and the length of one."""

Address = tuple[str, int]


@dataclass(frozen=True, slots=True)
class Ends:
    """A TCP socket: its own end, the other one, and whether it accepts connections.

    An IPv4 address that a socket of IPv6 has is written as IPv4.
    """

    local: Address
    remote: Address
    listens: bool = False


@contextmanager
def borrowed(pid: int, is_wanted: Callable[[Ends], bool]) -> Iterator[list[socket.socket]]:
    """Borrow the sockets of a process that are wanted; the block must end soon: a duplicate keeps one open.

    Raises:
        Missing: the kernel does not let this user duplicate the sockets of the process.
    """
    inodes = {inode for inode, ends in sockets().items() if is_wanted(ends)}
    found: list[socket.socket] = []
    try:
        if inodes:
            process = os.pidfd_open(pid)
            try:
                duplicates = (_duplicate(process, descriptor) for descriptor in _descriptors(pid, inodes))
                found.extend(socket.socket(fileno=one) for one in duplicates if one is not None)
            finally:
                os.close(process)
    except ProcessLookupError:
        pass  # it has ended, and its sockets with it
    try:
        yield found
    finally:
        for one in found:
            one.close()


def sockets() -> Mapping[int, Ends]:
    """Return all TCP sockets of this network namespace by their inode."""
    found: dict[int, Ends] = {}
    for table in ("tcp", "tcp6"):
        path = Path(f"/proc/net/{table}")
        if path.exists():  # no tcp6 without IPv6
            found.update(parsed(path.read_text()))
    return found


def parsed(table: str) -> Mapping[int, Ends]:
    """Parse `/proc/net/tcp` or `tcp6` (pure); sockets that no process has, as in TIME_WAIT, are left out."""
    by_inode = {}
    for line in table.splitlines()[1:]:
        _, local, remote, state, _, _, _, _, _, inode, *_ = line.split()
        if inode != "0":
            by_inode[int(inode)] = Ends(_address(local), _address(remote), state == _LISTENS)
    return by_inode


def _address(text: str) -> Address:
    """`0101007F:1F90` is 127.0.1.1:8080: 32-bit words in the machine's byte order, the port as a number."""
    host, _, port = text.partition(":")
    words = [int(host[start : start + 8], 16) for start in range(0, len(host), 8)]
    packed = struct.pack(f"={len(words)}I", *words).removeprefix(_MAPPED)
    family = socket.AF_INET if len(packed) == _IPV4_BYTES else socket.AF_INET6
    return socket.inet_ntop(family, packed), int(port, 16)


def _descriptors(pid: int, inodes: Collection[int]) -> Iterator[int]:
    names = {f"socket:[{inode}]" for inode in inodes}
    try:
        for entry in Path(f"/proc/{pid}/fd").iterdir():
            try:
                if str(entry.readlink()) in names:
                    yield int(entry.name)
            except FileNotFoundError:
                continue  # closed meanwhile
    except FileNotFoundError:
        return  # the process has ended meanwhile


def _duplicate(process: int, descriptor: int) -> int | None:
    # Python does not offer pidfd_getfd.
    library = ctypes.CDLL(None, use_errno=True)
    duplicate: int = library.syscall(PIDFD_GETFD, process, descriptor, 0)
    if duplicate >= 0:
        return duplicate
    if ctypes.get_errno() in (errno.EBADF, errno.ESRCH):
        return None  # closed meanwhile, or the process has ended
    raise Missing(
        f"sockets of a child process cannot be reached: {os.strerror(ctypes.get_errno())}",
        do="allow this user to trace its own processes (kernel.yama.ptrace_scope 0 or 1)",
    )
