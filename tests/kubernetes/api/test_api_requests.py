"""Paths, parameters and bodies of requests."""

from __future__ import annotations

from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from testbed.kubernetes import ObjectStore
from testbed.kubernetes.api.api_requests import locate, parse
from testbed.kubernetes.api.api_resources import Resources
from testbed.kubernetes.api.statuses import Refused
from tests.kubernetes.api.calls import request

RESOURCES = Resources(ObjectStore())


@pytest.mark.parametrize(
    ("path", "kind", "rest"),
    [
        ("/api/v1/services", "Service", ("", "", "")),
        ("/api/v1/namespaces/prod/services", "Service", ("prod", "", "")),
        ("/api/v1/namespaces/prod/services/web", "Service", ("prod", "web", "")),
        ("/api/v1/namespaces/prod/services/web/status", "Service", ("prod", "web", "status")),
        ("/apis/networking.k8s.io/v1/namespaces/prod/ingresses/web", "Ingress", ("prod", "web", "")),
        ("/api/v1/nodes/node-0", "Node", ("", "node-0", "")),
        ("/api/v1/namespaces", "Namespace", ("", "", "")),
        ("/api/v1/namespaces/prod", "Namespace", ("", "prod", "")),
        ("/api/v1/namespaces/prod/finalize", "Namespace", ("", "prod", "finalize")),
        ("/api/v1/namespaces/prod/status", "Namespace", ("", "prod", "status")),
    ],
)
def test_a_path_names_a_resource_and_an_object(path: str, kind: str, rest: tuple[str, str, str]) -> None:
    resource, *found = locate(path, RESOURCES)
    assert (resource.kind, tuple(found)) == (kind, rest)


@pytest.mark.parametrize(
    "path",
    [
        "/api/v1/gadgets",
        "/api/v2/services",
        "/apis/networking.k8s.io/v9/ingresses",
        "/api/v1/namespaces/prod/nodes",  # a cluster-wide resource in a namespace
        "/api/v1/services/web",  # an object of a namespace without one
        "/healthz",
        "/api/v1/namespaces/prod/services/web/status/more",
    ],
)
def test_a_path_of_no_resource_is_not_found(path: str) -> None:
    with pytest.raises(Refused) as refused:
        locate(path, RESOURCES)
    assert refused.value.code == 404


@pytest.mark.parametrize(
    ("body", "content_type", "value"),
    [
        (b'{"a": 1}', "application/json", {"a": 1}),
        (b'{"a": 1}', "", {"a": 1}),
        (b'{"a": 1}', "application/merge-patch+json; charset=utf-8", {"a": 1}),
        (b"a: 1", "application/yaml", {"a": 1}),
        (b"since: 2020-01-01", "application/apply-patch+yaml", {"since": "2020-01-01"}),
    ],
)
def test_a_body_is_read_as_its_content_type_says(body: bytes, content_type: str, value: Any) -> None:
    assert parse(body, content_type) == value


@pytest.mark.parametrize(
    ("body", "content_type", "code"),
    [
        (b"{", "application/json", 400),
        (b"a: [", "application/yaml", 400),
        (b"\xff", "application/json", 400),
        (b"!!python/object:os.system {}", "application/yaml", 400),
        (b"!!int x", "application/yaml", 400),
        (b"<a/>", "application/xml", 415),
    ],
)
def test_a_body_that_cannot_be_read_is_refused(body: bytes, content_type: str, code: int) -> None:
    with pytest.raises(Refused) as refused:
        parse(body, content_type)
    assert refused.value.code == code


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=10,
)


@given(value=JSON)
def test_json_is_read_as_it_was_written(value: Any) -> None:
    assert parse(orjson.dumps(value), "application/json") == value


@given(body=st.binary(max_size=40), kind=st.sampled_from(["application/json", "application/yaml"]))
def test_no_bytes_lead_to_anything_but_a_value_or_a_refusal(body: bytes, kind: str) -> None:
    try:
        parse(body, kind)
    except Refused as refused:
        assert refused.code == 400  # noqa: PT017 either outcome is fine, no third one is


def test_a_body_of_an_object_must_be_a_mapping() -> None:
    with pytest.raises(Refused, match="must be of type Object"):
        request("POST", "Service", body=[1]).parsed_object()


def test_parameters_say_yes_and_name_a_dry_run() -> None:
    found = request("POST", "Service", force="true", watch="no", dryRun="All")
    assert (found.flag("force"), found.flag("watch"), found.flag("absent")) == (True, False, False)
    assert found.is_dry_run
    assert not request("POST", "Service").is_dry_run
    with pytest.raises(Refused, match='dryRun: Unsupported value: "Some"'):
        _ = request("POST", "Service", dryRun="Some").is_dry_run


def test_the_manager_is_named_by_a_parameter_or_by_the_agent() -> None:
    assert request("PATCH", "Service", fieldManager="me").manager == "me"
    assert request("PATCH", "Service").manager == "unknown"
