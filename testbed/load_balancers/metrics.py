"""CloudWatch metrics of the balancers, counted by their Envoys.

Names as in AWS/NetworkELB and AWS/ApplicationELB; what Envoy does not count is not there.
"""

from __future__ import annotations

import json
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Mapping

from testbed.errors import Missing
from testbed.settings import PATIENCE

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
    """The metrics of a balancer by its name, or of all of a type together, since the start.

    Args:
        admin: URL of the admin interface of the Envoy of this type.
        kind: nlb or alb.
        balancer: name of one balancer.

    Raises:
        Missing: the Envoy does not answer.
    """
    query = urllib.parse.urlencode({"format": "json", "filter": rf"^listener\.{kind}_"})
    try:
        with urllib.request.urlopen(f"{admin}/stats?{query}", timeout=PATIENCE.api_call) as answer:  # noqa: S310
            stats = json.load(answer)["stats"]
    except (urllib.error.URLError, OSError) as error:
        raise Missing(f"the Envoy of the {kind}s does not answer: {error}") from None
    result = dict.fromkeys(LISTENER[kind].values(), 0)
    for stat in stats:
        # listener.<kind>_<balancer>.<statistic>; those of a worker thread have one name more
        _, name, suffix = (*stat.get("name", "").split(".", 2), "", "")[:3]
        if suffix in LISTENER[kind] and (balancer is None or name == f"{kind}_{balancer}"):
            result[LISTENER[kind][suffix]] += stat["value"]
    return result
