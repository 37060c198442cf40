"""Computes CloudWatch metrics of balancers from the logs of their Envoys (pure).

Counts start with the run; `TargetResponseTime` is the mean in seconds. Names and meanings: ALB and NLB
guides, "CloudWatch metrics". Metrics that Envoy does not know (ConsumedLCUs, RuleEvaluations) are missing.
Metrics from statistics: `envoy_stats.py`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

from testbed.load_balancers.alb_access_log import is_answered, kind, status_of

Values = dict[str, float]
APPLICATION = (
    "RequestCount", "GrpcRequestCount", "HTTPCode_Target_2XX_Count", "HTTPCode_Target_3XX_Count",
    "HTTPCode_Target_4XX_Count", "HTTPCode_Target_5XX_Count", "HTTPCode_ELB_3XX_Count",
    "HTTPCode_ELB_4XX_Count", "HTTPCode_ELB_5XX_Count", "HTTPCode_ELB_500_Count", "HTTPCode_ELB_502_Count",
    "HTTPCode_ELB_503_Count", "HTTPCode_ELB_504_Count", "HTTP_Fixed_Response_Count", "HTTP_Redirect_Count",
    "TargetConnectionErrorCount", "ProcessedBytes",
)  # fmt: skip
NETWORK = (
    "NewFlowCount", "ProcessedBytes", "TCP_Client_Reset_Count", "TCP_Target_Reset_Count",
    "TCP_ELB_Reset_Count",
)  # fmt: skip
CODES_WITH_A_METRIC = (500, 502, 503, 504)
"""The balancer's own codes that have a metric each."""
RESET = "RemoteReset"


def application(lines: Iterable[Mapping[str, Any]]) -> dict[str, Values]:
    """Return the metrics of ALBs by their ids (`app/<name>/<16 hex>`).

    Args:
        lines: lines of the JSON access log, keys as in `envoy_listeners.ACCESS_FIELDS`.
    """
    counts: dict[str, Counter[str]] = {}
    microseconds: dict[str, list[float]] = {}
    for fields in lines:
        counts.setdefault(fields["elb"], Counter(dict.fromkeys(APPLICATION, 0))).update(_of_request(fields))
        if fields["at_target"] is not None:
            microseconds.setdefault(fields["elb"], []).append(float(fields["at_target"]))
    result = {elb: Values(counted) for elb, counted in counts.items()}
    for elb, times in microseconds.items():
        result[elb]["TargetResponseTime"] = round(sum(times) / len(times) / 1e6, 6)
    return result


def network(flows: Iterable[Mapping[str, Any]]) -> dict[str, Values]:
    """Return the metrics of NLBs by their ids (`net/<name>/<16 hex>`), from the flows that have ended.

    Args:
        flows: lines of the flow log, keys as in `envoy_listeners.FLOW_FIELDS`.
    """
    counts: dict[str, Counter[str]] = {}
    for fields in flows:
        counted = counts.setdefault(fields["elb"], Counter(dict.fromkeys(NETWORK, 0)))
        counted["NewFlowCount"] += 1
        counted["ProcessedBytes"] += int(fields["received"] or 0) + int(fields["sent"] or 0)
        counted["TCP_Client_Reset_Count"] += fields["client_close"] == RESET
        counted["TCP_Target_Reset_Count"] += fields["target_close"] == RESET
        counted["TCP_ELB_Reset_Count"] += not fields["target"]
    return {elb: Values(counted) for elb, counted in counts.items()}


def _of_request(fields: Mapping[str, Any]) -> Counter[str]:
    status, counted = status_of(fields), Counter[str]()
    answered_itself = not is_answered(fields)
    if not answered_itself:
        counted[f"HTTPCode_Target_{status // 100}XX_Count"] += 1
    elif status >= 300:
        counted[f"HTTPCode_ELB_{status // 100}XX_Count"] += 1
        counted[f"HTTPCode_ELB_{status}_Count"] += status in CODES_WITH_A_METRIC
    if fields["target"]:  # AWS counts only requests that were sent to a target
        counted["RequestCount"] += 1
        counted["GrpcRequestCount"] += kind(fields) == "grpcs"
    counted["HTTP_Redirect_Count"] += answered_itself and fields["action"] == "redirect"
    counted["HTTP_Fixed_Response_Count"] += answered_itself and fields["action"] == "fixed-response"
    counted["TargetConnectionErrorCount"] += "UF" in (fields["flags"] or "").split(",")
    counted["ProcessedBytes"] += int(fields["received"] or 0) + int(fields["sent"] or 0)
    return +counted  # without the zeros
