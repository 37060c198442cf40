"""A call to its answer, without a network."""

from __future__ import annotations

import orjson
import pytest
import yaml

from testbed.kubernetes.api.dispatch import Call, Dispatch, refusal
from testbed.kubernetes.api.statuses import Refused, bad_request
from tests.kubernetes.api.calls import DEFAULT, Api
from tests.kubernetes.manifests_of_the_story import service


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("/api", "APIVersions"),
        ("/apis", "APIGroupList"),
        ("/apis/", "APIGroupList"),
        ("/api/v1", "APIResourceList"),
        ("/apis/apps", "APIGroup"),
        ("/apis/apps/v1", "APIResourceList"),
    ],
)
def test_discovery_is_answered(api: Api, path: str, kind: str) -> None:
    assert api.ok("GET", path)["kind"] == kind


def test_aggregated_discovery_is_answered_to_who_accepts_it(api: Api) -> None:
    accept = "application/json;v=v2;g=apidiscovery.k8s.io;as=APIGroupDiscoveryList,application/json"
    assert api.ok("GET", "/apis", accept=accept)["kind"] == "APIGroupDiscoveryList"
    # The version that older clients ask for is another document, which is not served.
    assert api.ok("GET", "/apis", accept=accept.replace("v=v2", "v=v2beta1"))["kind"] == "APIGroupList"


def test_health_and_types_are_answered(api: Api) -> None:
    assert api.answer("GET", "/readyz").body == b"ok"
    assert api.ok("GET", "/version")["minor"] == "33"
    assert "Service" in str(api.ok("GET", "/openapi/v3/api/v1")["components"]["schemas"].keys())
    protobuf = api.answer(
        "GET", "/openapi/v2", accept="application/com.github.proto-openapi.spec.v2@v1.0+protobuf"
    )
    assert protobuf.content_type == "application/octet-stream"


@pytest.mark.parametrize(
    "path", ["/", "/metrics", "/apis/absent", "/apis/apps/v9", "/openapi/v3/apis/x/v1", "/x"]
)
def test_a_path_that_leads_nowhere_is_not_found(api: Api, path: str) -> None:
    assert api.refused("GET", path)[:2] == (404, "NotFound")


def test_an_object_is_answered_in_the_form_that_the_client_accepts(api: Api) -> None:
    api.ok("POST", f"{DEFAULT}/services", service())
    path = f"{DEFAULT}/services/envoy"
    assert api.ok("GET", path)["kind"] == "Service"
    shown = api.answer("GET", path, accept="application/yaml")
    assert shown.content_type == "application/yaml"
    assert yaml.safe_load(shown.body)["metadata"]["name"] == "envoy"
    table = api.ok("GET", path, accept="application/json;as=Table;v=v1;g=meta.k8s.io")
    assert table["rows"][0]["cells"][0] == "envoy"
    assert api.ok("GET", f"{DEFAULT}/services")["kind"] == "ServiceList"
    assert api.refused("GET", path, accept="text/html")[:2] == (406, "NotAcceptable")


def test_only_the_status_is_a_resource_below_an_object(api: Api) -> None:
    api.ok("POST", f"{DEFAULT}/services", service())
    assert api.ok("GET", f"{DEFAULT}/services/envoy/status")["kind"] == "Service"
    assert api.refused("GET", f"{DEFAULT}/services/envoy/scale")[0] == 404
    assert api.refused("GET", f"{DEFAULT}/secrets/s/status")[0] == 404
    assert api.ok("GET", "/api/v1/namespaces/default/finalize")["kind"] == "Namespace"


def test_an_old_version_is_answered_with_a_warning(api: Api) -> None:
    path = "/apis/networking.k8s.io/v1beta1/namespaces/default/ingresses"
    item = {
        "apiVersion": "networking.k8s.io/v1beta1",
        "kind": "Ingress",
        "metadata": {"name": "old"},
        "spec": {"backend": {"serviceName": "envoy", "servicePort": 443}},
    }
    answer = api.answer("POST", path, item)
    assert answer.code == 201
    assert "networking.k8s.io/v1beta1 Ingress is deprecated" in answer.warnings[0]


def test_a_method_without_a_meaning_is_not_allowed(api: Api) -> None:
    assert api.refused("PUT", f"{DEFAULT}/services", service())[:2] == (405, "MethodNotAllowed")


def test_a_call_is_a_watch_when_it_says_so(api: Api) -> None:
    def watch(method: str, path: str, **query: str) -> bool:
        return api.dispatch.watch(Call(method, path, query)) is not None

    assert watch("GET", f"{DEFAULT}/services", watch="1")
    assert not watch("GET", f"{DEFAULT}/services", watch="0")
    assert not watch("GET", f"{DEFAULT}/services")
    assert not watch("DELETE", f"{DEFAULT}/services", watch="1")
    assert not watch("GET", "/apis", watch="1")
    with pytest.raises(Refused):
        watch("GET", f"{DEFAULT}/gadgets", watch="1")


def test_a_refusal_is_a_status() -> None:
    answer = refusal(bad_request("no"))
    assert (answer.code, orjson.loads(answer.body)["message"]) == (400, "no")


def test_two_dispatches_on_one_store_see_the_same_objects(api: Api) -> None:
    api.ok("POST", f"{DEFAULT}/services", service())
    other = Dispatch(api.store, api.clock)
    assert other.answer(Call("GET", f"{DEFAULT}/services/envoy")).code == 200
