from __future__ import annotations

from typing import Any

from testbed.kubernetes.endpoint_slices import MANAGED_BY, SERVICE_NAME, slice_name, slices_of
from testbed.kubernetes.endpoints_controller import endpoints_of
from tests.kubernetes.manifests_of_the_story import pod, service


def slices(*pods: dict[str, Any], **spec: Any) -> list[dict[str, Any]]:
    return list(slices_of(endpoints_of(service(**spec), pods)))


def test_a_slice_has_the_ready_and_the_unready_endpoints() -> None:
    (only,) = slices(pod("a", "10.0.0.1"), pod("b", "10.0.0.2", ready=False))
    ready = [(item["addresses"], item["conditions"]["ready"], item["nodeName"]) for item in only["endpoints"]]
    assert ready == [(["10.0.0.1"], True, "node-0"), (["10.0.0.2"], False, "node-0")]
    assert only["ports"] == [{"name": "https", "port": 8443, "protocol": "TCP"}]
    assert only["endpoints"][0]["targetRef"]["name"] == "a"


def test_a_slice_names_its_service_and_the_controller_that_owns_it() -> None:
    (only,) = slices(pod("a", "10.0.0.1"))
    labels = only["metadata"]["labels"]
    assert labels[SERVICE_NAME] == "envoy"
    assert labels[MANAGED_BY] == "endpointslice-controller.k8s.io"
    assert only["metadata"]["namespace"] == "default"


def test_pods_with_other_port_numbers_have_a_slice_of_their_own() -> None:
    pods = [
        pod("a", "10.0.0.1", ports=[{"name": "tls", "containerPort": 8443}]),
        pod("b", "10.0.0.2", ports=[{"name": "tls", "containerPort": 9443}]),
    ]
    first, second = slices(*pods, ports=[{"name": "https", "port": 443, "targetPort": "tls"}])
    assert [item["ports"][0]["port"] for item in (first, second)] == [8443, 9443]
    assert second["metadata"]["name"] == f"{first['metadata']['name']}-1"


def test_a_service_without_pods_has_one_empty_slice() -> None:
    (only,) = slices()
    assert (only["endpoints"], only["ports"]) == ([], [])


def test_the_name_of_a_slice_is_the_same_in_every_run() -> None:
    assert slice_name("envoy") == slice_name("envoy")
    assert slice_name("envoy").startswith("envoy-")
    assert len(slice_name("envoy")) == len("envoy-") + 5
    assert slice_name("envoy") != slice_name("envoy2")[: len(slice_name("envoy"))]
