from __future__ import annotations

import threading
import time
from typing import Any

import pytest

from testbed.kubernetes import ObjectStore
from testbed.kubernetes.endpoints_controller import EndpointsController, endpoints_of
from testbed.settings import PATIENCE
from tests.kubernetes.manifests_of_the_story import pod, service


def addresses(endpoints: dict[str, Any] | None, field: str = "addresses") -> list[str]:
    subsets = (endpoints or {}).get("subsets") or []
    return [one["ip"] for subset in subsets for one in subset.get(field, [])]


def test_ready_pods_are_addresses_and_the_others_are_not_ready() -> None:
    result = endpoints_of(
        service(), [pod("b", "10.0.0.2"), pod("a", "10.0.0.1"), pod("c", "10.0.0.3", ready=False)]
    )
    assert addresses(result) == ["10.0.0.1", "10.0.0.2"]
    assert addresses(result, "notReadyAddresses") == ["10.0.0.3"]
    assert result["subsets"][0]["ports"] == [{"name": "https", "port": 8443, "protocol": "TCP"}]
    assert result["subsets"][0]["addresses"][0]["nodeName"] == "node-0"


@pytest.mark.parametrize(
    "left_out",
    [
        pod("other", "10.0.0.9", labels={"app": "other"}),
        pod("none", "10.0.0.9", labels={}),
        pod("no-address", ""),
        {**pod("finished", "10.0.0.9"), "status": {"podIP": "10.0.0.9", "phase": "Succeeded"}},
        {
            **pod("x", "10.0.0.9"),
            "metadata": {"name": "x", "labels": {"app": "envoy"}, "deletionTimestamp": "now"},
        },
        {**pod("x", "10.0.0.9"), "metadata": {"name": "x", "labels": {"app": "envoy"}, "namespace": "other"}},
    ],
    ids=["other label", "no label", "no address", "finished", "being deleted", "other namespace"],
)
def test_pods_that_do_not_serve_are_left_out(left_out: dict[str, Any]) -> None:
    result = endpoints_of(service(), [left_out, pod("a", "10.0.0.1")])
    assert addresses(result) + addresses(result, "notReadyAddresses") == ["10.0.0.1"]


def test_a_named_target_port_is_looked_up_in_each_pod() -> None:
    named = service(ports=[{"name": "https", "port": 443, "targetPort": "tls"}])
    pods = [
        pod("old", "10.0.0.1", ports=[{"name": "tls", "containerPort": 8443}]),
        pod("new", "10.0.0.2", ports=[{"name": "tls", "containerPort": 9443}]),
        pod("without", "10.0.0.3"),
    ]
    subsets = endpoints_of(named, pods)["subsets"]
    assert [(one["addresses"][0]["ip"], one["ports"][0]["port"]) for one in subsets] == [
        ("10.0.0.1", 8443),
        ("10.0.0.2", 9443),
    ]


def test_a_service_without_selector_selects_no_pod() -> None:
    assert endpoints_of(service(selector={}), [pod("a", "10.0.0.1")])["subsets"] == []


def test_not_ready_addresses_are_published_where_the_service_asks_for_it() -> None:
    asking = service(publishNotReadyAddresses=True)
    assert addresses(endpoints_of(asking, [pod("a", "10.0.0.1", ready=False)])) == ["10.0.0.1"]


def test_the_controller_follows_pods_and_services() -> None:
    store = ObjectStore()
    controller = EndpointsController(store)
    stop = threading.Event()
    thread = threading.Thread(target=controller.run, args=(stop,))
    thread.start()

    def until(*wanted: str) -> None:
        deadline = time.monotonic() + PATIENCE.condition
        while addresses(store.get("Endpoints", "default", "envoy")) != list(wanted):
            assert time.monotonic() < deadline
            store.wait(store.revision, 0.01)

    try:
        store.put(service())
        store.restore(pod("a", "10.0.0.1"))
        store.restore(pod("b", "10.0.0.2", ready=False))
        until("10.0.0.1")
        store.update_status("Pod", "default", "b", pod("b", "10.0.0.2")["status"])
        until("10.0.0.1", "10.0.0.2")
        store.patch("Pod", "default", "a", {"metadata": {"labels": {"app": "other"}}})
        until("10.0.0.2")
        store.delete("Pod", "default", "b")
        until()
        store.delete("Service", "default", "envoy")
        deadline = time.monotonic() + PATIENCE.condition
        while store.get("Endpoints", "default", "envoy"):
            assert time.monotonic() < deadline
            store.wait(store.revision, 0.01)
    finally:
        stop.set()
        thread.join(5)


def test_endpoints_that_did_not_change_are_not_written_again() -> None:
    store = ObjectStore()
    store.put(service())
    store.restore(pod("a", "10.0.0.1"))
    controller = EndpointsController(store)
    with store.watch(["Pod"]) as watch:
        event = watch.get(0)
        assert event is not None
        controller.handle(event)
        before = store.revision
        controller.handle(event)
    assert store.revision == before


def test_endpoints_written_by_hand_stay() -> None:
    store = ObjectStore()
    store.put(service("bare", selector=None))
    by_hand = {
        "kind": "Endpoints",
        "metadata": {"name": "bare"},
        "subsets": [{"addresses": [{"ip": "10.9.9.9"}]}],
    }
    store.put(by_hand)
    with store.watch(["Service"]) as watch:
        event = watch.get(0)
        assert event is not None
        EndpointsController(store).handle(event)
    assert addresses(store.get("Endpoints", "default", "bare")) == ["10.9.9.9"]
