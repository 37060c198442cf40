from __future__ import annotations

import pytest

from testbed.kubernetes.kinds import KINDS, custom_kind, is_custom, is_namespaced, namespace_of


def test_plural_names_are_unique() -> None:
    assert len({kind.plural for kind in KINDS.values()}) == len(KINDS)
    assert all(KINDS[name].name == name for name in KINDS)


@pytest.mark.parametrize(
    ("version", "custom"),
    [
        ("v1", False),
        ("apps/v1", False),
        ("networking.k8s.io/v1", False),
        ("networking.k8s.io/v9", False),
        ("elbv2.k8s.aws/v1beta1", False),
        ("gateway.networking.k8s.io/v1", False),
        ("serving.knative.dev/v1", True),
    ],
)
def test_a_group_that_is_a_domain_and_not_known_belongs_to_a_custom_resource(
    version: str, custom: bool
) -> None:
    assert is_custom(version) is custom


def test_a_custom_resource_with_the_name_of_a_known_kind_is_kept_apart() -> None:
    assert custom_kind("Service", "serving.knative.dev", namespaced=True) == "Service.serving.knative.dev"
    assert custom_kind("TargetGroupBinding", "elbv2.k8s.aws", namespaced=True) == "TargetGroupBinding"


def test_a_custom_kind_remembers_whether_it_has_namespaces() -> None:
    widget = custom_kind("Widget", "example.com", namespaced=False)
    assert not is_namespaced(widget)
    assert is_namespaced(custom_kind("Widget", "example.com", namespaced=True))


@pytest.mark.parametrize(
    ("kind", "namespace", "key"),
    [
        ("Service", None, "default"),
        ("Service", "", "default"),
        ("Service", "prod", "prod"),
        ("Node", "prod", ""),
        ("Node", None, ""),
        ("Widget.example.com", None, "default"),
    ],
)
def test_the_key_of_an_object_has_a_namespace_where_its_kind_does(
    kind: str, namespace: str | None, key: str
) -> None:
    assert namespace_of(kind, namespace) == key
