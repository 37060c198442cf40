"""An ALB with a node in each of two zones, as clients find and reach it."""

from __future__ import annotations

import socket
from contextlib import suppress
from typing import Any

import httpx
import pytest

from testbed.settings import PATIENCE

PORT = 80


class Zonal:
    """The balancer."""

    def __init__(self, cloud: Any) -> None:
        self.cloud = cloud
        made = cloud.balancer("zonal")
        cloud.listener(made, "HTTP", PORT, cloud.fixed(200))
        cloud.feed.bump()
        self.name = made["DNSName"]
        cloud.eventually(lambda: len(self.in_dns()) == 2)
        self.nodes = self.in_dns()
        cloud.eventually(lambda: all(map(self.accepts, self.nodes)))

    def in_dns(self) -> tuple[str, ...]:
        """The addresses that DNS answers."""
        found: tuple[str, ...] = self.cloud.fleet.addresses_in_dns(self.name)
        return found

    def accepts(self, node: str) -> bool:
        """True if a node takes a new connection."""
        with suppress(OSError):
            socket.create_connection((node, self.cloud.network.port(PORT)), PATIENCE.command_look).close()
            return True
        return False

    def client(self, node: str) -> httpx.Client:
        """A client that keeps its connection to a node open."""
        url = f"http://{node}:{self.cloud.network.port(PORT)}"
        return httpx.Client(base_url=url, trust_env=False, timeout=PATIENCE.command_look)


def is_served(client: httpx.Client) -> bool:
    """True if a request is answered on the connection that is open."""
    try:
        return client.get("/").status_code == 200
    except httpx.TimeoutException:
        return False


@pytest.fixture(scope="module")
def zonal(cloud: Any) -> Zonal:
    """The balancer."""
    return Zonal(cloud)
