"""Which objects of the manifests an operator applies, and with which annotations."""

from __future__ import annotations

from pathlib import Path

import pytest

from testbed.errors import BadInput
from testbed.kubernetes import manifests
from testbed.rehearsal.cutover import _selected, _with_annotations
from tests.scaffold.manifests_of_a_shop import SHOP

LOADED = manifests.parse(SHOP, Path("all.yaml"))
ARN = "alb.ingress.kubernetes.io/certificate-arn"


def test_objects_are_named_by_kind_and_name_and_keep_their_order() -> None:
    found = _selected(LOADED, ["ingress/shop-rest", "Service/shop/gateway"])
    assert [one.title for one in found] == ["Service shop/gateway", "Ingress shop/shop-rest"]


def test_an_object_that_is_not_there_is_told() -> None:
    with pytest.raises(BadInput, match="the manifests have no service/gatewy"):
        _selected(LOADED, ["service/gatewy"])


def test_annotations_that_stand_are_replaced_or_left_out_and_none_is_added() -> None:
    ingress = _selected(LOADED, ["ingress/shop-grpc"])[0].object
    changed = _with_annotations(ingress, {ARN: "x", "alb.ingress.kubernetes.io/subnets": None, "other": "y"})
    before, after = ingress["metadata"]["annotations"], changed["metadata"]["annotations"]
    assert after[ARN] == "x"
    assert set(before) - set(after) == {"alb.ingress.kubernetes.io/subnets"}
    assert "other" not in after
    assert ingress["metadata"]["annotations"][ARN] != "x"


def test_an_object_without_annotations_stays_without() -> None:
    service = _selected(LOADED, ["service/gateway-grpc"])[0].object
    assert _with_annotations(service, {ARN: "x"}) == service
