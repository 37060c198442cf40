"""The history of a run apart from its requests: steps, actions, expectations, records, balancers, logs.

These events are few, so they are kept whole. Requests and access log lines are many; `reconciliation` keeps
them in columns.
"""

from __future__ import annotations

import bisect
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from testbed import journal
from testbed.balancer_identity import UNKNOWN, plain_dns_name
from testbed.clock import Clock
from testbed.verdict.balancers import Balancers

LOG_LINES_KEPT = 5_000  # ExternalDNS logs at level debug, for hours if the story lasts that long


@dataclass(frozen=True, slots=True)
class Step:
    """A step and its window in wall seconds; `end` is None while it was not finished.

    `until` is the start of the next step: requests that were due between two steps belong to the earlier.
    """

    number: int
    title: str
    why: str
    start: float
    end: float | None
    until: float
    outcome: str


@dataclass(frozen=True, slots=True)
class AliasChange:
    """An alias A record was written (`target` a DNS name) or deleted (`target` empty).

    `balancer` is the name of the balancer that it points to; None if that is none of the run's.
    """

    time: float
    name: str
    action: str
    target: str
    balancer: str | None


@dataclass(slots=True)
class History:
    """The events of a journal other than requests and access log lines, in the order of the file."""

    runs: list[journal.Run] = field(default_factory=list)
    started: list[journal.StepStarted] = field(default_factory=list)
    finished: list[journal.StepFinished] = field(default_factory=list)
    actions: list[journal.Action] = field(default_factory=list)
    page_acts: list[journal.PageAct] = field(default_factory=list)
    faults: list[journal.FaultStarted | journal.FaultEnded] = field(default_factory=list)
    clients: list[journal.Clients] = field(default_factory=list)
    rates_lowered: list[journal.RateLowered] = field(default_factory=list)
    standstills: list[journal.Standstill] = field(default_factory=list)
    traffic_orders: list[journal.TrafficStarted | journal.TrafficStopRequested] = field(default_factory=list)
    commands: list[journal.Command] = field(default_factory=list)
    expectations: list[journal.Expectation] = field(default_factory=list)
    losses_accepted: list[journal.LossesAccepted] = field(default_factory=list)
    thresholds: list[journal.Threshold] = field(default_factory=list)
    balancers: list[journal.Balancer] = field(default_factory=list)
    balancer_names: list[journal.BalancerNamed] = field(default_factory=list)
    dns_changes: list[journal.DnsChange] = field(default_factory=list)
    dns_answers: list[journal.DnsAnswer] = field(default_factory=list)
    api_calls: list[journal.ApiCall] = field(default_factory=list)
    left_out: list[journal.LeftOut] = field(default_factory=list)
    real_controllers: list[journal.RealController] = field(default_factory=list)
    logs: list[journal.Log] = field(default_factory=list)
    controller_events: list[journal.ControllerEvent] = field(default_factory=list)
    controller_logs: list[journal.Log] = field(default_factory=list)
    part_errors: list[journal.Log] = field(default_factory=list)
    connections: list[journal.Connection] = field(default_factory=list)
    traffic: list[journal.TrafficStopped] = field(default_factory=list)
    metrics: list[journal.Metrics] = field(default_factory=list)
    ended: list[journal.RunFinished] = field(default_factory=list)
    first: float | None = None
    last: float | None = None
    logs_left_out: int = 0

    def add(self, event: journal.Event) -> None:
        """Add an event that is neither a request nor an access log line.

        Log lines after the end of the run are dropped: components write them while they are stopped.
        """
        if self.ended and isinstance(event, journal.Log):
            return
        match event:
            case journal.Run():
                self.runs.append(event)
            case journal.StepStarted():
                self.started.append(event)
            case journal.StepFinished():
                self.finished.append(event)
            case journal.Action():
                self.actions.append(event)
            case journal.PageAct():
                self.page_acts.append(event)
            case journal.FaultStarted() | journal.FaultEnded():
                self.faults.append(event)
            case journal.Command():
                self.commands.append(event)
            case journal.Clients():
                self.clients.append(event)
            case journal.Standstill():
                self.standstills.append(event)
            case journal.RateLowered():
                self.rates_lowered.append(event)
            case journal.TrafficStarted() | journal.TrafficStopRequested():
                self.traffic_orders.append(event)
            case journal.Expectation():
                self.expectations.append(event)
            case journal.LossesAccepted():
                self.losses_accepted.append(event)
            case journal.Threshold():
                self.thresholds.append(event)
            case journal.Balancer():
                self.balancers.append(event)
            case journal.BalancerNamed():
                self.balancer_names.append(event)
            case journal.DnsChange():
                self.dns_changes.append(event)
            case journal.DnsAnswer():
                self.dns_answers.append(event)
            case journal.ApiCall():
                self.api_calls.append(event)
            case journal.ControllerEvent():
                self.controller_events.append(event)
            case journal.RealController():
                self.real_controllers.append(event)
            case journal.LeftOut():
                self.left_out.append(event)
            case journal.Log():
                self._add_log(event)
            case journal.Connection():
                self.connections.append(event)
            case journal.Metrics():
                self.metrics.append(event)
            case journal.TrafficStopped():
                self.traffic.append(event)
            case journal.RunFinished():
                self.ended.append(event)
            case _:
                pass  # the verdict does not depend on it
        self.saw(float(event.time))

    def saw(self, time: float) -> None:
        """Extend the time span of the run to a wall time."""
        self.first = time if self.first is None else min(self.first, time)
        self.last = time if self.last is None else max(self.last, time)

    def _add_log(self, event: journal.Log) -> None:
        if event.is_controller_error:
            self.controller_logs.append(event)
        if event.is_part_error:  # of these, none may get lost
            self.part_errors.append(event)
        if len(self.logs) < LOG_LINES_KEPT:
            self.logs.append(event)
        else:
            self.logs_left_out += 1

    @property
    def begin(self) -> float:
        """Wall time of the `run` event, or of the first event if there is none."""
        # Not of the first event: before the run the topology creates its hosted zone, and the terminal, which
        # shows the story while it is played, cannot know when. A moment must have one time in all reports.
        if self.runs:
            return self.runs[0].time
        return self.first if self.first is not None else 0.0

    @property
    def end(self) -> float:
        """Wall time of the run's last event."""
        return self.last if self.last is not None else self.begin

    @property
    def rate(self) -> float:
        """Requests per wall second that the run was meant to send; 0 if the journal has no `run` event."""
        return self.runs[0].rate if self.runs else 0.0

    @property
    def speed(self) -> float:
        """Production seconds that pass in a wall second."""
        return self.clock.speed

    @property
    def connection_age(self) -> float | None:
        """The targets' maximum age of a connection in production seconds; None for no limit."""
        return self.runs[0].connection_age if self.runs else None

    @property
    def clock(self) -> Clock:
        """The clock of the run; speed 1 if the journal has no `run` event."""
        if self.runs:
            fields = self.runs[0].clock
            speed = float(fields.get("speed", 1.0))
            epoch = float(fields.get("epoch", self.begin))
            return Clock(speed if speed > 0 else 1.0, epoch, 0.0)
        return Clock(1.0, self.begin, 0.0)

    @property
    def is_complete(self) -> bool:
        """True if the run was played to its end."""
        return bool(self.ended) and all(event.reason == "complete" for event in self.ended)

    def steps(self) -> tuple[Step, ...]:
        """Return the steps in the order of their start."""
        ends = {event.number: event for event in self.finished}
        starts = sorted(self.started, key=lambda event: event.time)
        steps = []
        for index, event in enumerate(starts):
            end = ends.get(event.number)
            until = starts[index + 1].time if index + 1 < len(starts) else max(self.end, event.time)
            steps.append(
                Step(
                    event.number,
                    event.title,
                    event.why,
                    event.time,
                    end.time if end else None,
                    until,
                    end.outcome if end else "unfinished",
                )
            )
        return tuple(steps)

    def named_balancers(self) -> Balancers:
        """Return the balancers of the run by name. A name depends on all of them, so call it at the end."""
        return Balancers.of(self.balancers, self.balancer_names)

    def balancer_by_address(self) -> Mapping[str, str]:
        """Map each node address to the name of its balancer; an address of two balancers is unknown."""
        balancers = self.named_balancers()
        by_address: dict[str, str] = {}
        for event in self.balancers:
            name = balancers.name_of(event.dns_name)
            # Targets in containers see an NLB's node by another address than the clients.
            for address in (*event.addresses, *event.peers):
                by_address[address] = name if by_address.get(address, name) == name else UNKNOWN
        return by_address

    def alias_changes(self) -> tuple[AliasChange, ...]:
        """Return the changes of A aliases that Route 53 accepted, in the order of time.

        A name with several record sets, by weight or by place, points where all that answer lead; while
        balancers share it, it has not moved.
        """
        names = self.named_balancers().by_dns_name()
        accepted = []
        weighted: dict[str, dict[str, tuple[str, int]]] = {}
        for event in sorted(self.dns_changes, key=lambda one: one.time):
            if event.refused:
                continue
            shared: dict[str, None] = {}
            for change in event.changes:
                records: Mapping[str, Any] = change.get("ResourceRecordSet") or {}
                alias = records.get("AliasTarget")
                if records.get("Type") != "A" or not alias:
                    continue
                action = str(change.get("Action", "UPSERT"))
                target = plain_dns_name(str(alias.get("DNSName", "")))
                name = plain_dns_name(str(records.get("Name", "")))
                if (identifier := records.get("SetIdentifier")) is not None:
                    sets = weighted.setdefault(name, {})
                    sets.pop(str(identifier), None)
                    if action != "DELETE":
                        # The secondary of a failover pair answers only while the primary is unhealthy.
                        answers = 0 if records.get("Failover") == "SECONDARY" else 1
                        sets[str(identifier)] = target, int(records.get("Weight", answers))
                    shared[name] = None
                    continue
                target = "" if action == "DELETE" else target
                accepted.append(AliasChange(event.time, name, action, target, names.get(target)))
            for name in shared:
                accepted += _settled(event.time, name, weighted[name], names, accepted)
        return tuple(accepted)


def _settled(
    time: float,
    name: str,
    sets: Mapping[str, tuple[str, int]],
    names: Mapping[str, str],
    before: Sequence[AliasChange],
) -> list[AliasChange]:
    """Return the change of a weighted name, if all of its weight is now at another balancer."""
    # If all weights are 0, Route 53 answers with every record, with equal probability. Source: Route 53
    # Developer Guide, "Values specific for weighted records", Weight.
    targets = {target for target, weight in sets.values() if weight} or {
        target for target, _ in sets.values()
    }
    last = next((change.target for change in reversed(before) if change.name == name), None)
    if not targets:
        return [AliasChange(time, name, "DELETE", "", None)]
    target = targets.pop()
    # While two balancers share the weight, or the same one got more of it, the name has not moved.
    if targets or target == last:
        return []
    return [AliasChange(time, name, "UPSERT", target, names.get(target))]


@dataclass(frozen=True, slots=True)
class StepWindows:
    """Finds the step that a moment belongs to; 0 is before the first step."""

    steps: tuple[Step, ...]
    starts: tuple[float, ...]

    @classmethod
    def of(cls, steps: tuple[Step, ...]) -> StepWindows:
        """Return the windows of steps, which are in the order of their start."""
        return cls(steps, tuple(step.start for step in steps))

    def index(self, time: float) -> int:
        """Return the position of the step, from 1, or 0 before the first step."""
        return bisect.bisect_right(self.starts, time)

    def number(self, time: float) -> int:
        """Return the number of the step, or 0 before the first step."""
        index = self.index(time)
        return self.steps[index - 1].number if index else 0
