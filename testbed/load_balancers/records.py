"""What the balancers leave at the end of a run: the ALBs' access log, and metrics in the journal."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import orjson

from testbed.clock import Clock
from testbed.errors import Location, Missing
from testbed.journal import Journal, Metrics
from testbed.load_balancers import access_log, cloudwatch
from testbed.load_balancers.fleet import ALB_LOG, NLB_LOG, Fleet
from testbed.load_balancers.metrics import metrics
from testbed.load_balancers.resources import Kind

ACCESS_LOG = "alb-access.log"
"""In the report's folder."""


def record(
    fleet: Fleet, admins: Mapping[Kind, str], logs: Path, report: Path, clock: Clock, journal: Journal
) -> None:
    """Write the access log into the report's folder and the metrics into the journal.

    Args:
        fleet: the balancers.
        admins: URL of the admin interface of the Envoy of each type.
        logs: where the Envoys write.
        report: the folder of the report; ALBs that served nothing leave no log.

    Raises:
        Missing: the folder cannot be written, or an Envoy does not answer.
    """
    source = logs / ALB_LOG
    if source.is_file() and source.stat().st_size:
        try:
            access_log.write(source, report / ACCESS_LOG, clock)
        except OSError as error:
            raise Missing(f"{report / ACCESS_LOG} cannot be written: {error.strerror}") from None
    told = cloudwatch.application(lines(source)) | cloudwatch.network(lines(logs / NLB_LOG))
    for balancer in fleet.state.balancers:
        values = told.setdefault(balancer.id, {})
        for name, value in metrics(admins[balancer.type], balancer.type, balancer.name).items():
            if name == "NewFlowCount":  # the log has those that have ended
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
            for identity, values in sorted(told.items())
        )
    )


def lines(path: Path) -> Iterator[Mapping[str, Any]]:
    """The lines of a JSON log; none if there is no such file. A torn last line is left out.

    Raises:
        Missing: a line before it is torn.
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
                raise Missing("a line of the balancer's log is torn", where=Location(path, number)) from None
