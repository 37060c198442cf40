"""Sets of owned fields, and their form in an object's metadata."""

from __future__ import annotations

from testbed.kubernetes.api.managed_fields import entry_key, from_fields, leaves, readable, to_fields
from testbed.kubernetes.api.merge_keys import ListRule, list_rule

PORT = 'k:{"port":443,"protocol":"TCP"}'


def test_leaves_are_fields_and_entries_of_lists() -> None:
    item = {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": "web", "uid": "1", "labels": {"a": "1"}, "finalizers": ["x"]},
        "spec": {"type": "ClusterIP", "ports": [{"port": 443}], "selector": {"app": "web"}},
    }
    assert leaves("Service", item) == {
        ("f:metadata", "f:labels", "f:a"): "1",
        ("f:metadata", "f:finalizers", 'v:"x"'): None,
        ("f:spec", "f:type"): "ClusterIP",
        ("f:spec", "f:ports", PORT): None,
        ("f:spec", "f:ports", PORT, "f:port"): 443,
        ("f:spec", "f:selector"): {"app": "web"},
    }


def test_an_entry_is_named_by_its_keys_with_their_defaults() -> None:
    rule = list_rule("Service", ("spec", "ports"))
    assert rule
    assert entry_key(rule, {"port": 443}) == PORT
    assert entry_key(rule, {"port": 53, "protocol": "UDP"}) == 'k:{"port":53,"protocol":"UDP"}'
    assert entry_key(ListRule("", (), {}), "a") == 'v:"a"'


def test_fields_of_an_entry_stand_below_it() -> None:
    owned = frozenset({("f:spec", "f:ports", PORT), ("f:spec", "f:ports", PORT, "f:port"), ("f:data",)})
    written = to_fields(owned)
    assert written == {"f:data": {}, "f:spec": {"f:ports": {PORT: {".": {}, "f:port": {}}}}}
    assert from_fields(written) == owned


def test_a_conflict_names_a_path_as_people_write_it() -> None:
    assert readable(("f:spec", "f:ports", PORT, "f:port")) == '.spec.ports[port=443,protocol="TCP"].port'
    assert readable(("f:metadata", "f:finalizers", 'v:"x"')) == '.metadata.finalizers[="x"]'
