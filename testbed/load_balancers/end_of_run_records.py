"""Records of the balancers at the end of a run: the access log of the ALBs, and metrics in the journal."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import orjson

from testbed.clock import Clock
from testbed.errors import Location, Missing
from testbed.journal import Journal, Metrics
from testbed.load_balancers import alb_access_log, cloudwatch_metrics
from testbed.load_balancers.envoy_fleet import ALB_LOG, NLB_LOG, Fleet
from testbed.load_balancers.envoy_stats import metrics
from testbed.network import BalancerType

ACCESS_LOG = "alb-access.log"
"""Name of the access log in the report's folder."""


def record(
    fleet: Fleet, admins: Mapping[BalancerType, str], logs: Path, report: Path, clock: Clock, journal: Journal
) -> None:
    """Write the access log into the report's folder and the metrics into the journal.

    Args:
        fleet: the balancers.
        admins: URL of the admin interface of the Envoy, by type of balancer.
        logs: folder in which the Envoys write.
        report: folder of the report; it gets no access log if the ALBs served nothing.
        clock: the run's clock.
        journal: the run's journal.

    Raises:
        Missing: the folder cannot be written, or an Envoy does not answer.
    """
    source = logs / ALB_LOG
    if source.is_file() and source.stat().st_size:
        try:
            alb_access_log.write(source, report / ACCESS_LOG, clock)
        except OSError as error:
            raise Missing(f"{report / ACCESS_LOG} cannot be written: {error.strerror}") from None
    metrics_of = cloudwatch_metrics.application(lines(source)) | cloudwatch_metrics.network(
        lines(logs / NLB_LOG)
    )
    for balancer in fleet.state.balancers:
        values = metrics_of.setdefault(balancer.id, {})
        for name, value in metrics(admins[balancer.type], balancer.type, balancer.stat_name).items():
            if name == "NewFlowCount":  # counted from the log, which has the flows that have ended
                continue
            values[name] = value
            if name == "ActiveFlowCount":
                values["NewFlowCount"] = values.get("NewFlowCount", 0) + value
        states = [state for (arn, _), state in fleet.health.states().items() if arn in balancer.groups]
        values["HealthyHostCount"] = states.count("healthy")
        values["UnHealthyHostCount"] = states.count("unhealthy")
    moment = clock.wall()
    journal.write(
        *(
            Metrics(time=moment, balancer=identity, values=dict(sorted(values.items())))
            for identity, values in sorted(metrics_of.items())
        )
    )


def lines(path: Path) -> Iterator[Mapping[str, Any]]:
    """Yield the lines of a JSON log; none if the file does not exist. A torn last line is left out.

    Raises:
        Missing: a line before the last one is torn.
    """
    if not path.is_file():
        return
    with path.open("rb") as file:
        for number, line in enumerate(file, 1):
            if not line.endswith(b"\n"):
                return
            try:
                yield orjson.loads(line)
            except orjson.JSONDecodeError:
                raise Missing(
                    "a line of the balancer's log is incomplete", where=Location(path, number)
                ) from None
