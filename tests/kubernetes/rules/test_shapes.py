from __future__ import annotations

import pytest

from testbed.kubernetes.kinds import KINDS
from testbed.kubernetes.rules.shapes import Anything, ListOf, Shape, Struct, custom_shape, shape_of


def at(shape: Shape, *path: str) -> Shape:
    """The shape of a field; lists are passed through."""
    for name in path:
        assert isinstance(shape, Struct)
        shape = shape.fields[name]
        while isinstance(shape, ListOf):
            shape = shape.item
    return shape


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_has_metadata_and_other_fields_in_each_version(kind: str) -> None:
    for version in KINDS[kind].versions:
        shape = shape_of(kind, version)
        assert {"apiVersion", "kind", "metadata"} < set(shape.fields)


def test_the_backends_of_an_ingress_are_those_of_its_version() -> None:
    path = ("spec", "rules", "http", "paths", "backend")
    new = at(shape_of("Ingress", "networking.k8s.io/v1"), *path)
    assert isinstance(new, Struct)
    assert set(new.fields) == {"service", "resource"}
    for version in ("networking.k8s.io/v1beta1", "extensions/v1beta1"):
        old = at(shape_of("Ingress", version), *path)
        assert isinstance(old, Struct)
        assert set(old.fields) == {"serviceName", "servicePort", "resource"}
        assert "pathType" in at_fields(shape_of("Ingress", version), *path[:-1])


def at_fields(shape: Shape, *path: str) -> set[str]:
    struct = at(shape, *path)
    assert isinstance(struct, Struct)
    return set(struct.fields)


@pytest.mark.parametrize(
    ("kind", "field"),
    [
        ("StorageClass", "provisioner"),
        ("PriorityClass", "value"),
        ("Secret", "stringData"),
        ("Role", "rules"),
    ],
)
def test_kinds_without_a_spec_have_fields_of_their_own(kind: str, field: str) -> None:
    fields = shape_of(kind, KINDS[kind].versions[0]).fields
    assert field in fields
    assert "spec" not in fields


def test_a_custom_resource_may_have_any_field() -> None:
    for kind, version in [
        ("Service", "serving.knative.dev/v1"),
        ("TargetGroupBinding", "elbv2.k8s.aws/v1beta1"),
    ]:
        assert shape_of(kind, version) == custom_shape(kind)
        assert shape_of(kind, version).is_open
        assert shape_of(kind, version).fields["spec"] == Anything()
    assert not shape_of("Service", "v1").is_open
