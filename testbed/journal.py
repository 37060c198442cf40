"""The journal: one NDJSON file to which every process of a run appends what happened, as it happens.

Each line is one event: `{"event": <kind>, "time": <wall seconds since the epoch>, ...}`. Lines are
appended whole, in one write, so several processes share the file and a run that is killed leaves a
journal that can be read up to its last line. The verdict is computed from the journal alone.

Times are wall seconds since the epoch as floats; the `run` event holds the clock that turns them into
production time.
"""

from __future__ import annotations

import errno
import os
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar, Literal

import orjson

from testbed.errors import BadInput, Location, Missing

Outcome = Literal["ok", "failed", "unknown"]
"""unknown: reset or timed out after it was sent, so nobody can say whether it was served."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """Base of all events; `time` is wall seconds since the epoch."""

    kind: ClassVar[str]
    time: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Run(Event):
    """First line: what is played, how, and the clock."""

    kind: ClassVar[str] = "run"
    scenario: str
    title: str
    clock: dict[str, float]
    rate: float
    seed: int
    external_dns: str
    network: str
    host: str
    testbed: str
    machine: str


@dataclass(frozen=True, slots=True, kw_only=True)
class StepStarted(Event):
    """A step of the scenario begins; it ends with `step_finished` of the same number."""

    kind: ClassVar[str] = "step_started"
    number: int
    title: str
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class StepFinished(Event):
    """A step ended; `outcome` passed, failed or interrupted."""

    kind: ClassVar[str] = "step_finished"
    number: int
    outcome: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Action(Event):
    """What the operator did: one sentence, e.g. `annotate service/envoy hostname-`."""

    kind: ClassVar[str] = "action"
    step: int
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Command(Event):
    """A command of a runbook has ended; `status` None: it took too long. `seconds` are wall time."""

    kind: ClassVar[str] = "command"
    step: int
    command: str
    status: int | None
    stdout: str
    stderr: str
    seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Expectation(Event):
    """What the scenario expected, and what was so. A failed one fails the verdict."""

    kind: ClassVar[str] = "expectation"
    step: int
    text: str
    passed: bool
    detail: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class LossesAccepted(Event):
    """The scenario accepts that requests are lost; without it each of them fails the verdict."""

    kind: ClassVar[str] = "losses_accepted"
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Threshold(Event):
    """A limit that the run is held to, e.g. `p99 < 250ms`; the verdict measures it."""

    kind: ClassVar[str] = "threshold"
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Balancer(Event):
    """A load balancer changed its state. `addresses` are its nodes, one a zone.

    `peers` are the addresses of the same nodes as their targets see them, if those are others.
    """

    kind: ClassVar[str] = "balancer"
    name: str
    type: Literal["nlb", "alb"]
    dns_name: str
    state: str
    addresses: tuple[str, ...]
    peers: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class DnsChange(Event):
    """A ChangeResourceRecordSets call that Route 53 took or refused (`refused` says why).

    `changes` are as the API has them: `Action` and `ResourceRecordSet`.
    """

    kind: ClassVar[str] = "dns_change"
    zone: str
    changes: tuple[dict[str, Any], ...]
    refused: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class DnsAnswer(Event):
    """The DNS server answered something else than before for a name and type."""

    kind: ClassVar[str] = "dns_answer"
    name: str
    type: str
    rcode: str
    answers: tuple[str, ...]
    ttl: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiCall(Event):
    """A mutating call of an AWS API."""

    kind: ClassVar[str] = "api_call"
    service: str
    operation: str
    status: int
    summary: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Log(Event):
    """A log line of a component, with its own production timestamp inside `line` if it has one."""

    kind: ClassVar[str] = "log"
    component: str
    level: str
    message: str
    line: str


CLIENTS_STOPPED = "the clients stopped"
"""Why connections closed that stood until the end of the traffic: they left no balancer by themselves."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Connection(Event):
    """A client opened (`state` open) or lost (`state` closed) a connection."""

    kind: ClassVar[str] = "connection"
    id: str
    client: str
    state: Literal["open", "closed"]
    address: str
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Request(Event):
    """One request in the ledger; `time` is when it finished.

    Attributes:
        id: unique in the run; sent as `x-request-id`, so the target's access log has it too.
        client: which client model sent it, `app-3` or `server-1`.
        protocol: `grpc` or `rest`.
        method: gRPC method or `GET /path`.
        shape: unary, server_stream, client_stream, bidi.
        intended: when the schedule wanted it sent, wall seconds.
        sent: when it was sent.
        address: what the client asked: name:port.
        peer: the balancer node that the target saw (response header x-testbed-peer), "" if unanswered.
        connection: which connection carried it, as its far end saw it (response header x-testbed-connection):
            through an ALB the client's address and port, through an NLB that of the NLB's node, which opens
            one connection to the target for each of its clients'; "" if unanswered.
        pod, listener: which target Envoy pod and listener answered, "" if unanswered.
        status: HTTP status or gRPC status name.
        outcome: ok, failed or unknown.
        detail: the error, if not ok.
        retries: attempts beyond the first.
    """

    kind: ClassVar[str] = "request"
    id: str
    client: str
    protocol: Literal["grpc", "rest"]
    method: str
    shape: str
    intended: float
    sent: float
    address: str
    peer: str
    pod: str
    listener: str
    status: str
    outcome: Outcome
    detail: str = ""
    retries: int = 0
    connection: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Access(Event):
    """One line of a target Envoy's access log; `time` is the request's start there."""

    kind: ClassVar[str] = "access"
    id: str
    pod: str
    listener: str
    peer: str
    connection: str
    protocol: str
    method: str
    path: str
    status: int
    grpc_status: str
    flags: str
    duration: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Metrics(Event):
    """CloudWatch metrics of a balancer over the run; `balancer` as in access logs, `app/<name>/<16 hex>`."""

    kind: ClassVar[str] = "metrics"
    balancer: str
    values: dict[str, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class TrafficStopped(Event):
    """The generator's own account: what it meant to send and what it could not start in time."""

    kind: ClassVar[str] = "traffic_stopped"
    scheduled: int
    sent: int
    finished: int
    never_started: int


@dataclass(frozen=True, slots=True, kw_only=True)
class RunFinished(Event):
    """Last line: `reason` complete, interrupted or error (then `detail` tells)."""

    kind: ClassVar[str] = "run_finished"
    reason: str
    detail: str = ""


EVENTS: dict[str, type[Event]] = {
    event.kind: event
    for event in (
        Run, StepStarted, StepFinished, Action, Command, Expectation, LossesAccepted, Threshold, Balancer,
        DnsChange, DnsAnswer, ApiCall, Log, Connection, Request, Access, Metrics, TrafficStopped, RunFinished,
    )
}  # fmt: skip


@dataclass(slots=True)
class Journal:
    """Appends events to a file that several processes may share.

    `listener` is called with each event written here, e.g. to show it; not with those of other processes.

    Raises:
        Missing: the disk is full or the folder cannot be written.
    """

    path: Path
    listener: Callable[[Event], None] | None = None
    _descriptor: int = field(init=False)
    _lock: threading.Lock = field(init=False, default_factory=threading.Lock)

    def __post_init__(self) -> None:
        try:
            self._descriptor = os.open(self.path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
        except OSError as error:
            raise _unwritable(self.path, error) from None

    def write(self, *events: Event) -> None:
        """Append events, each a whole line, in one write."""
        self.append(b"".join(map(encode, events)))
        if self.listener:
            for event in events:
                self.listener(event)

    def append(self, data: bytes) -> None:
        """Append whole lines that `encode` made before, in one write."""
        if not data:
            return
        try:
            with self._lock:
                while data:
                    data = data[os.write(self._descriptor, data) :]
        except OSError as error:
            raise _unwritable(self.path, error) from None

    def close(self) -> None:
        """Close the file; a closed journal takes no more events."""
        os.close(self._descriptor)

    def __enter__(self) -> Journal:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def encode(event: Event) -> bytes:
    """The event as one line of JSON."""
    fields = orjson.dumps(event, option=orjson.OPT_APPEND_NEWLINE)
    return b'{"event":"%b",%b' % (event.kind.encode(), fields.removeprefix(b"{"))


def read(path: Path) -> Iterator[Event]:
    """The events of a journal in file order; a torn last line is left out.

    Raises:
        BadInput: no such file, or a line that is no event of this version.
    """
    for number, kind, fields in rows(path):
        try:
            event = EVENTS[kind](**fields)
        except (KeyError, TypeError):
            raise not_an_event(path, number) from None
        yield event


def rows(path: Path) -> Iterator[tuple[int, str, dict[str, Any]]]:
    """Line number, kind and fields of each event: for readers of many, who need no objects.

    Raises:
        BadInput: no such file, an empty one, or a line that is no JSON object with an event.
    """
    number = 0
    try:
        with path.open("rb") as lines:
            for number, line in enumerate(lines, start=1):
                if not line.endswith(b"\n"):
                    return  # the writer was killed in the middle of its last line
                try:
                    fields = orjson.loads(line)
                    kind = fields.pop("event")
                except (ValueError, KeyError, TypeError, AttributeError):
                    raise not_an_event(path, number) from None
                yield number, kind, fields
    except OSError as error:
        raise BadInput(f"journal cannot be read: {error.strerror}", where=Location(path)) from None
    if number == 0:
        raise BadInput("the journal is empty", where=Location(path))


def not_an_event(path: Path, number: int) -> BadInput:
    """The error for a line that no testbed of this version wrote."""
    return BadInput("not an event of a testbed journal", where=Location(path, number))


def _unwritable(path: Path, error: OSError) -> Missing:
    do = "free some space" if error.errno == errno.ENOSPC else "name another folder with --report"
    return Missing(f"{path} cannot be written: {error.strerror}", do=do)
