"""The intervals, timeouts and limits of a run, each with its production value and its source.

There are two kinds of time. `Production` values are divided by the clock's speed where they are spent.
`Patience` values wait for real work of this machine and are not divided.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Production:
    """Durations in production seconds. The clock divides them by the speed of the run."""

    external_dns_interval: float = 60.0
    """ExternalDNS `--interval`, default 1m."""
    external_dns_pod_start: float = 20.0
    """From the cluster's start to ExternalDNS's: its pod is scheduled, its image pulled. An assumption."""
    external_dns_event_delay: float = 5.0
    """With `--events`, from a change of an object until the sync (controller.go)."""
    external_dns_tick: float = 1.0
    """Interval at which its loop checks the clock (controller.go)."""
    pod_start: float = 5.0
    """From the end of a pod until its successor is ready, the image being on the node. An assumption."""
    container_restart: float = 10.0
    """From the end of a container until the kubelet starts it again (CrashLoopBackOff begins with 10 s)."""
    metric_period: float = 60.0
    """Of ActiveFlowCount and others in CloudWatch: they are published once a minute."""
    alias_ttl: float = 60.0
    """TTL of an alias to a load balancer: the balancer's own (Route 53 guide, alias records)."""
    route53_propagation: float = 0.0
    """Until a change is INSYNC; Route 53 promises 60 s and usually needs a few seconds."""
    balancer_provisioning: float = 180.0
    """Until a new load balancer is `active`. AWS documents the state and no duration; users report two to
    five minutes (aws-load-balancer-controller#1786: four to five for an NLB and its targets)."""
    capacity_provisioning: float = 120.0
    """Until a capacity reservation is `provisioned`; AWS says a few minutes (ALB guide). An assumption."""
    certificate_validation: float = 60.0
    """From the validation record until a certificate is issued; AWS needs minutes. An assumption."""
    nlb_idle_timeout: float = 350.0
    """TCP idle timeout of an NLB, fixed in 2020 (NLB guide)."""
    alb_idle_timeout: float = 60.0
    """ALB attribute `idle_timeout.timeout_seconds`."""
    balancer_drain: float = 5.0
    """From the first GOAWAY of a retired connection until it takes no new stream (Envoy `drain_timeout`)."""
    alb_client_keep_alive: float = 3600.0
    """ALB attribute `client_keep_alive.seconds`."""
    target_max_connection_age: float = 300.0
    """Age at which the target Envoy's TLS listener retires a connection; the operator's choice."""
    deregistration_delay: float = 300.0
    """Target group attribute `deregistration_delay.timeout_seconds`."""
    dns_min_time_between_resolutions: float = 30.0
    """Shortest time between two DNS queries of gRPC core (`grpc.dns_min_time_between_resolutions_ms`)."""
    grpc_initial_backoff: float = 1.0
    """First delay before gRPC core reconnects (`grpc.initial_reconnect_backoff_ms`)."""
    grpc_max_backoff: float = 120.0
    """Longest delay before gRPC core reconnects (`grpc.max_reconnect_backoff_ms`)."""
    client_negative_ttl: float = 10.0
    """Time for which a server client caches NXDOMAIN (JVM `networkaddress.cache.negative.ttl`)."""
    client_keep_alive: float = 30.0
    """Time for which the pool of a server client keeps an idle connection: half of the ALB's idle timeout, so
    that the two never race, as the ALB guide advises for either side."""
    client_validate_after: float = 2.0
    """Idle time after which a server client does not use a connection for a request that it must not send
    twice (Apache HttpClient, `validateAfterInactivity`)."""
    stall: float = 60.0
    """An outage that a verdict must not miss: so long, and at least `Patience.stall` of wall time."""
    stream_least: float = 20.0
    """The shortest stream of an app client."""
    stream_most: float = 50.0
    """The longest stream of an app client."""
    stream_message: float = 10.0
    """Between two messages of a stream; below the ALB's idle timeout, so that the ALB cuts no stream."""


@dataclass(frozen=True, slots=True)
class Patience:
    """Timeouts in wall seconds. A working machine never needs so long; past them something is broken."""

    process_start: float = 20.0
    """From the start of a child process until it reports that it is ready."""
    process_stop: float = 5.0
    """From SIGTERM until a child process has ended; then SIGKILL."""
    api_call: float = 10.0
    """One call of an AWS or Kubernetes API on this machine."""
    localstack_start: float = 60.0
    """From the start of LocalStack's container until its Route 53 answers; a cold image needs 10 s."""
    localstack_gone: float = 6.0
    """Time without any container at LocalStack's address, after which its container counts as ended."""
    localstack_look: float = 1.0
    """One request of LocalStack's health page."""
    long_poll: float = 1.0
    """Longest time for which a service of the composed topology holds a request until there is news."""
    balancer_connect: float = 10.0
    """Balancer to target: ALB and NLB allow 10 s to connect (ALB guide)."""
    request: float = 15.0
    """One unary request of a client; after it the outcome is unknown."""
    dns_query: float = 5.0
    """One DNS query of a client (resolv.conf's default timeout)."""
    socket_scan: float = 0.1
    """Between two scans of the sockets of gRPC, which does not report when it closes one."""
    ledger_flush: float = 0.1
    """Between two writes of the traffic ledger."""
    condition: float = 30.0
    """A condition of a scenario, in addition to the production time that the scenario allows: until then the
    story waits, so that a failed expectation says how late it came true."""
    condition_late: float = 3.0
    """By so much a condition may be late and still be in time, and the report says so: a busy machine needs
    up to 2 s to start a balancer's process, and half a second until a request is in the ledger."""
    traffic_start: float = 2.0
    """From the operator's start of the traffic until its first request is due."""
    start_lag: float = 0.1
    """A request that starts later than this was due while the generator, or the machine, did not run. At
    speed 60 it is 6 s of production."""
    stall: float = 1.0
    """A shorter silence of a balancer may be this machine's, however much production time it is."""
    heartbeat: float = 0.1
    """Between two beats of the main process, which tells by them that it was stopped."""
    standstill: float = 0.5
    """By so much a beat must be late to count as a standstill; a busy machine delays one by less."""
    poll: float = 0.02
    """Between two polls of something that cannot notify."""
    first_sync: float = 60.0
    """From the start of a real ExternalDNS until its first sync has ended: it fills the caches of its client
    first, and up to v0.14 waits `--min-event-sync-interval`."""
    settled: float = 1.0
    """A time in which no controller does anything, after which they are at rest (`testbed compare`)."""
    metrics_look: float = 0.1
    """Between two looks at the metrics of a real controller."""
    second_interrupt: float = 1.0
    """Within it, a second SIGINT or SIGTERM is the echo of the first, from a wrapper such as timeout(1), or
    from Docker Compose, which stops the container of a run that it has just interrupted."""
    interrupt_repeat: float = 0.001
    """Until an interrupt that came during an import is raised again: sooner than any command ends."""
    look: float = 0.05
    """Between two evaluations of a condition by a scenario; each may cost several API calls."""
    ledger: float = 0.25
    """Until an answered request is in the ledger: the clients write in batches, ten a second."""
    command_look: float = 0.2
    """Between two checks of the topology while a command of a runbook runs."""
    page_update: float = 0.1
    """Between two updates of the live page, and between two moments of the slider, at least."""
    page_window: float = 1.0
    """The time over which the live page counts requests per second."""
    bookmark: float = 60.0
    """Between two bookmarks of an idle watch of the Kubernetes API (apiserver `bookmarkFrequency`, 1m)."""


@dataclass(frozen=True, slots=True)
class Chaos:
    """The schedules that `--chaos` draws; durations are production seconds."""

    faults: int = 3
    slot: int = 110
    """From the earliest start of one fault to that of the next; longer than a wait and a fault together."""
    waits: tuple[int, int] = (10, 40)
    """From the begin of a slot until its fault strikes, least and most."""
    lasts: tuple[int, int] = (15, 60)
    """Least and most that a fault lasts."""
    longest_to_shrink: float = 60.0
    """Wall seconds of a run whose schedule is played again in parts, once it has failed."""


PRODUCTION = Production()
CHAOS = Chaos()
PATIENCE = Patience()
REGION = "ap-northeast-1"
DEFAULT_SPEED = 60.0
DEFAULT_RATE = 500.0
IPV6_SHARE = 0.25
"""Share of the clients that have IPv6. Two of eight apps and one of two servers: enough to see each move of
an AAAA record, while most clients stay with IPv4, as most do inside AWS. An assumption."""
FEWEST_IN_A_STALL = 100.0
"""Requests that must be due in the shortest stall, so that the last client of a balancer that drains, a
fourteenth of the default traffic, sends some of them."""
CPU_OF_A_REQUEST = 0.0025
"""CPU seconds of all parts of a run for one request, on a slow machine."""
CPU_OF_THE_CONTROL_PLANE = 0.35
"""Cores that the parts of a run need whatever its rate."""


def shortest_stall(speed: float) -> float:
    """Return the wall seconds from which on a silence of a balancer is an outage, at a speed of the clock."""
    return max(PATIENCE.stall, PRODUCTION.stall / speed)


def lowest_rate(speed: float) -> float:
    """Return the requests per wall second from which on a stall shows, at a speed of the clock."""
    return FEWEST_IN_A_STALL / shortest_stall(speed)
