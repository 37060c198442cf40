"""Every interval, timeout and limit of a run, once, with its production value and its source.

Two classes, because two kinds of time: `Production` values are divided by the clock's speed where they
are spent; `Patience` values wait for real work of this machine and are not.
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
    """Its loop looks at the clock so often (controller.go)."""
    external_dns_start_delay: float = 5.0
    """ExternalDNS v0.7.x schedules its first run 5 s after its start."""
    alias_ttl: float = 60.0
    """TTL of an alias to a load balancer: the balancer's own (Route 53 guide, alias records)."""
    route53_propagation: float = 0.0
    """Until a change is INSYNC; Route 53 promises 60 s and usually needs a few."""
    balancer_provisioning: float = 3.0
    """Until a new load balancer is `active`; AWS needs a minute or more, in which nothing can be learned."""
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
    """gRPC core asks DNS at most this often (`grpc.dns_min_time_between_resolutions_ms`)."""
    grpc_initial_backoff: float = 1.0
    """gRPC core reconnects after this (`grpc.initial_reconnect_backoff_ms`)."""
    grpc_max_backoff: float = 120.0
    """and at most after this (`grpc.max_reconnect_backoff_ms`)."""
    client_negative_ttl: float = 10.0
    """A server client remembers NXDOMAIN so long (JVM `networkaddress.cache.negative.ttl`)."""
    client_keep_alive: float = 30.0
    """A server client's pool keeps an idle connection so long: half of the ALB's idle timeout, so that the
    two never race, as the ALB guide advises for either side."""
    client_validate_after: float = 2.0
    """A server client does not trust a connection that idled so long with a request that it may not send
    twice (Apache HttpClient, `validateAfterInactivity`)."""
    stream_least: float = 20.0
    """The shortest stream of an app client."""
    stream_most: float = 50.0
    """The longest stream of an app client."""
    stream_message: float = 10.0
    """Between two messages of a stream; below the ALB's idle timeout, so that it cuts none."""


@dataclass(frozen=True, slots=True)
class Patience:
    """Wall seconds that a working machine never needs: past them something is broken."""

    process_start: float = 20.0
    """From the start of a child process until it says that it is ready."""
    process_stop: float = 5.0
    """From SIGTERM until a child process has ended; then SIGKILL."""
    api_call: float = 10.0
    """One call of an AWS or Kubernetes API on this machine."""
    localstack_start: float = 60.0
    """From the start of LocalStack's container until its Route 53 answers; a cold image needs 10 s."""
    localstack_gone: float = 6.0
    """So long nobody may have LocalStack's address, until its container counts as ended."""
    localstack_look: float = 1.0
    """One look at LocalStack's health page."""
    long_poll: float = 1.0
    """How long a service of the composed topology keeps a question open until there is news."""
    balancer_connect: float = 10.0
    """Balancer to target: ALB and NLB allow 10 s to connect (ALB guide)."""
    request: float = 15.0
    """One unary request of a client; longer is an unknown outcome."""
    dns_query: float = 5.0
    """One DNS question of a client (resolv.conf's default timeout)."""
    socket_scan: float = 0.1
    """Between two looks at the sockets that gRPC holds, which tells nobody when it closes one."""
    ledger_flush: float = 0.1
    """Between two writes of the traffic ledger."""
    condition: float = 30.0
    """A condition that a scenario waits for, beyond the production time that it names."""
    traffic_start: float = 2.0
    """From the operator's start of the traffic until its first request is due."""
    start_lag: float = 0.1
    """99 of 100 requests start so soon after their intended time, or the verdict is inconclusive: at speed
    60 this is 6 s of production, and no shorter outage could be excluded."""
    poll: float = 0.02
    """Between two looks at something that cannot notify."""
    look: float = 0.05
    """Between two looks of a scenario at a condition; each may cost several API calls."""
    ledger: float = 0.25
    """Until a request that was answered is in the ledger: the clients write in batches, ten a second."""
    command_look: float = 0.2
    """Between two looks at the topology while a command of a runbook runs."""
    bookmark: float = 60.0
    """Between two bookmarks of an idle watch of the Kubernetes API (apiserver `bookmarkFrequency`, 1m)."""


PRODUCTION = Production()
PATIENCE = Patience()
REGION = "ap-northeast-1"
DEFAULT_SPEED = 60.0
DEFAULT_RATE = 500.0
