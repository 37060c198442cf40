"""What happened in a run apart from its requests: steps, actions, expectations, records, balancers, logs.

These events are few, so they are kept whole; requests and access log lines are many and live in the
columns of `ledger`.
"""

from __future__ import annotations

import bisect
import enum
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from testbed import journal
from testbed.clock import Clock

LOG_LINES_KEPT = 5_000


class Via(enum.StrEnum):
    """Through which kind of balancer a request went."""

    NLB = "nlb"
    ALB = "alb"
    NONE = "none"
    """No target answered, so nobody can say."""
    UNKNOWN = "unknown"
    """A target answered, but the peer that it saw is no node of a balancer, or of two kinds."""


@dataclass(frozen=True, slots=True)
class Step:
    """A step and its window in wall seconds; `end` is None while it was not finished.

    `until` is where the next step begins: what was intended between two steps belongs to the earlier one.
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
    """An alias A record was written (`target` a DNS name) or deleted (`target` empty)."""

    time: float
    name: str
    action: str
    target: str
    via: Via | None


@dataclass(slots=True)
class Story:
    """The few and whole events of a journal, in the order in which they were read."""

    runs: list[journal.Run] = field(default_factory=list)
    started: list[journal.StepStarted] = field(default_factory=list)
    finished: list[journal.StepFinished] = field(default_factory=list)
    actions: list[journal.Action] = field(default_factory=list)
    commands: list[journal.Command] = field(default_factory=list)
    expectations: list[journal.Expectation] = field(default_factory=list)
    losses_accepted: list[journal.LossesAccepted] = field(default_factory=list)
    thresholds: list[journal.Threshold] = field(default_factory=list)
    balancers: list[journal.Balancer] = field(default_factory=list)
    dns_changes: list[journal.DnsChange] = field(default_factory=list)
    dns_answers: list[journal.DnsAnswer] = field(default_factory=list)
    api_calls: list[journal.ApiCall] = field(default_factory=list)
    logs: list[journal.Log] = field(default_factory=list)
    connections: list[journal.Connection] = field(default_factory=list)
    traffic: list[journal.TrafficStopped] = field(default_factory=list)
    metrics: list[journal.Metrics] = field(default_factory=list)
    ended: list[journal.RunFinished] = field(default_factory=list)
    first: float | None = None
    last: float | None = None
    logs_left_out: int = 0

    def add(self, event: journal.Event) -> None:
        """Keep an event that is neither a request nor an access log line.

        What a part logs when it is taken down, after the run, is not the run's.
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
            case journal.Command():
                self.commands.append(event)
            case journal.Expectation():
                self.expectations.append(event)
            case journal.LossesAccepted():
                self.losses_accepted.append(event)
            case journal.Threshold():
                self.thresholds.append(event)
            case journal.Balancer():
                self.balancers.append(event)
            case journal.DnsChange():
                self.dns_changes.append(event)
            case journal.DnsAnswer():
                self.dns_answers.append(event)
            case journal.ApiCall():
                self.api_calls.append(event)
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
                pass  # an event of a newer part, which the verdict does not depend on
        self.saw(float(event.time))

    def saw(self, time: float) -> None:
        """Widen the span of the run to a wall time."""
        self.first = time if self.first is None else min(self.first, time)
        self.last = time if self.last is None else max(self.last, time)

    def _add_log(self, event: journal.Log) -> None:
        if len(self.logs) < LOG_LINES_KEPT:
            self.logs.append(event)
        else:
            self.logs_left_out += 1

    @property
    def begin(self) -> float:
        """Wall time of the run's first event."""
        return self.first if self.first is not None else 0.0

    @property
    def end(self) -> float:
        """Wall time of the run's last event."""
        return self.last if self.last is not None else self.begin

    @property
    def speed(self) -> float:
        """Production seconds that pass in a wall second."""
        return self.clock.speed

    @property
    def clock(self) -> Clock:
        """The clock of the run; of a journal without a `run` event, one of speed 1."""
        if self.runs:
            fields = self.runs[0].clock
            speed = float(fields.get("speed", 1.0))
            epoch = float(fields.get("epoch", self.begin))
            return Clock(speed if speed > 0 else 1.0, epoch, 0.0)
        return Clock(1.0, self.begin, 0.0)

    @property
    def is_complete(self) -> bool:
        """Whether the run was played to its end."""
        return bool(self.ended) and all(event.reason == "complete" for event in self.ended)

    def steps(self) -> tuple[Step, ...]:
        """The steps in the order of their start."""
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

    def via_by_address(self) -> Mapping[str, Via]:
        """Which kind of balancer a node address belongs to; one claimed by both kinds is unknown."""
        found: dict[str, Via] = {}
        for event in self.balancers:
            for address in (*event.addresses, *event.peers):
                via = Via(event.type)
                found[address] = via if found.get(address, via) is via else Via.UNKNOWN
        return found

    def via_by_name(self) -> Mapping[str, Via]:
        """The kind of each balancer by its DNS name, lower case, without trailing dot."""
        return {_plain(event.dns_name): Via(event.type) for event in self.balancers}

    def alias_changes(self) -> tuple[AliasChange, ...]:
        """The A aliases that Route 53 took, in the order of time.

        A weighted name is where all of its weight is; while balancers share it, it has not moved.
        """
        names = self.via_by_name()
        found = []
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
                target = _plain(str(alias.get("DNSName", "")))
                name = _plain(str(records.get("Name", "")))
                if (identifier := records.get("SetIdentifier")) is not None and "Weight" in records:
                    sets = weighted.setdefault(name, {})
                    sets.pop(str(identifier), None)
                    if action != "DELETE":
                        sets[str(identifier)] = target, int(records["Weight"])
                    shared[name] = None
                    continue
                target = "" if action == "DELETE" else target
                found.append(AliasChange(event.time, name, action, target, names.get(target)))
            for name in shared:
                found += _settled(event.time, name, weighted[name], names, found)
        return tuple(found)


def _settled(
    time: float,
    name: str,
    sets: Mapping[str, tuple[str, int]],
    names: Mapping[str, Via],
    before: Sequence[AliasChange],
) -> list[AliasChange]:
    """The change that a weighted name made, if all of its weight is at another balancer than before."""
    targets = {target for target, weight in sets.values() if weight} or {
        target for target, _ in sets.values()
    }
    last = next((change.target for change in reversed(before) if change.name == name), None)
    if not targets:
        return [AliasChange(time, name, "DELETE", "", None)]
    target = targets.pop()
    if targets or target == last:
        return []
    return [AliasChange(time, name, "UPSERT", target, names.get(target))]


@dataclass(frozen=True, slots=True)
class Windows:
    """Finds the step of a moment; 0 is before the first step."""

    steps: tuple[Step, ...]
    starts: tuple[float, ...]

    @classmethod
    def of(cls, steps: tuple[Step, ...]) -> Windows:
        """The windows of steps that are in the order of their start."""
        return cls(steps, tuple(step.start for step in steps))

    def index(self, time: float) -> int:
        """0 before the first step, else the position of the step, from 1."""
        return bisect.bisect_right(self.starts, time)

    def number(self, time: float) -> int:
        """The number of the step that a moment belongs to, 0 before the first."""
        index = self.index(time)
        return self.steps[index - 1].number if index else 0


def _plain(name: str) -> str:
    return name.lower().rstrip(".").removeprefix("dualstack.")
