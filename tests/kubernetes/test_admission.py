from __future__ import annotations

import pytest

from testbed.kubernetes import Invalid, ObjectStore
from testbed.kubernetes.admission import NODE_PORTS
from tests.kubernetes.manifests_of_the_story import service


@pytest.fixture
def store() -> ObjectStore:
    return ObjectStore()


def test_a_service_gets_the_defaults_of_the_api_server(store: ObjectStore) -> None:
    bare = {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": "s"},
        "spec": {"ports": [{"port": 80}]},
    }
    spec = store.apply(bare)["spec"]
    assert spec["type"] == "ClusterIP"
    assert spec["ports"] == [{"port": 80, "protocol": "TCP", "targetPort": 80}]
    assert spec["clusterIP"].startswith("10.100.")


def test_a_load_balancer_has_node_ports_of_its_own(store: ObjectStore) -> None:
    ports = {store.apply(service(f"s{number}"))["spec"]["ports"][0]["nodePort"] for number in range(300)}
    assert len(ports) == 300
    assert ports <= set(NODE_PORTS)


def test_node_ports_are_given_back_when_the_type_changes(store: ObjectStore) -> None:
    first = store.apply(service(externalTrafficPolicy="Local"))
    assert first["spec"]["healthCheckNodePort"]
    spec = store.patch("Service", None, "envoy", {"spec": {"type": "ClusterIP"}})["spec"]
    assert "nodePort" not in spec["ports"][0]
    assert "healthCheckNodePort" not in spec
    assert "externalTrafficPolicy" not in spec
    again = store.apply(
        service("other", ports=[{"port": 1, "nodePort": first["spec"]["ports"][0]["nodePort"]}])
    )
    assert again["spec"]["ports"][0]["nodePort"] == first["spec"]["ports"][0]["nodePort"]


def test_a_node_port_of_another_service_is_refused(store: ObjectStore) -> None:
    store.apply(service("a", ports=[{"port": 80, "nodePort": 30080}]))
    store.apply(service("a", ports=[{"port": 81, "nodePort": 30080}]))
    with pytest.raises(Invalid, match="nodePort 30080 is already allocated"):
        store.apply(service("b", ports=[{"port": 80, "nodePort": 30080}]))
    assert store.get("Service", None, "b") is None
    store.delete("Service", None, "a")
    store.apply(service("b", ports=[{"port": 80, "nodePort": 30080}]))


def test_the_range_of_node_ports_ends(store: ObjectStore) -> None:
    many = [{"name": f"p{port}", "port": port} for port in range(1, len(NODE_PORTS) + 1)]
    store.apply(service("all", ports=many))
    with pytest.raises(Invalid, match="range is full"):
        store.apply(service("one-more"))


def test_a_service_that_asks_for_no_node_ports_has_none(store: ObjectStore) -> None:
    spec = store.apply(service(allocateLoadBalancerNodePorts=False))["spec"]
    assert "nodePort" not in spec["ports"][0]


def test_an_external_name_is_left_as_it_is(store: ObjectStore) -> None:
    spec = {"type": "ExternalName", "externalName": "example.org"}
    stored = store.apply({"apiVersion": "v1", "kind": "Service", "metadata": {"name": "e"}, "spec": spec})
    assert stored["spec"] == {**spec, "sessionAffinity": "None"}
