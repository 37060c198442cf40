"""The documents by which a client finds groups, versions and resources."""

from __future__ import annotations

from testbed.kubernetes.api import discovery
from testbed.kubernetes.api.api_resources import BUILT_IN


def test_each_group_prefers_its_first_version() -> None:
    groups = {one["name"]: one for one in discovery.groups(BUILT_IN)["groups"]}
    assert "" not in groups
    networking = groups["networking.k8s.io"]
    assert [one["version"] for one in networking["versions"]] == ["v1", "v1beta1"]
    assert networking["preferredVersion"]["groupVersion"] == "networking.k8s.io/v1"


def test_a_group_of_its_own_is_the_same_as_in_the_list() -> None:
    found = discovery.group(BUILT_IN, "apps")
    assert found
    assert found["kind"] == "APIGroup"
    listed = next(one for one in discovery.groups(BUILT_IN)["groups"] if one["name"] == "apps")
    assert listed.items() <= found.items()
    assert discovery.group(BUILT_IN, "absent") is None
    assert discovery.group(BUILT_IN, "") is None


def test_a_version_lists_its_resources_and_their_status() -> None:
    found = discovery.resource_list(BUILT_IN, "v1")
    assert found
    by_name = {one["name"]: one for one in found["resources"]}
    assert by_name["services"]["shortNames"] == ["svc"]
    assert by_name["services"]["namespaced"]
    assert "watch" in by_name["services"]["verbs"]
    assert set(by_name["services/status"]["verbs"]) == {"get", "patch", "update"}
    assert "secrets/status" not in by_name
    assert "deployments" not in by_name
    assert discovery.resource_list(BUILT_IN, "v9") is None


def test_the_aggregated_documents_hold_each_resource_once() -> None:
    found = [
        (group["metadata"].get("name", ""), version["version"], resource["resource"])
        for core in (True, False)
        for group in discovery.aggregated(BUILT_IN, core=core)["items"]
        for version in group["versions"]
        for resource in version["resources"]
    ]
    assert sorted(found) == sorted((one.group, one.version, one.plural) for one in BUILT_IN)


def test_the_core_group_says_where_the_server_is() -> None:
    found = discovery.core_versions("127.0.0.1:6443")
    assert found["versions"] == ["v1"]
    assert found["serverAddressByClientCIDRs"][0]["serverAddress"] == "127.0.0.1:6443"
