from __future__ import annotations

from typing import Any

import pytest

from testbed.kubernetes import Invalid, ObjectStore
from testbed.kubernetes.rules.defaults import CLUSTER_IP_PREFIX, released
from testbed.kubernetes.rules.service_rules import NODE_PORTS
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
    spec = store.put(bare)["spec"]
    assert spec["type"] == "ClusterIP"
    assert spec["ports"] == [{"port": 80, "protocol": "TCP", "targetPort": 80}]
    assert spec["clusterIP"].startswith(f"{CLUSTER_IP_PREFIX}.")


def test_a_load_balancer_has_node_ports_of_its_own(store: ObjectStore) -> None:
    ports = {store.put(service(f"s{number}"))["spec"]["ports"][0]["nodePort"] for number in range(300)}
    assert len(ports) == 300
    assert ports <= set(NODE_PORTS)


def test_node_ports_are_given_back_when_the_type_changes(store: ObjectStore) -> None:
    first = store.put(service(externalTrafficPolicy="Local"))
    assert first["spec"]["healthCheckNodePort"]
    spec = store.patch("Service", None, "envoy", {"spec": {"type": "ClusterIP"}})["spec"]
    assert "nodePort" not in spec["ports"][0]
    assert "healthCheckNodePort" not in spec
    assert "externalTrafficPolicy" not in spec
    again = store.put(
        service("other", ports=[{"port": 1, "nodePort": first["spec"]["ports"][0]["nodePort"]}])
    )
    assert again["spec"]["ports"][0]["nodePort"] == first["spec"]["ports"][0]["nodePort"]


def test_a_node_port_of_another_service_is_refused(store: ObjectStore) -> None:
    store.put(service("a", ports=[{"port": 80, "nodePort": 30080}]))
    store.put(service("a", ports=[{"port": 81, "nodePort": 30080}]))
    with pytest.raises(Invalid, match="nodePort: Invalid value: 30080: provided port is already allocated"):
        store.put(service("b", ports=[{"port": 80, "nodePort": 30080}]))
    assert store.get("Service", None, "b") is None
    store.delete("Service", None, "a")
    store.put(service("b", ports=[{"port": 80, "nodePort": 30080}]))


def test_the_range_of_node_ports_ends(store: ObjectStore) -> None:
    many = [{"name": f"p{port}", "port": port} for port in range(1, len(NODE_PORTS) + 1)]
    store.put(service("all", ports=many))
    with pytest.raises(Invalid, match="range is full"):
        store.put(service("one-more"))


def test_a_service_that_asks_for_no_node_ports_has_none(store: ObjectStore) -> None:
    spec = store.put(service(allocateLoadBalancerNodePorts=False))["spec"]
    assert "nodePort" not in spec["ports"][0]


def node_ports_of(item: Any) -> list[int | None]:
    return [port.get("nodePort") for port in item["spec"]["ports"]]


def test_a_port_keeps_its_node_port_by_its_name_under_another_number(store: ObjectStore) -> None:
    ports = [{"name": "https", "port": 443}, {"name": "http", "port": 80}]
    first = node_ports_of(store.put(service(ports=ports)))
    moved = [{"name": "https", "port": 8443}, {"name": "plain", "port": 80}]
    again = node_ports_of(store.put(service(ports=moved)))
    assert again[0] == first[0]
    assert again[1] not in (None, *first)


def test_a_node_port_that_moves_to_another_name_is_not_given_twice(store: ObjectStore) -> None:
    https, http = node_ports_of(
        store.put(service(ports=[{"name": "a", "port": 1}, {"name": "b", "port": 2}]))
    )
    swapped = [{"name": "a", "port": 1}, {"name": "b", "port": 2, "nodePort": https}]
    new, kept = node_ports_of(store.put(service(ports=swapped)))
    assert kept == https
    assert new not in (None, https, http)


def test_a_new_service_has_one_node_port_for_a_number_in_two_protocols(store: ObjectStore) -> None:
    both = [{"name": "t", "port": 443}, {"name": "u", "port": 443, "protocol": "UDP"}]
    tcp, udp = node_ports_of(store.put(service(ports=both)))
    assert tcp == udp != 0
    asked = [both[0], {**both[1], "nodePort": 30443}]
    assert node_ports_of(store.put(service("asked", ports=asked))) == [30443, 30443]


def test_an_update_allocates_a_node_port_for_each_protocol(store: ObjectStore) -> None:
    first = [{"name": "t", "port": 443}]
    tcp, udp = (
        node_ports_of(store.put(service(ports=first)))[0],
        node_ports_of(store.put(service(ports=[*first, {"name": "u", "port": 443, "protocol": "UDP"}])))[1],
    )
    assert udp not in (None, tcp)


def test_node_ports_stay_when_their_allocation_is_turned_off(store: ObjectStore) -> None:
    before = node_ports_of(store.put(service()))
    off = {"spec": {"allocateLoadBalancerNodePorts": False}}
    assert node_ports_of(store.patch("Service", None, "envoy", off)) == before


def test_an_external_name_is_left_as_it_is(store: ObjectStore) -> None:
    spec = {"type": "ExternalName", "externalName": "example.org"}
    stored = store.put({"apiVersion": "v1", "kind": "Service", "metadata": {"name": "e"}, "spec": spec})
    assert stored["spec"] == {**spec, "sessionAffinity": "None"}


def as_service(**spec: Any) -> dict[str, Any]:
    return {"kind": "Service", "metadata": {"name": "envoy"}, "spec": spec}


OF_A_BALANCER = {
    "type": "LoadBalancer",
    "clusterIP": "10.100.0.1",
    "externalTrafficPolicy": "Local",
    "healthCheckNodePort": 30001,
    "loadBalancerClass": "a/b",
    "allocateLoadBalancerNodePorts": True,
    "ports": [{"port": 80, "nodePort": 30080}],
}


@pytest.mark.parametrize(
    ("kind", "left"),
    [
        ("LoadBalancer", {key: value for key, value in OF_A_BALANCER.items() if key != "type"}),
        (
            "NodePort",
            {key: OF_A_BALANCER[key] for key in ("clusterIP", "externalTrafficPolicy", "ports")},
        ),
        ("ClusterIP", {"clusterIP": "10.100.0.1", "ports": [{"port": 80}]}),
        ("ExternalName", {"ports": [{"port": 80}]}),
    ],
)
def test_a_new_type_gives_back_what_only_the_old_one_needs(kind: str, left: dict[str, Any]) -> None:
    changed = as_service(**{**OF_A_BALANCER, "type": kind})
    assert released(changed, as_service(**OF_A_BALANCER))["spec"] == {"type": kind, **left}


def test_a_field_that_is_changed_with_the_type_stays_for_the_rules_to_refuse() -> None:
    changed = as_service(**{**OF_A_BALANCER, "type": "ClusterIP", "loadBalancerClass": "a/c"})
    assert released(changed, as_service(**OF_A_BALANCER))["spec"]["loadBalancerClass"] == "a/c"
    other_port = as_service(type="ClusterIP", ports=[{"port": 80, "nodePort": 30081}])
    assert released(other_port, as_service(**OF_A_BALANCER)) == other_port


def test_a_policy_that_needs_no_health_check_gives_its_port_back() -> None:
    changed = as_service(**{**OF_A_BALANCER, "externalTrafficPolicy": "Cluster"})
    assert "healthCheckNodePort" not in released(changed, as_service(**OF_A_BALANCER))["spec"]


def test_empty_fields_are_filled_in_as_absent_ones_are(store: ObjectStore) -> None:
    port = {"port": 80, "targetPort": 0, "protocol": ""}
    spec = store.put(as_stored(type="", sessionAffinity="", clusterIP="", ports=[port]))["spec"]
    assert (spec["type"], spec["sessionAffinity"]) == ("ClusterIP", "None")
    assert spec["ports"] == [{"port": 80, "targetPort": 80, "protocol": "TCP"}]
    assert spec["clusterIP"]


def test_an_affinity_has_a_time_and_no_affinity_has_none(store: ObjectStore) -> None:
    ports = [{"port": 80}]
    sticky = store.put(as_stored(sessionAffinity="ClientIP", ports=ports))["spec"]
    assert sticky["sessionAffinityConfig"] == {"clientIP": {"timeoutSeconds": 10800}}
    config = {"clientIP": {"timeoutSeconds": 5}}
    kept = store.put(as_stored(sessionAffinity="ClientIP", sessionAffinityConfig=config, ports=ports))["spec"]
    assert kept["sessionAffinityConfig"] == config
    none = store.put(as_stored(sessionAffinity="None", sessionAffinityConfig=config, ports=ports))["spec"]
    assert "sessionAffinityConfig" not in none


def as_stored(**spec: Any) -> dict[str, Any]:
    return {"apiVersion": "v1", **as_service(**spec)}
