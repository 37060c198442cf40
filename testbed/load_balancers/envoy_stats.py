"""Reads CloudWatch metrics from the listener statistics of the balancers' Envoys.

Names as in AWS/NetworkELB and AWS/ApplicationELB; metrics that Envoy does not count are missing. Metrics from
logs: `cloudwatch_metrics.py`.
"""

from __future__ import annotations

import json
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Mapping

from testbed import loopback_http
from testbed.errors import Missing

LISTENER: Mapping[str, Mapping[str, str]] = {
    "nlb": {"downstream_cx_active": "ActiveFlowCount", "downstream_cx_total": "NewFlowCount"},
    "alb": {
        "downstream_cx_active": "ActiveConnectionCount",
        "downstream_cx_total": "NewConnectionCount",
        "downstream_cx_overflow": "RejectedConnectionCount",
        "ssl.connection_error": "ClientTLSNegotiationErrorCount",
    },
}
"""Statistic of a listener → metric, by balancer type."""


def metrics(admin: str, kind: str, balancer: str | None = None) -> dict[str, int]:
    """Return the metrics of one balancer, or of all balancers of a type together, since the start.

    Args:
        admin: URL of the admin interface of the Envoy of this type.
        kind: type of the balancer, `nlb` or `alb`.
        balancer: `stat_name` of one balancer; None for all.

    Raises:
        Missing: the Envoy does not answer.
    """
    query = urllib.parse.urlencode({"format": "json", "filter": rf"^listener\.{kind}_"})
    try:
        stats = json.loads(loopback_http.get(f"{admin}/stats?{query}"))["stats"]
    except OSError as error:
        raise Missing(f"the Envoy of the {kind}s does not answer: {error}") from None
    result = dict.fromkeys(LISTENER[kind].values(), 0)
    for stat in stats:
        # listener.<kind>_<balancer>.<statistic>; statistics of a worker thread have one part more
        _, name, suffix = (*stat.get("name", "").split(".", 2), "", "")[:3]
        if suffix in LISTENER[kind] and (balancer is None or name == f"{kind}_{balancer}"):
            result[LISTENER[kind][suffix]] += stat["value"]
    return result
