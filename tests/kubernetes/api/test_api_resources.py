"""Which resources the API serves, and by which names."""

from __future__ import annotations

from testbed.kubernetes import ObjectStore
from testbed.kubernetes.api.api_resources import BUILT_IN, Resources, custom_resources
from testbed.kubernetes.kinds import KINDS
from tests.kubernetes.api.calls import resource

DEFINITION = {
    "apiVersion": "apiextensions.k8s.io/v1",
    "kind": "CustomResourceDefinition",
    "metadata": {"name": "widgets.example.com"},
    "spec": {
        "group": "example.com",
        "scope": "Cluster",
        "names": {"plural": "widgets", "kind": "Widget", "shortNames": ["wd"], "categories": ["all"]},
        "versions": [
            {"name": "v1beta1", "served": True, "storage": False, "deprecated": True},
            {"name": "v1alpha1", "served": False, "storage": False},
            {
                "name": "v1",
                "served": True,
                "storage": True,
                "subresources": {"status": {}},
                "schema": {"openAPIV3Schema": {"type": "object"}},
            },
        ],
    },
}


def test_every_kind_is_served_in_every_version_that_a_manifest_may_have_but_for_routes() -> None:
    served = {(one.kind, one.api_version) for one in BUILT_IN}
    manifests = {(kind.name, version) for kind in KINDS.values() for version in kind.versions}
    gateway_api = "gateway.networking.k8s.io"
    assert manifests - served == {
        ("Event", "events.k8s.io/v1"),
        *((f"{one}Route", f"{gateway_api}/v1alpha2") for one in ("GRPC", "TLS", "TCP", "UDP")),
        ("TLSRoute", f"{gateway_api}/v1alpha3"),
    }


def test_a_short_name_leads_to_one_group_only() -> None:
    # kubectl warns at each use of a short name that two groups have.
    groups: dict[str, set[str]] = {}
    for one in BUILT_IN:
        for name in one.short_names:
            groups.setdefault(name, set()).add(one.group)
    assert groups["deploy"] == {"apps"}
    assert all(len(found) == 1 for found in groups.values())


def test_names_of_a_resource_follow_from_its_version() -> None:
    ingress = resource("Ingress")
    assert (ingress.group, ingress.version, ingress.qualified) == (
        *("networking.k8s.io", "v1"),
        "ingresses.networking.k8s.io",
    )
    service = resource("Service")
    assert (service.group, service.version, service.qualified) == ("", "v1", "services")


def test_an_old_version_warns() -> None:
    old = resource("Ingress", "networking.k8s.io/v1beta1")
    assert "deprecated in v1.19+, unavailable in v1.22+" in old.warning
    assert resource("Ingress").warning == ""


def test_kinds_of_other_projects_know_no_strategic_merge() -> None:
    custom = {one.kind for one in BUILT_IN if one.is_custom}
    assert custom == {
        *("IngressClassParams", "TargetGroupBinding", "DNSEndpoint"),
        *("GatewayClass", "Gateway", "ListenerSet", "ReferenceGrant"),
        *("HTTPRoute", "GRPCRoute", "TLSRoute", "TCPRoute", "UDPRoute"),
        *("LoadBalancerConfiguration", "TargetGroupConfiguration", "ListenerRuleConfiguration"),
    }


def test_a_definition_adds_its_served_versions_the_stored_one_first() -> None:
    first, second = custom_resources(DEFINITION)
    assert (first.api_version, second.api_version) == ("example.com/v1", "example.com/v1beta1")
    assert (first.kind, first.plural, first.singular) == ("Widget", "widgets", "widget")
    assert (first.namespaced, first.has_status, first.is_custom) == (False, True, True)
    assert (first.short_names, first.categories) == (("wd",), ("all",))
    assert (first.warning, second.warning) == ("", "example.com/v1beta1 Widget is deprecated")
    assert not second.has_status


def test_a_definition_of_the_old_version_has_one_schema_for_all() -> None:
    old = {
        "spec": {
            "group": "example.com",
            "version": "v1",
            "names": {"plural": "widgets", "kind": "Widget"},
            "validation": {"openAPIV3Schema": {"type": "object"}},
            "subresources": {"status": {}},
        }
    }
    (found,) = custom_resources(old)
    assert (found.api_version, found.custom_schema, found.has_status) == (
        "example.com/v1",
        {"type": "object"},
        True,
    )


def test_resources_are_found_by_path_and_by_stored_kind() -> None:
    store = ObjectStore()
    store.create(DEFINITION)
    resources = Resources(store)
    widgets = resources.find("example.com/v1", "widgets")
    assert widgets
    assert resources.of_kind(widgets.stored_kind) == widgets
    assert resources.find("example.com/v1alpha1", "widgets") is None
    ingress = resources.of_kind("Ingress")
    assert ingress
    assert ingress.api_version == "networking.k8s.io/v1"
