"""Unknown fields and wrong types, as `fieldValidation` says."""

from __future__ import annotations

from typing import Any

import pytest

from testbed.kubernetes.api.api_resources import custom_resources
from testbed.kubernetes.api.statuses import Refused
from testbed.kubernetes.api.strict_decoding import decoded
from tests.kubernetes.api.calls import resource
from tests.kubernetes.api.test_api_resources import DEFINITION


def service(**spec: Any) -> dict[str, Any]:
    return {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "web"}, "spec": spec}


def test_an_unknown_field_is_refused_warned_of_or_dropped() -> None:
    item = service(porst=[], type="ClusterIP")
    with pytest.raises(Refused, match=r'strict decoding error: unknown field "spec.porst"') as refused:
        decoded(resource("Service"), item, "Strict")
    assert refused.value.code == 400
    for mode in ("Warn", ""):
        assert decoded(resource("Service"), item, mode) == (
            service(type="ClusterIP"),
            ['unknown field "spec.porst"'],
        )
    assert decoded(resource("Service"), item, "Ignore") == (service(type="ClusterIP"), [])
    assert "porst" in item["spec"]


@pytest.mark.parametrize("mode", ["Strict", "Warn", "Ignore"])
def test_a_wrong_type_is_refused_whatever_the_mode(mode: str) -> None:
    with pytest.raises(Refused, match="cannot unmarshal string into Go struct field") as refused:
        decoded(resource("Service"), service(ports=[{"port": "80"}]), mode)
    assert str(refused.value).startswith('Service in version "v1" cannot be handled as a Service: json: ')


def test_nulls_are_absent_fields() -> None:
    assert decoded(resource("Service"), service(type=None), "Strict")[0] == service()


def test_fields_of_a_custom_resource_are_its_own_affair() -> None:
    widget = next(custom_resources(DEFINITION))
    item = {"apiVersion": "example.com/v1", "kind": "Widget", "metadata": {"name": "w"}, "spec": {"any": 1}}
    assert decoded(widget, item, "Strict") == (item, [])
    with pytest.raises(Refused, match=r'unknown field "metadata.colour"'):
        decoded(widget, {**item, "metadata": {"name": "w", "colour": "red"}}, "Strict")
