"""Silences sockets of processes: the kernel drops every packet that comes to them, until the block ends.

```
IP_MINTTL 255 on a socket ─► packets of this machine have a TTL of 64: dropped, and the sender tries again
```

No root is needed, and the process sees nothing. A connection that is silenced goes on when the fault ends, by
TCP's own retransmission. A packet filter would do the same (SO_ATTACH_FILTER), and needs CAP_NET_ADMIN.
"""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from testbed.borrowed_sockets import Ends, borrowed
from testbed.settings import PATIENCE

Place = tuple[int, Callable[[Ends], bool]]
"""A process by its id, and which of its sockets."""

_IP_MINTTL = 21
_IPV6_MINHOPCOUNT = 73
"""Of the kernel's headers; Python does not name them."""
_MORE_THAN_ANY, _NO_MINIMUM = 255, 0
_OPTIONS = {
    socket.AF_INET: ((socket.IPPROTO_IP, _IP_MINTTL),),
    # A socket of IPv6 may serve clients of IPv4, too.
    socket.AF_INET6: ((socket.IPPROTO_IP, _IP_MINTTL), (socket.IPPROTO_IPV6, _IPV6_MINHOPCOUNT)),
}


@contextmanager
def silenced(places: Callable[[], Sequence[Place]]) -> Iterator[None]:
    """Silence sockets while the block lasts, also those that open meanwhile.

    Args:
        places: returns whose sockets; called again and again.

    Raises:
        Missing: the kernel does not let this user reach the sockets.
    """
    over = threading.Event()

    def keep() -> None:
        while not over.wait(PATIENCE.command_look):
            _set(places(), _MORE_THAN_ANY)

    again = threading.Thread(target=keep, name="silence", daemon=True)
    try:
        _set(places(), _MORE_THAN_ANY)
        again.start()
        yield
    finally:
        over.set()
        if again.is_alive():
            again.join()
        _set(places(), _NO_MINIMUM)


def _set(places: Sequence[Place], minimum: int) -> None:
    for pid, is_wanted in places:
        with borrowed(pid, is_wanted) as found:
            for one in found:
                for level, option in _OPTIONS[one.family]:
                    with contextlib.suppress(OSError):  # it has been closed meanwhile
                        one.setsockopt(level, option, minimum)
