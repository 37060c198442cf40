"""A network namespace of this process, whose one interface is its own loopback.

A socket belongs for ever to the namespace in which it was made, whichever thread uses it. So a thread that
lives in the namespace makes the sockets and starts the children, and the servers of the run accept from those
sockets as from any other.
"""

from __future__ import annotations

import ctypes
import fcntl
import os
import socket
import struct
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

Result = TypeVar("Result")

_CLONE_NEWNET = 0x40000000
_SIOCSIFFLAGS, _IFF_UP = 0x8914, 1


class LastingThread:
    """A thread that lives until `close` and runs functions one after another.

    The kernel kills a child when the thread that started it ends (`child_process`), so the children of users'
    binaries have this one.

    Args:
        confined: whether it enters a network namespace of its own.

    Raises:
        OSError: the kernel allows no new namespace: it needs CAP_SYS_ADMIN.
    """

    def __init__(self, *, confined: bool) -> None:
        self._executor = ThreadPoolExecutor(max_workers=1, thread_name_prefix="real-controllers")
        if confined:
            try:
                self.run(_enter_new_namespace)
            except OSError:
                self.close()
                raise

    def run(self, work: Callable[[], Result]) -> Result:
        """Run a function in the thread, and return its result or raise its error."""
        return self._executor.submit(work).result()

    def close(self) -> None:
        """End the thread; its children must have ended."""
        self._executor.shutdown()


def _enter_new_namespace() -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.unshare(_CLONE_NEWNET):
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as control:
        fcntl.ioctl(control, _SIOCSIFFLAGS, struct.pack("16sh", b"lo", _IFF_UP))
