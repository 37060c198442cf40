"""The annotation that keeps the manifest of the last apply."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from testbed.kubernetes.last_applied import ANNOTATION, last_applied, with_last_applied


def service(**metadata: Any) -> dict[str, Any]:
    return {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "web", **metadata}, "spec": {"a": 1}}


def test_the_annotation_is_what_kubectl_writes() -> None:
    written = with_last_applied(service(annotations={"a": "<&>"}))["metadata"]["annotations"]
    assert written == {
        "a": "<&>",
        ANNOTATION: '{"apiVersion":"v1","kind":"Service",'
        '"metadata":{"annotations":{"a":"\\u003c\\u0026\\u003e"},"name":"web","namespace":"default"},'
        '"spec":{"a":1}}\n',
    }


def test_a_manifest_is_sent_with_its_namespace() -> None:
    assert with_last_applied(service())["metadata"]["namespace"] == "default"
    assert with_last_applied(service(namespace="prod"))["metadata"]["namespace"] == "prod"
    node = {"apiVersion": "v1", "kind": "Node", "metadata": {"name": "n"}}
    assert "namespace" not in with_last_applied(node)["metadata"]
    assert "namespace" not in with_last_applied(service(), namespaced=False)["metadata"]


def test_the_annotation_of_an_earlier_apply_is_replaced() -> None:
    once = with_last_applied(service(annotations={"a": "1"}))
    assert with_last_applied(once) == once


@given(value=st.text())
def test_the_manifest_is_read_back_whole(value: str) -> None:
    manifest = service(annotations={"a": value}, namespace="default")
    assert last_applied(with_last_applied(manifest)) == manifest


@pytest.mark.parametrize("text", [None, "", "{", "[]", '"text"'])
def test_an_annotation_that_holds_no_manifest_counts_as_none(text: str | None) -> None:
    annotations = {} if text is None else {ANNOTATION: text}
    assert last_applied(service(annotations=annotations)) is None
    assert last_applied(service()) is None


def test_the_manifest_is_not_changed() -> None:
    manifest = service(annotations={"a": "1"})
    with_last_applied(manifest)
    assert manifest == service(annotations={"a": "1"})
