"""The Envoy that is all balancers of a type: how it starts, and how many connections it holds."""

from __future__ import annotations

import urllib.parse
import urllib.request
from collections.abc import Mapping
from pathlib import Path

from testbed import loopback_http
from testbed.clock import Clock
from testbed.network import XDS_PORT, BalancerType, Network
from testbed.runtime.components.envoy_process import Envoy, configured
from testbed.runtime.components.envoy_templates import Value

ADMIN_PORTS: Mapping[str, int] = {"nlb": 19000, "alb": 19001}
_ALL = "(?:nlb|alb)_[^.]*"


def envoy(balancer_type: BalancerType, network: Network, clock: Clock, folder: Path) -> Envoy:
    """Return the Envoy of a type; it takes its resources from the ADS server.

    Raises:
        Missing: no Envoy is installed.
    """
    admin = (network.admin(balancer_type), ADMIN_PORTS[balancer_type])
    bootstrap = f"{balancer_type}.yaml"
    return configured(bootstrap, balancer_type, values(balancer_type, network), clock, folder, admin)


def values(balancer_type: str, network: Network) -> dict[str, Value]:
    """Return the values for the names in the bootstrap of a type's Envoy."""
    return {
        "ADMIN_ADDRESS": network.admin(balancer_type),
        "ADMIN_PORT": ADMIN_PORTS[balancer_type],
        "XDS_ADDRESS": network.control,
        "XDS_PORT": XDS_PORT,
    }


def admin_url(balancer_type: str, network: Network) -> str:
    """Return the URL of the admin interface of a type's Envoy."""
    return f"http://{network.admin(balancer_type)}:{ADMIN_PORTS[balancer_type]}"


def active_connections(admin: str, listeners: str = _ALL) -> int:
    """Return how many client connections are open at listeners, including those of deleted balancers.

    Args:
        admin: the URL of the admin interface.
        listeners: the name of their statistics, a regular expression; by default those of all balancers.
    """
    url = f"{admin}/stats?filter=" + urllib.parse.quote(rf"^listener\.{listeners}\.downstream_cx_active$")
    lines = loopback_http.get(url).decode().splitlines()
    return sum(int(line.rpartition(" ")[2]) for line in lines)
