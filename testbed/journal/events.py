"""The events of a run: one frozen dataclass for each kind.

Times are wall seconds since the epoch as floats; the `run` event holds the clock that converts them to
production time.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, Literal

from testbed.network import BalancerType

FORMAT = 2
"""Number of the format that this version writes; journals of testbed 0.1 have format 1."""

Outcome = Literal["ok", "failed", "unknown"]
Family = Literal["ipv4", "ipv6"]
"""unknown: reset or timed out after it was sent, so the client cannot know whether it was served."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """Base of all events; `time` is wall seconds since the epoch."""

    kind: ClassVar[str]
    time: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Run(Event):
    """First line: the scenario, its settings, and the clock.

    Attributes:
        id: of this run alone; the ids of its requests begin with it. "" in journals of testbed 0.2.
        external_dns: the release that ExternalDNS decides as; "" if the cluster has none.
        lb_controller: the release that the AWS Load Balancer Controller decides as.
        external_dns_binary, lb_controller_binary: the file that is it, in the place of the emulation; "" for
            the emulation.
        external_dns_by, lb_controller_by: who names the release: `--external-dns`, `the scenario`; "" in
            journals of testbed 0.1.
        command: the command that plays it again; "" in journals of testbed 0.2.
        connection_age: the targets' maximum age of a connection in production seconds; None for no limit.
    """

    kind: ClassVar[str] = "run"
    scenario: str
    title: str
    clock: dict[str, float]
    rate: float
    seed: int
    external_dns: str
    external_dns_by: str = ""
    external_dns_binary: str = ""
    lb_controller: str = ""
    lb_controller_by: str = ""
    lb_controller_binary: str = ""
    network: str
    host: str
    testbed: str
    machine: str
    id: str = ""
    command: str = ""
    connection_age: float | None = None
    format: int = FORMAT  # missing in format 1; the reader of the file fills it in


@dataclass(frozen=True, slots=True, kw_only=True)
class RealController(Event):
    """A user's own binary is a controller of the run, in the place of the emulation.

    Attributes:
        component: as of its log lines: `external-dns`, `lb-controller`.
        release: as it tells, `v0.21.0`; `unknown` if it tells none.
        path: of the file, as the user wrote it.
        command: the whole command line, without secrets.
        changed: a clause for each flag that the run changed.
        unscaled: a clause for each interval that the speed of the run does not shorten.
        is_closed: True if a network namespace keeps it in; False if only its environment and the proxy do.
    """

    kind: ClassVar[str] = "real_controller"
    component: str
    release: str
    path: str
    command: str
    changed: tuple[str, ...] = ()
    unscaled: tuple[str, ...] = ()
    is_closed: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class StepStarted(Event):
    """A step of the scenario begins; `step_finished` with the same number ends it."""

    kind: ClassVar[str] = "step_started"
    number: int
    title: str
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class StepFinished(Event):
    """A step ended; `outcome` is passed, failed or interrupted."""

    kind: ClassVar[str] = "step_finished"
    number: int
    outcome: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Action(Event):
    """What the operator does: one sentence for people, e.g. `annotate service/envoy hostname-`."""

    kind: ClassVar[str] = "action"
    step: int
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PageAct(Event):
    """A person acted on the live page: paused, went on, predicted, or ordered a fault; one sentence."""

    kind: ClassVar[str] = "page_act"
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class FaultStarted(Event):
    """A fault strikes from now on; `fault_ended` with the same number undoes it.

    Attributes:
        number: of the fault in this run, from 1.
        name: of its class, `target-killed`.
        text: the fault with its parameters, `target-killed envoy-1`.
    """

    kind: ClassVar[str] = "fault_started"
    number: int
    name: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class FaultEnded(Event):
    """A fault is undone: what it struck is as before."""

    kind: ClassVar[str] = "fault_ended"
    number: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Command(Event):
    """A command of a runbook ended. `status` is None if it took too long; `seconds` are wall time."""

    kind: ClassVar[str] = "command"
    step: int
    command: str
    status: int | None
    stdout: str
    stderr: str
    seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class RateLowered(Event):
    """The run lowered its own rate before it began, because other programs kept the machine busy.

    `asked` and `rate` are requests per wall second; `others` are the cores that others used, of `cores`.
    """

    kind: ClassVar[str] = "rate_lowered"
    asked: float
    rate: float
    others: float
    cores: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Clients(Event):
    """Clients of one model that the run has.

    Attributes:
        model: name of the client model; clients and their connections in this journal begin with it.
        count: how many there are.
        protocol: what they speak.
        resolver: what stands between them and the zone.
        looks_up: when they look up the name, in words.
        follows: True if they reach a new address although nothing ends their connection.
        source: where the model comes from, in words.
        extrapolated: what of the model was not measured, one phrase each.
        assumed: True if the scenario names no clients.
        connection_age: maximum age of a connection at the targets behind an NLB, in production seconds;
            None for no limit.
        region: AWS region of their resolver; "" for that of the run.
        requests_every: production seconds between two requests of one; 0 for those that share the rest.
    """

    kind: ClassVar[str] = "clients"
    model: str
    count: int
    protocol: str
    resolver: str
    looks_up: str
    follows: bool
    source: str
    extrapolated: tuple[str, ...] = ()
    assumed: bool = False
    connection_age: float | None = None
    region: str = ""
    requests_every: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class TrafficStarted(Event):
    """The operator starts the clients: from now on `rate` requests per wall second are due."""

    kind: ClassVar[str] = "traffic_started"
    step: int
    rate: float


@dataclass(frozen=True, slots=True, kw_only=True)
class TrafficStopRequested(Event):
    """The operator stops the clients: from now on no request is due. Their account is `traffic_stopped`."""

    kind: ClassVar[str] = "traffic_stop_requested"
    step: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Expectation(Event):
    """A condition of the scenario, and whether it held. A failed one fails the verdict."""

    kind: ClassVar[str] = "expectation"
    step: int
    text: str
    passed: bool
    detail: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Standstill(Event):
    """The main process did not run from `start` to `time`: DNS, controllers and story stood still."""

    kind: ClassVar[str] = "standstill"
    start: float


@dataclass(frozen=True, slots=True, kw_only=True)
class LossesAccepted(Event):
    """The scenario accepts lost requests; without this event each of them fails the verdict."""

    kind: ClassVar[str] = "losses_accepted"
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Threshold(Event):
    """A limit of the run, e.g. `p99 < 250ms`; the verdict measures it."""

    kind: ClassVar[str] = "threshold"
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Balancer(Event):
    """A load balancer changed its state. `addresses` are its nodes, one per zone.

    `name` is the balancer's in AWS. `peers` are the addresses of the same nodes as their targets see them,
    where they differ. `scheme` is `internal` or `internet-facing`, `owner` the object that makes the
    balancer, `service/shop/envoy`; both are "" in journals of testbed 0.1.
    """

    kind: ClassVar[str] = "balancer"
    name: str
    type: BalancerType
    dns_name: str
    state: str
    addresses: tuple[str, ...]
    peers: tuple[str, ...] = ()
    scheme: str = ""
    owner: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class BalancerNamed(Event):
    """The scenario gave a name to a balancer: to an owner, a numbered owner, or a DNS name."""

    kind: ClassVar[str] = "balancer_named"
    name: str
    balancer: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DnsChange(Event):
    """A ChangeResourceRecordSets call that Route 53 accepted, or refused for the reason in `refused`.

    `changes` have the shape of the API: `Action` and `ResourceRecordSet`.
    """

    kind: ClassVar[str] = "dns_change"
    zone: str
    changes: tuple[dict[str, Any], ...]
    refused: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class DnsAnswer(Event):
    """The DNS server's answer for a name and type changed."""

    kind: ClassVar[str] = "dns_answer"
    name: str
    type: str
    rcode: str
    answers: tuple[str, ...]
    ttl: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiCall(Event):
    """A call of an AWS API that changes something."""

    kind: ClassVar[str] = "api_call"
    service: str
    operation: str
    status: int
    summary: str


CONTROLLERS = frozenset({"external-dns", "lb-controller"})
"""Components that work for the user, as in production."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Log(Event):
    """A log line of a component; `line` may have the component's own timestamp, in production time.

    Attributes:
        component: `external-dns`; where clusters have names of their own, `external-dns/blue`.
    """

    kind: ClassVar[str] = "log"
    component: str
    level: str
    message: str
    line: str

    @property
    def is_of_controller(self) -> bool:
        """True if a controller says it, of objects of the user; else a part of the testbed, of itself."""
        return self.component.partition("/")[0] in CONTROLLERS

    @property
    def is_controller_error(self) -> bool:
        """True if ExternalDNS could not do something. The LB controllers say so by events of the objects."""
        return self.level in ("error", "fatal") and self.component.partition("/")[0] == "external-dns"

    @property
    def is_part_error(self) -> bool:
        """True if a part of the testbed failed: what was played is not what AWS would have done."""
        return self.level == "error" and not self.is_of_controller


@dataclass(frozen=True, slots=True, kw_only=True)
class LeftOut(Event):
    """The objects of the user ask for something that the run does not play.

    The testbed does not model it, no packet obeys it, or the release of the controller does not read it.

    Attributes:
        owner: the objects, as plans name them: `Ingress group app`, `Service default/edge`.
        text: `modelled, not obeyed by packets: transforms of rule 443:1`.
    """

    kind: ClassVar[str] = "left_out"
    owner: str
    text: str


SUCCESSES = frozenset({"SuccessfullyReconciled", "EnsuredLoadBalancer", "DeletedLoadBalancer"})
"""Reasons of Kubernetes events by which the LB controllers say that an object is as it should be."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ControllerEvent(Event):
    """A controller reports about an object, as `kubectl describe` shows it. Written each time that it does.

    Attributes:
        object: `service/default/envoy`.
        type: `Normal` or `Warning`.
        reason: a CamelCase word.
    """

    kind: ClassVar[str] = "controller_event"
    object: str
    type: str
    reason: str
    message: str

    @property
    def is_warning(self) -> bool:
        """True if the controller could not do something."""
        return self.type == "Warning"

    @property
    def is_success(self) -> bool:
        """True if it has done everything for the object."""
        return self.reason in SUCCESSES


PROBE_ID_PREFIX = "probe-"
"""Ids of requests that the testbed itself sends: they are in access logs, and not in the ledger."""

CLIENTS_STOPPED = "the clients stopped"
"""Reason of connections that were open until the traffic ended: they did not leave their balancer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Connection(Event):
    """A connection of a client was opened or closed."""

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
        client: the client model that sent it, `app-3` or `server-1`.
        protocol: `grpc` or `rest`.
        method: gRPC method or `GET /path`.
        shape: unary, server_stream, client_stream, bidi.
        intended: when it was due by the schedule, wall seconds.
        sent: when it was sent.
        address: the address that the client called: name:port.
        peer: the balancer node that the target saw (response header x-testbed-peer), "" if unanswered.
        connection: the connection that carried it, as its far end saw it (response header
            x-testbed-connection): through an ALB the client's address and port, through an NLB those of the
            NLB's node, which opens one connection to the target per client connection; "" if unanswered.
        pod, listener: the target Envoy pod and listener that answered, "" if unanswered.
        status: HTTP status or gRPC status name.
        outcome: ok, failed or unknown.
        detail: the error, if not ok.
        retries: attempts beyond the first.
        family: `ipv4`, or `ipv6` if the client was connected, or tried to connect, to an address of AAAA.
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
    family: Family = "ipv4"


@dataclass(frozen=True, slots=True, kw_only=True)
class Access(Event):
    """One line of a target Envoy's access log; `time` is the request's start there.

    `upstream` is the address and port of the backend that the request went to, "" if it went to none.
    """

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
    upstream: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Metrics(Event):
    """CloudWatch metrics of a balancer over the run; `balancer` as in access logs: `app/<name>/<16 hex>`."""

    kind: ClassVar[str] = "metrics"
    balancer: str
    values: dict[str, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class TrafficStopped(Event):
    """The generator's own account: what it scheduled, and what it could not start in time."""

    kind: ClassVar[str] = "traffic_stopped"
    scheduled: int
    sent: int
    finished: int
    never_started: int


@dataclass(frozen=True, slots=True, kw_only=True)
class RunFinished(Event):
    """Last line: `reason` is complete, interrupted or error; then `detail` explains it."""

    kind: ClassVar[str] = "run_finished"
    reason: str
    detail: str = ""


def client_model(client: str) -> str:
    """Return the client model, `grpcio` of `grpcio-3`: a connection may carry the model's name only."""
    model, dash, number = client.rpartition("-")
    return model if dash and number.isdecimal() else client


EVENTS: dict[str, type[Event]] = {
    event.kind: event
    for event in (
        Run, StepStarted, StepFinished, Action, Command, TrafficStarted, TrafficStopRequested, Expectation,
        PageAct, FaultStarted, FaultEnded,
        LossesAccepted, Threshold, Balancer, BalancerNamed, DnsChange, DnsAnswer, ApiCall, Log, LeftOut,
        ControllerEvent, RealController,
        Connection, Clients, RateLowered, Standstill, Request, Access, Metrics, TrafficStopped, RunFinished,
    )
}  # fmt: skip
