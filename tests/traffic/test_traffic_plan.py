from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from testbed.clock import Clock
from testbed.errors import BadInput
from testbed.traffic.calls import Call
from testbed.traffic.traffic_plan import ClientGroup, Mix, TrafficPlan

PLAN = TrafficPlan(
    run="a1",
    clock=Clock(speed=30.0),
    journal=Path("/tmp/journal.ndjson"),
    host="api.example.com",
    port=8443,
    dns="127.80.0.53:5300",
    ca_file=Path("/tmp/ca.pem"),
    mix=Mix(grpc_bidi=7.0),
    calls=(Call("grpc", "/shop.v1.Carts/Any", shape="bidi", body=b"\x0a"),),
)


def test_a_plan_survives_the_way_to_the_generator():
    assert TrafficPlan.from_json(PLAN.to_json()) == PLAN


def test_the_dns_server_is_address_and_port():
    assert PLAN.dns_server == ("127.80.0.53", 5300)


@pytest.mark.parametrize(
    "changes",
    [
        {"rate": -1.0},
        {"rate": float("nan")},
        {"rate": float("inf")},
        {"clients": ()},
        {"clients": (ClientGroup("grpcio", 0),)},
        {"clients": (ClientGroup("grpclib", 1),)},
        {"stream_message": 0.0},
        {"stream_least": 60.0, "stream_most": 50.0},
    ],
    ids=str,
)
def test_a_plan_that_makes_no_sense_is_refused(changes):
    with pytest.raises(BadInput):
        dataclasses.replace(PLAN, **changes)


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"clock": 3}', PLAN.to_json().replace("host", "most")])
def test_a_text_that_is_no_plan_is_refused(text):
    with pytest.raises(BadInput, match="not a traffic plan"):
        TrafficPlan.from_json(text)
