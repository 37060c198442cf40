"""Which loopback addresses a balancer has: one a zone, the same for as long as the run lasts."""

from __future__ import annotations

import threading

from testbed.errors import Missing
from testbed.network import Network

LAST_INDEX = 239
"""The network has room for 240 balancers; none of the addresses is used twice, so a cached answer is never
a stranger's."""


class AddressBook:
    """Numbers the balancers in the order in which they appear. Thread-safe."""

    def __init__(self, network: Network) -> None:
        self._network = network
        self._indexes: dict[str, int] = {}
        self._lock = threading.Lock()

    def address(self, balancer: str, zone: int) -> str:
        """The address of a balancer (ARN) in its zone `zone`, from 0.

        Raises:
            Missing: more balancers than the network has room for.
        """
        with self._lock:
            index = self._indexes.setdefault(balancer, len(self._indexes))
        if index > LAST_INDEX:
            raise Missing(f"no addresses for more than {LAST_INDEX + 1} load balancers in a run")
        return self._network.address(10 + index, zone + 1)

    def balancer_of(self, address: str) -> str | None:
        """The ARN of the balancer that has an address, None if it is nobody's."""
        first, second, third, _ = map(int, address.split("."))
        if (first, second) != (127, self._network.second):
            return None
        with self._lock:
            return next((arn for arn, index in self._indexes.items() if index == third - 10), None)
