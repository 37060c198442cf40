"""A request to a target, and what its fault filter counts."""

from __future__ import annotations

import httpx

from testbed import loopback_http
from tests.envoy.test_target import Target


def status(target: Target) -> int:
    """The status of a request that goes to the backend."""
    with httpx.Client(trust_env=False) as client:
        return client.get(f"http://{target.address}:8080/measurements/a-1").status_code


def counted(target: Target, name: str) -> int:
    """A counter of the fault filter, of all listeners."""
    lines = loopback_http.get(f"http://{target.address}:9901/stats?filter=fault.{name}").decode().splitlines()
    return sum(int(line.rpartition(" ")[2]) for line in lines)
