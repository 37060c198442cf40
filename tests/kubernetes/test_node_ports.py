from __future__ import annotations

from typing import Any

import pytest

from testbed.kubernetes import ObjectStore
from testbed.kubernetes.endpoints_controller import endpoints_of
from testbed.kubernetes.node_ports import health_check, pods_behind
from tests.kubernetes.manifests_of_the_story import pod, service


def cluster(**spec: Any) -> tuple[ObjectStore, dict[str, Any]]:
    store = ObjectStore()
    stored = store.put(service(**spec))
    for number in range(2):
        store.restore(
            {
                "apiVersion": "v1",
                "kind": "Node",
                "metadata": {"name": f"node-{number}"},
                "spec": {"providerID": f"aws:///ap-northeast-1a/i-000{number}"},
                "status": {"addresses": [{"type": "InternalIP", "address": f"10.1.0.{number}"}]},
            }
        )
    pods = [pod("a", "10.0.0.1", node="node-0"), pod("b", "10.0.0.2", node="node-0"), pod("c", "10.0.0.3", ready=False, node="node-1")]  # fmt: skip  # noqa: E501
    store.put(endpoints_of(stored, pods))
    return store, stored["spec"]


@pytest.mark.parametrize("node", ["node-1", "10.1.0.1", "i-0001"])
def test_every_node_reaches_all_ready_pods(node: str) -> None:
    store, spec = cluster()
    found = pods_behind(store, node, spec["ports"][0]["nodePort"])
    assert [(one.ip, one.port) for one in found] == [("10.0.0.1", 8443), ("10.0.0.2", 8443)]


def test_with_the_local_policy_a_node_reaches_its_own_pods_only() -> None:
    store, spec = cluster(externalTrafficPolicy="Local")
    port = spec["ports"][0]["nodePort"]
    assert [one.ip for one in pods_behind(store, "10.1.0.0", port)] == ["10.0.0.1", "10.0.0.2"]
    assert pods_behind(store, "10.1.0.1", port) == ()
    assert health_check(store, "10.1.0.0", spec["healthCheckNodePort"]) is True
    assert health_check(store, "10.1.0.1", spec["healthCheckNodePort"]) is False


def test_nothing_is_behind_an_unknown_node_or_port() -> None:
    store, spec = cluster()
    assert pods_behind(store, "10.1.0.9", spec["ports"][0]["nodePort"]) == ()
    assert pods_behind(store, "10.1.0.0", 1) == ()
    assert pods_behind(store, "10.1.0.0", 0) == ()
    assert health_check(store, "10.1.0.0", 32000) is None


def test_tcp_goes_to_the_pods_of_the_tcp_port_where_udp_shares_the_node_port() -> None:
    ports = [
        {"name": "u", "port": 443, "targetPort": 8444, "protocol": "UDP"},
        {"name": "t", "port": 443, "targetPort": 8443},
    ]
    store, spec = cluster(ports=ports)
    found = pods_behind(store, "node-0", spec["ports"][0]["nodePort"])
    assert {one.port for one in found} == {8443}
