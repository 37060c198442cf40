from __future__ import annotations

from pathlib import Path
from typing import Any

import orjson
import pytest

from testbed.check.manifest_reading import Reading, load
from testbed.errors import BadInput
from testbed.scaffold.generated_calls import calls
from testbed.traffic.calls import Call
from tests.check.manifests_of_traps import INGRESS, PLAIN, REST, annotated, folder

HOST = "api.example.com"
CONDITIONS = "alb.ingress.kubernetes.io/conditions.web-plain"


def called(path: Path, ingress: str, *conditions: dict[str, Any]) -> list[Call]:
    asked = annotated(ingress, f"{CONDITIONS}: '{orjson.dumps(conditions).decode()}'")
    plan = Reading.of(load([folder(path, PLAIN, asked)])).plan
    (stack,) = (one.stack for one in plan.stacks)
    assert stack
    return calls(stack, HOST, 443)


def header(name: str, *values: str) -> dict[str, Any]:
    return {"field": "http-header", "httpHeaderConfig": {"httpHeaderName": name, "values": values}}


def method(*values: str) -> dict[str, Any]:
    return {"field": "http-request-method", "httpRequestMethodConfig": {"values": values}}


def query(key: str, value: str) -> dict[str, Any]:
    return {"field": "query-string", "queryStringConfig": {"values": [{"key": key, "value": value}]}}


SOURCE = {"field": "source-ip", "sourceIPConfig": {"values": ["10.0.0.0/8"]}}


def test_a_grpc_call_meets_what_every_grpc_client_sends(tmp_path: Path) -> None:
    (call,) = called(tmp_path, INGRESS, header("Content-Type", "application/grpc*"), method("POST"))
    assert (call.protocol, call.headers) == ("grpc", ())


def test_a_header_that_a_rule_asks_for_is_sent(tmp_path: Path) -> None:
    assert called(tmp_path, INGRESS, header("X-Version", "2*"))[0].headers == (("x-version", "21"),)


def test_a_rest_call_has_the_method_and_the_query_of_its_rule(tmp_path: Path) -> None:
    (call,) = called(tmp_path, REST, method("PUT", "POST"), query("v", "2"))
    assert call.title == "PUT /carts/1?v=2"


@pytest.mark.parametrize(
    ("ingress", "condition", "reported"),
    [
        (INGRESS, SOURCE, "source-ip"),
        (INGRESS, method("GET"), "http-request-method"),
        (INGRESS, header("user-agent", "curl*"), "http-header"),
        (INGRESS, query("v", "2"), "query-string"),
        (REST, header("host", "x"), "http-header"),
    ],
)
def test_a_rule_that_no_call_can_meet_is_reported(
    tmp_path: Path, ingress: str, condition: dict[str, Any], reported: str
) -> None:
    with pytest.raises(BadInput, match=f"requires a {reported} that no generated call can meet"):
        called(tmp_path, ingress, condition)


def test_a_wildcard_host_takes_the_name(tmp_path: Path) -> None:
    plan = Reading.of(load([folder(tmp_path, PLAIN, INGRESS.replace(HOST, "'*.example.com'"))])).plan
    (stack,) = (one.stack for one in plan.stacks)
    assert stack
    assert [call.protocol for call in calls(stack, HOST, 443)] == ["grpc"]
    with pytest.raises(BadInput, match=r"no rule of the ALB forwards a call of api\.other\.com"):
        calls(stack, "api.other.com", 443)
