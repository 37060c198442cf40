"""Which of a process's addresses faults strike."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from testbed.network import Network
from testbed.runtime.local_faults import _at_balancer, _at_target

NETWORK = Network(81)


def test_the_admin_interface_of_a_target_is_never_struck() -> None:
    envoy: Any = SimpleNamespace(admin=f"http://{NETWORK.envoy_pod(0)}:9901")
    is_struck = _at_target(envoy)
    assert is_struck((NETWORK.envoy_pod(0), 8443))
    assert not is_struck((NETWORK.envoy_pod(0), 9901))
    assert not is_struck((NETWORK.envoy_pod(1), 8443))


@pytest.mark.parametrize(
    ("host", "expected"),
    [(NETWORK.balancer(0, 1), True), ("::1", True), (NETWORK.control, False), ("::", False)],
)
def test_the_nodes_of_balancers_are_struck_and_their_admin_interface_is_not(
    host: str, expected: bool
) -> None:
    assert _at_balancer((host, 8443)) is expected
