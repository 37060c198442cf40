"""Which addresses a balancer has: one a zone, the same for as long as the run lasts."""

from __future__ import annotations

import threading

from testbed.errors import Missing
from testbed.network import Network


class AddressBook:
    """Numbers the balancers in the order in which they appear. Thread-safe.

    None of the addresses is used twice, so a cached answer is never a stranger's.
    """

    def __init__(self, network: Network) -> None:
        self._network = network
        self._indexes: dict[str, int] = {}
        self._owners: dict[str, str] = {}
        self._lock = threading.Lock()

    def address(self, balancer: str, zone: int) -> str:
        """The address of a balancer (ARN) in its zone `zone`, from 0.

        Raises:
            Missing: more balancers than the network has room for.
        """
        with self._lock:
            index = self._indexes.setdefault(balancer, len(self._indexes))
            if index >= (most := self._network.most_balancers):
                raise Missing(f"no addresses for more than {most} load balancers in a run")
            kind = "nlb" if ":loadbalancer/net/" in balancer else "alb"
            address = self._network.balancer(index, zone, kind)
            self._owners[address] = self._owners[self._network.inside(address)] = balancer
        return address

    def balancer_of(self, address: str) -> str | None:
        """The ARN of the balancer that has an address, on either side; None if it is nobody's."""
        with self._lock:
            return self._owners.get(address)
