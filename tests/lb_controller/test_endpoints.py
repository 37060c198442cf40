from __future__ import annotations

from typing import Any

from testbed.lb_controller.endpoints import endpoints_of

SERVICE = {
    "metadata": {"namespace": "default", "name": "envoy"},
    "spec": {
        "selector": {"app": "envoy"},
        "ports": [
            {"name": "plain", "port": 80, "targetPort": "http"},
            {"name": "x", "port": 9, "targetPort": 99},
        ],
    },
}


def pod(name: str, ready: str = "True", **changes: Any) -> dict[str, Any]:
    status = {"podIP": "127.1.1.1", "conditions": [{"type": "Ready", "status": ready}]}
    return {
        "metadata": {"name": name, "namespace": "default", "labels": {"app": "envoy", "more": "x"}},
        "spec": {"containers": [{"ports": [{"name": "http", "containerPort": 8080}]}]},
        "status": {**status, **changes},
    }


def test_a_ready_pod_of_the_selector_is_an_address_with_its_own_named_port() -> None:
    found = endpoints_of(SERVICE, [pod("p")])
    assert found is not None
    [subset] = found["subsets"]
    assert [one["ip"] for one in subset["addresses"]] == ["127.1.1.1"]
    assert [(one["name"], one["port"]) for one in subset["ports"]] == [("plain", 8080), ("x", 99)]


def test_a_pod_that_is_not_ready_is_listed_apart() -> None:
    found = endpoints_of(SERVICE, [pod("p", "False")])
    assert found is not None
    assert "addresses" not in found["subsets"][0]
    assert found["subsets"][0]["notReadyAddresses"][0]["targetRef"]["name"] == "p"


def test_pods_without_address_or_that_are_over_are_left_out() -> None:
    found = endpoints_of(SERVICE, [pod("p", podIP=""), pod("q", phase="Succeeded")])
    assert found is not None
    assert found["subsets"] == []


def test_a_service_without_selector_has_no_computed_endpoints() -> None:
    assert endpoints_of({**SERVICE, "spec": {"ports": []}}, [pod("p")]) is None
