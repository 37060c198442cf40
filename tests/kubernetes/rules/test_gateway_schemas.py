"""Defaults of the Gateway API's kinds, as the API server fills them in."""

from __future__ import annotations

from typing import Any

import pytest

from testbed.kubernetes.rules.gateway_schemas import COLUMNS, schema_of
from tests.kubernetes.api.calls import Api

ROOT = "/apis/gateway.networking.k8s.io/v1"


def made(plural: str, spec: dict[str, Any], *, namespaced: bool = True) -> dict[str, Any]:
    place = f"{ROOT}/namespaces/default/{plural}" if namespaced else f"{ROOT}/{plural}"
    found: dict[str, Any] = Api().ok("POST", place, {"metadata": {"name": "edge"}, "spec": spec})
    return found


def test_a_gateway_and_its_class_wait_for_their_controller_from_the_start() -> None:
    gateway = made("gateways", {"gatewayClassName": "alb", "listeners": [{"name": "web", "tls": {}}]})
    kind = made("gatewayclasses", {"controllerName": "gateway.k8s.aws/alb"}, namespaced=False)
    assert [one["type"] for one in gateway["status"]["conditions"]] == ["Accepted", "Programmed"]
    assert [one["status"] for one in kind["status"]["conditions"]] == ["Unknown"]
    (listener,) = gateway["spec"]["listeners"]
    assert listener["allowedRoutes"] == {"namespaces": {"from": "Same"}}
    assert listener["tls"] == {"mode": "Terminate"}


def test_a_route_names_a_gateway_and_services_with_weight_one() -> None:
    rule = {"backendRefs": [{"name": "web", "port": 80}], "filters": [{"requestRedirect": {}}]}
    spec = made("httproutes", {"parentRefs": [{"name": "edge"}], "rules": [rule]})["spec"]
    assert spec["parentRefs"] == [{"name": "edge", "group": "gateway.networking.k8s.io", "kind": "Gateway"}]
    (filled,) = spec["rules"]
    assert filled["backendRefs"] == [{"name": "web", "port": 80, "group": "", "kind": "Service", "weight": 1}]
    assert filled["matches"] == [{"path": {"type": "PathPrefix", "value": "/"}}]
    assert filled["filters"] == [{"requestRedirect": {"statusCode": 302}}]


def test_a_match_of_a_grpc_route_is_exact_and_none_is_added() -> None:
    rules = [{"matches": [{"method": {"service": "a.B"}}]}, {}]
    found = made("grpcroutes", {"rules": rules})["spec"]["rules"]
    assert found == [{"matches": [{"method": {"service": "a.B", "type": "Exact"}}]}, {}]


@pytest.mark.parametrize("kind", ["Service", "Ingress", "TargetGroupBinding"])
def test_kinds_of_other_apis_have_no_schema_here(kind: str) -> None:
    assert schema_of(kind) is None


def test_a_gateway_shows_its_class_address_and_state() -> None:
    assert [one["name"] for one in COLUMNS["Gateway"]] == ["Class", "Address", "Programmed", "Age"]
