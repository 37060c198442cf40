from __future__ import annotations

from typing import Any

from testbed.load_balancers.cloudwatch_metrics import APPLICATION, application, network
from tests.load_balancers.test_alb_access_log import FIELDS

ELB = FIELDS["elb"]


def counted(**changed: Any) -> dict[str, float]:
    """What one request adds, without what it does not."""
    found = application([{**FIELDS, **changed}])[ELB]
    assert set(APPLICATION) <= set(found)
    return {name: value for name, value in found.items() if value and name != "ProcessedBytes"}


def test_a_request_that_a_target_answered_counts_as_the_targets() -> None:
    assert counted() == {"RequestCount": 1, "HTTPCode_Target_2XX_Count": 1, "TargetResponseTime": 0.048}
    assert counted(status=404, content_type="application/grpc") == {
        "RequestCount": 1,
        "GrpcRequestCount": 1,
        "HTTPCode_Target_4XX_Count": 1,
        "TargetResponseTime": 0.048,
    }


def test_a_request_that_the_balancer_answered_counts_as_its_own() -> None:
    own = {"target": None, "at_target": None, "from_target": None, "details": "direct_response"}
    assert counted(**own, status=464) == {"HTTPCode_ELB_4XX_Count": 1}
    assert counted(**own, status=301, action="redirect") == {
        "HTTPCode_ELB_3XX_Count": 1,
        "HTTP_Redirect_Count": 1,
    }
    assert counted(**own, status=503, action="fixed-response") == {
        "HTTPCode_ELB_5XX_Count": 1,
        "HTTPCode_ELB_503_Count": 1,
        "HTTP_Fixed_Response_Count": 1,
    }


def test_a_target_that_refuses_is_a_502_of_the_balancer() -> None:
    refused = {"status": 502, "flags": "UF", "details": "upstream_reset_before_response_started"}
    assert counted(**refused, at_target=None, from_target=None) == {
        "RequestCount": 1,
        "HTTPCode_ELB_5XX_Count": 1,
        "HTTPCode_ELB_502_Count": 1,
        "TargetConnectionErrorCount": 1,
    }


def test_the_response_time_is_the_mean_of_what_targets_took() -> None:
    lines = [{**FIELDS, "at_target": time} for time in (10_000, 30_000)]
    assert application(lines)[ELB]["TargetResponseTime"] == 0.02


def test_flows_are_counted_with_their_bytes_and_resets() -> None:
    flow = {
        "elb": "net/a/1",
        "client": "127.0.0.1:1",
        "target": "127.0.1.1:443",
        "received": 10,
        "sent": 20,
        "client_close": "Normal",
        "target_close": "Normal",
    }
    flows = [flow, {**flow, "client_close": "RemoteReset"}, {**flow, "target_close": "RemoteReset"}]
    assert network([*flows, {**flow, "target": None}]) == {
        "net/a/1": {
            "NewFlowCount": 4,
            "ProcessedBytes": 120,
            "TCP_Client_Reset_Count": 1,
            "TCP_Target_Reset_Count": 1,
            "TCP_ELB_Reset_Count": 1,
        }
    }
