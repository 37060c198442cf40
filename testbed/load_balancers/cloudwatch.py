"""CloudWatch metrics of balancers from what their Envoys logged, under their real names (pure).

Counts since the start of the run; `TargetResponseTime` is the mean in seconds. Names and meanings: ALB and
NLB guides, "CloudWatch metrics". What Envoy cannot tell (ConsumedLCUs, RuleEvaluations) is not there.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

from testbed.load_balancers.access_log import is_answered, kind, status_of

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
TOLD_APART = (500, 502, 503, 504)
"""The balancer's own codes that have a metric each."""
RESET = "RemoteReset"


def application(lines: Iterable[Mapping[str, Any]]) -> dict[str, Values]:
    """Metrics of ALBs by their ids (`app/<name>/<16 hex>`).

    Args:
        lines: of the JSON access log, keys as in `listeners.ACCESS_FIELDS`.
    """
    counts: dict[str, Counter[str]] = {}
    microseconds: dict[str, list[float]] = {}
    for fields in lines:
        found = counts.setdefault(fields["elb"], Counter(dict.fromkeys(APPLICATION, 0)))
        found.update(_of_request(fields))
        if fields["at_target"] is not None:
            microseconds.setdefault(fields["elb"], []).append(float(fields["at_target"]))
    result = {elb: Values(found) for elb, found in counts.items()}
    for elb, times in microseconds.items():
        result[elb]["TargetResponseTime"] = round(sum(times) / len(times) / 1e6, 6)
    return result


def network(flows: Iterable[Mapping[str, Any]]) -> dict[str, Values]:
    """Metrics of NLBs by their ids (`net/<name>/<16 hex>`), of the flows that have ended.

    Args:
        flows: lines of the flow log, keys as in `listeners.FLOW_FIELDS`.
    """
    counts: dict[str, Counter[str]] = {}
    for fields in flows:
        found = counts.setdefault(fields["elb"], Counter(dict.fromkeys(NETWORK, 0)))
        found["NewFlowCount"] += 1
        found["ProcessedBytes"] += int(fields["received"] or 0) + int(fields["sent"] or 0)
        found["TCP_Client_Reset_Count"] += fields["client_close"] == RESET
        found["TCP_Target_Reset_Count"] += fields["target_close"] == RESET
        found["TCP_ELB_Reset_Count"] += not fields["target"]
    return {elb: Values(found) for elb, found in counts.items()}


def _of_request(fields: Mapping[str, Any]) -> Counter[str]:
    status, found = status_of(fields), Counter[str]()
    answered_itself = not is_answered(fields)
    if not answered_itself:
        found[f"HTTPCode_Target_{status // 100}XX_Count"] += 1
    elif status >= 300:
        found[f"HTTPCode_ELB_{status // 100}XX_Count"] += 1
        found[f"HTTPCode_ELB_{status}_Count"] += status in TOLD_APART
    if fields["target"]:  # the others never came to a target
        found["RequestCount"] += 1
        found["GrpcRequestCount"] += kind(fields) == "grpcs"
    found["HTTP_Redirect_Count"] += answered_itself and fields["action"] == "redirect"
    found["HTTP_Fixed_Response_Count"] += answered_itself and fields["action"] == "fixed-response"
    found["TargetConnectionErrorCount"] += "UF" in (fields["flags"] or "").split(",")
    found["ProcessedBytes"] += int(fields["received"] or 0) + int(fields["sent"] or 0)
    return +found  # without the zeros
