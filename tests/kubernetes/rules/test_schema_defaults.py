"""Defaults of the schema of a CustomResourceDefinition."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from testbed.kubernetes.rules.schema_defaults import filled
from tests.kubernetes.api.calls import Api

PENDING = {
    "type": "Accepted",
    "status": "Unknown",
    "reason": "Pending",
    "message": "Waiting for controller",
    "lastTransitionTime": "1970-01-01T00:00:00Z",
}
ROUTES = {
    "type": "object",
    "default": {"namespaces": {}},
    "properties": {
        "namespaces": {"type": "object", "properties": {"from": {"type": "string", "default": "Same"}}}
    },
}
SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {
        "spec": {
            "type": "object",
            "properties": {
                "listeners": {"type": "array", "items": {"properties": {"allowedRoutes": ROUTES}}},
                "labels": {"additionalProperties": {"properties": {"weight": {"default": 1}}}},
                "note": {"type": "string", "nullable": True, "default": "none"},
            },
        },
        "status": {
            "type": "object",
            "default": {"conditions": [PENDING]},
            "properties": {"conditions": {"type": "array", "items": {"type": "object"}}},
        },
    },
}
"""The shape of Gateway API's definitions: defaults within defaults, in lists, and of the status."""
DEFINITION = {
    "apiVersion": "apiextensions.k8s.io/v1",
    "kind": "CustomResourceDefinition",
    "metadata": {"name": "gateways.gateway.example.com"},
    "spec": {
        "group": "gateway.example.com",
        "scope": "Namespaced",
        "names": {"plural": "gateways", "kind": "Gateway", "singular": "gateway", "listKind": "GatewayList"},
        "versions": [
            {
                "name": "v1",
                "served": True,
                "storage": True,
                "subresources": {"status": {}},
                "schema": {"openAPIV3Schema": SCHEMA},
            }
        ],
    },
}
DEFINITIONS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
GATEWAYS = "/apis/gateway.example.com/v1/namespaces/default/gateways"
MERGE = "application/merge-patch+json"


def test_defaults_are_filled_in_within_defaults_lists_and_maps() -> None:
    given_ = {"spec": {"listeners": [{"name": "web"}], "labels": {"a": {}}}}
    spec = filled(given_, SCHEMA)["spec"]
    assert spec["listeners"] == [{"name": "web", "allowedRoutes": {"namespaces": {"from": "Same"}}}]
    assert spec["labels"] == {"a": {"weight": 1}}


def test_what_is_set_stays_and_a_null_counts_as_unset_unless_the_field_may_be_null() -> None:
    routes = {"allowedRoutes": {"namespaces": {"from": "All"}}}
    assert filled({"spec": {"listeners": [routes]}}, SCHEMA)["spec"]["listeners"] == [routes]
    assert filled({"spec": {"note": None}}, SCHEMA)["spec"]["note"] is None
    assert filled({"status": None}, SCHEMA)["status"]["conditions"] == [PENDING]


@given(st.recursive(st.none() | st.integers() | st.text(), lambda inner: st.dictionaries(st.text(), inner)))
def test_filling_in_twice_is_filling_in_once_and_loses_nothing(value: Any) -> None:
    once = filled({"spec": value}, SCHEMA)
    assert filled(once, SCHEMA) == once
    if isinstance(value, dict):
        assert value.keys() <= once["spec"].keys()


def test_an_object_has_the_conditions_of_its_definition_from_the_start() -> None:
    api = Api()
    api.ok("POST", DEFINITIONS, DEFINITION)
    sent = {
        "apiVersion": "gateway.example.com/v1",
        "kind": "Gateway",
        "metadata": {"name": "shop"},
        "spec": {"listeners": [{"name": "web"}]},
        "status": {"conditions": [{"type": "Mine"}]},
    }
    with api.store.watch(["Gateway.gateway.example.com"]) as watch:
        made = api.ok("POST", GATEWAYS, sent)
        first = watch.get(0)
    assert made["status"]["conditions"] == [PENDING]
    assert made["spec"]["listeners"][0]["allowedRoutes"]["namespaces"]["from"] == "Same"
    assert first is not None
    assert first.object["status"]["conditions"] == [PENDING], "a watch sees it without its conditions first"


def test_a_condition_that_a_controller_wrote_outlives_a_change_of_the_spec() -> None:
    api = Api()
    api.ok("POST", DEFINITIONS, DEFINITION)
    api.ok("POST", GATEWAYS, {"metadata": {"name": "shop"}, "spec": {}})
    accepted = {**PENDING, "status": "True", "reason": "Accepted"}
    api.ok("PATCH", f"{GATEWAYS}/shop/status", {"status": {"conditions": [accepted]}}, MERGE)
    changed = api.ok("PATCH", f"{GATEWAYS}/shop", {"spec": {"listeners": [{"name": "web"}]}}, MERGE)
    assert changed["status"]["conditions"] == [accepted]
    assert changed["spec"]["listeners"][0]["allowedRoutes"] == {"namespaces": {"from": "Same"}}
