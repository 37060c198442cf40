"""The kinds of patch."""

from __future__ import annotations

from typing import Any

import orjson
import pytest

from testbed.kubernetes.api.patches import APPLY, JSON_PATCH, MERGE_PATCH, STRATEGIC, kind_of, patched
from testbed.kubernetes.api.statuses import Refused
from tests.kubernetes.api.calls import resource

ITEM = {"kind": "Service", "spec": {"ports": [{"port": 80}, {"port": 443, "name": "https"}]}}


@pytest.mark.parametrize(
    ("kind", "patch", "ports"),
    [
        (JSON_PATCH, [{"op": "remove", "path": "/spec/ports/0"}], [{"port": 443, "name": "https"}]),
        (MERGE_PATCH, {"spec": {"ports": [{"port": 1}]}}, [{"port": 1}]),
        (
            STRATEGIC,
            {"spec": {"ports": [{"port": 443, "name": "tls"}]}},
            [{"port": 80}, {"port": 443, "name": "tls"}],
        ),
    ],
)
def test_each_kind_of_patch_has_its_own_meaning(kind: str, patch: Any, ports: Any) -> None:
    found = patched(resource("Service"), kind, ITEM, orjson.dumps(patch))
    assert found["spec"]["ports"] == ports
    assert len(ITEM["spec"]["ports"]) == 2  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("kind", "patch", "code"),
    [
        (JSON_PATCH, [{"op": "test", "path": "/kind", "value": "Pod"}], 422),
        (JSON_PATCH, [{"op": "remove", "path": "/absent"}], 422),
        (JSON_PATCH, [{"op": "burn", "path": "/kind"}], 400),
        (JSON_PATCH, {"op": "remove"}, 400),
        (JSON_PATCH, [{"op": "replace", "path": "", "value": 1}], 400),
        (MERGE_PATCH, [], 400),
        (STRATEGIC, "text", 400),
        (STRATEGIC, {"spec": {"$patch": "burn"}}, 400),
    ],
)
def test_a_patch_that_cannot_be_read_or_applied_is_refused(kind: str, patch: Any, code: int) -> None:
    with pytest.raises(Refused) as refused:
        patched(resource("Service"), kind, ITEM, orjson.dumps(patch))
    assert refused.value.code == code


def test_the_content_type_says_which_kind_a_patch_is() -> None:
    assert kind_of("application/merge-patch+json; charset=utf-8", resource("Service")) == MERGE_PATCH
    assert kind_of(APPLY.upper(), resource("Service")) == APPLY


@pytest.mark.parametrize(
    ("kind", "name"), [("application/json", "Service"), (STRATEGIC, "IngressClassParams")]
)
def test_a_kind_that_the_resource_does_not_take_is_refused(kind: str, name: str) -> None:
    with pytest.raises(Refused, match="accepted media types include") as refused:
        kind_of(kind, resource(name))
    assert refused.value.code == 415
