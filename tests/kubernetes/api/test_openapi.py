"""The descriptions of the types."""

from __future__ import annotations

from testbed.kubernetes.api import openapi
from testbed.kubernetes.api.api_resources import BUILT_IN, custom_resources
from tests.kubernetes.api.test_api_resources import DEFINITION


def test_the_index_names_each_group_and_version_with_a_hash_of_its_document() -> None:
    paths = openapi.v3_index(BUILT_IN)["paths"]
    assert set(paths) == {f"apis/{one.api_version}" if one.group else "api/v1" for one in BUILT_IN}
    url = paths["apis/apps/v1"]["serverRelativeURL"]
    assert url.startswith("/openapi/v3/apis/apps/v1?hash=")
    assert url != paths["api/v1"]["serverRelativeURL"]


def test_a_document_describes_the_fields_and_how_lists_are_merged() -> None:
    document = openapi.v3(BUILT_IN, "api/v1")
    assert document
    service = document["components"]["schemas"]["io.k8s.api.core.v1.Service"]
    assert service["x-kubernetes-group-version-kind"] == [{"group": "", "version": "v1", "kind": "Service"}]
    ports = service["properties"]["spec"]["properties"]["ports"]
    assert ports["x-kubernetes-patch-merge-key"] == "port"
    assert ports["x-kubernetes-list-map-keys"] == ["port", "protocol"]
    assert ports["items"]["required"] == ["port"]
    assert ports["items"]["properties"]["targetPort"]["x-kubernetes-int-or-string"]
    assert openapi.v3(BUILT_IN, "apis/absent/v1") is None


def test_patches_are_no_strategic_merge_for_kubectl_to_compute_from_it() -> None:
    # kubectl falls back on its own types then, which know every merge key.
    document = openapi.v3(BUILT_IN, "api/v1")
    assert document
    patch = document["paths"]["/api/v1/namespaces/{namespace}/services/{name}"]["patch"]
    assert "strategic" not in str(patch)
    assert {one["name"] for one in patch["parameters"]} >= {"fieldManager", "fieldValidation", "dryRun"}


def test_a_custom_resource_has_the_schema_of_its_definition() -> None:
    schema = {"type": "object", "properties": {"spec": {"type": "object", "description": "the size"}}}
    version = {"name": "v1", "served": True, "storage": True, "schema": {"openAPIV3Schema": schema}}
    definition = {**DEFINITION, "spec": {**DEFINITION["spec"], "versions": [version]}}
    document = openapi.v3(custom_resources(definition), "apis/example.com/v1")
    assert document
    widget = document["components"]["schemas"]["com.example.v1.Widget"]
    assert widget["properties"]["spec"]["description"] == "the size"
    assert set(widget["properties"]) == {"spec", "apiVersion", "kind", "metadata"}


def test_the_old_document_holds_all_resources() -> None:
    assert len(openapi.v2(BUILT_IN)["definitions"]) == len(BUILT_IN)
