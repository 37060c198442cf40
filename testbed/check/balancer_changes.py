"""Traps of what the present load balancer of a name gives to clients or targets and the next one does not.

Each rule compares two planned load balancers whose objects claim the same host; most often the NLB of a
Service with the ALB of an Ingress.
Sources: the ALB and NLB guides; grpc/grpc#12295 on connections that DNS does not move.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from testbed.check.findings import Severity
from testbed.check.manifest_reading import ALB, NLB, Claim, Reading, annotated, annotation
from testbed.check.rule_registry import Trap, rule
from testbed.errors import Location
from testbed.kubernetes import object_fields
from testbed.lb_controller.core.stack import GRPC, LoadBalancer, Stack
from testbed.settings import PRODUCTION

_LIMITS = tuple(ALB + name for name in ("inbound-cidrs", "security-groups", "security-group-prefix-lists"))
_PROXY_PROTOCOL = NLB + "proxy-protocol"
_KEEP_ALIVE = "client_keep_alive.seconds"
_SHORT_KEEP_ALIVE = 300
"""Seconds for which a move or a rollback can wait; the least that AWS allows is 60."""


@dataclass(frozen=True, slots=True)
class _Side:
    """A load balancer, and the claim of the object that it is made of."""

    claim: Claim
    stack: Stack
    balancer: LoadBalancer

    @property
    def is_alb(self) -> bool:
        return self.balancer.type == "application"

    @property
    def title(self) -> str:
        """`NLB of Service default/web`."""
        return f"{'ALB' if self.is_alb else 'NLB'} of {self.claim.manifest.title}"

    @property
    def ports(self) -> list[int]:
        return [listener.port for listener in self.stack.listeners]

    @property
    def has_grpc(self) -> bool:
        return any(group.protocol_version == GRPC for group in self.stack.target_groups)

    @property
    def is_sticky(self) -> bool:
        return any(group.attributes.get("stickiness.enabled") == "true" for group in self.stack.target_groups)

    @property
    def keeps_client_address(self) -> bool:
        # By default an NLB keeps the client's address for instance targets, but not for IP targets over TCP.
        defaults = {"instance": "true"}
        return not self.is_alb and any(
            group.attributes.get("preserve_client_ip.enabled", defaults.get(group.target_type)) == "true"
            for group in self.stack.target_groups
        )

    @property
    def passes_tls(self) -> bool:
        return any(one.protocol == "TCP" and one.port == 443 for one in self.stack.listeners)

    @property
    def ends_tls(self) -> bool:
        return any(one.protocol in ("HTTPS", "TLS") for one in self.stack.listeners)

    @property
    def proxies(self) -> bool:
        return not self.is_alb and annotation(self.claim.manifest, _PROXY_PROTOCOL) is not None

    def annotation_line(self, alb: str, nlb: str) -> Location:
        """The line of an annotation that has a name for each kind of load balancer."""
        return annotated(self.claim.manifest, ALB + alb if self.is_alb else NLB + nlb)

    def port_line(self, port: int) -> Location:
        """The line that asks for a port."""
        if self.is_alb:
            return self.annotation_line("listen-ports", "")
        ports = object_fields.spec(self.claim.manifest.object).get("ports") or ()
        index = next((number for number, one in enumerate(ports) if one.get("port") == port), 0)
        return self.claim.manifest.line("spec", "ports", index, "port")


@rule("port-is-lost", Severity.ERROR)
def port_is_lost(reading: Reading) -> Iterator[Trap]:
    """After the move, clients cannot connect to a port on which the next load balancer does not listen."""
    for host, old, new in _moves(reading):
        for port in old.ports:
            if port not in new.ports:
                where = f"{ALB}listen-ports" if new.is_alb else f"spec.ports of {new.claim.manifest.title}"
                yield Trap(
                    old.port_line(port),
                    f"the {old.title} listens on {host}:{port}, the {new.title} on "
                    f"{', '.join(map(str, new.ports)) or 'no port'}: clients of that port cannot connect "
                    "after the move",
                    f"add the port to {where}, or give the port a name of its own",
                )


@rule("scheme-differs", Severity.ERROR)
def scheme_differs(reading: Reading) -> Iterator[Trap]:
    """One of the load balancers is public and the other internal."""
    for host, old, new in _moves(reading):
        scheme = new.balancer.scheme
        if old.balancer.scheme != scheme:
            loses = (
                "clients outside the VPC lose access"
                if scheme == "internal"
                else "it becomes open to the internet"
            )
            key = ALB + "scheme" if new.is_alb else NLB + "scheme"
            yield Trap(
                annotated(new.claim.manifest, key),
                f"{host} moves from the {old.balancer.scheme} {old.title} to the {scheme} {new.title}: "
                f"{loses}",
                f"set {key}: {old.balancer.scheme}; without it the load balancer is internal",
            )


@rule("source-ranges-are-lost", Severity.ERROR)
def source_ranges_are_lost(reading: Reading) -> Iterator[Trap]:
    """The Service admits some networks only, but the next load balancer admits all."""
    for host, old, new in _moves(reading):
        ranges = object_fields.spec(old.claim.manifest.object).get("loadBalancerSourceRanges")
        if ranges and not _is_limited(reading, new):
            where = f"{_LIMITS[0]} on the Ingress" if new.is_alb else "spec.loadBalancerSourceRanges"
            yield Trap(
                old.claim.manifest.line("spec", "loadBalancerSourceRanges"),
                f"{old.claim.manifest.title} admits {', '.join(ranges)} to {host}; the {new.title} admits "
                "every network",
                f"set {where}",
            )


@rule("proxy-protocol-ends", Severity.ERROR)
def proxy_protocol_ends(reading: Reading) -> Iterator[Trap]:
    """Targets that expect the PROXY protocol of the NLB refuse connections without it."""
    for _, old, new in _moves(reading):
        if old.proxies and not new.proxies and _same_targets(reading, old.claim, new.stack):
            yield Trap(
                annotated(old.claim.manifest, _PROXY_PROTOCOL),
                f"the {old.title} sends PROXY protocol v2 to its targets, but the {new.title} "
                f"{'never does' if new.is_alb else 'does not'}: the same port of the same pods cannot accept "
                "both",
                "route it to a port without it, and read X-Forwarded-For there"
                if new.is_alb
                else f"set {_PROXY_PROTOCOL} there too",
            )


@rule("client-address-changes", Severity.NOTE)
def client_address_changes(reading: Reading) -> Iterator[Trap]:
    """Behind the ALB the peer is the ALB; the client's address is in X-Forwarded-For."""
    for _, old, new in _moves(reading):
        if old.keeps_client_address and not new.keeps_client_address:
            yield Trap(
                old.claim.manifest.where,
                f"targets of {old.claim.manifest.title} see the client's address; behind the {new.title} "
                "they see the load balancer's",
                "change allow-lists, rate limits and logs to X-Forwarded-For before the move"
                if new.is_alb
                else "set preserve_client_ip.enabled=true there, or change allow-lists before the move",
            )


@rule("affinity-ends", Severity.WARNING)
def affinity_ends(reading: Reading) -> Iterator[Trap]:
    """The present load balancer keeps a client on one target, but the next one spreads its requests."""
    for _, old, new in _moves(reading):
        if old.is_sticky and not new.is_sticky:
            key = ALB if new.is_alb else NLB
            yield Trap(
                old.annotation_line("target-group-attributes", "target-group-attributes"),
                f"each client of {old.claim.manifest.title} stays on one target; the {new.title} spreads its "
                "requests, so state that a target keeps for a connection or client is lost",
                f"set stickiness.enabled=true in {key}target-group-attributes (gRPC clients send no cookies)",
            )


@rule("certificate-changes", Severity.NOTE)
def certificate_changes(reading: Reading) -> Iterator[Trap]:
    """TLS ends at the load balancer with a certificate from ACM, no longer at the target."""
    for host, old, new in _moves(reading):
        if old.passes_tls and new.ends_tls:
            yield Trap(
                old.claim.manifest.where,
                f"the {old.title} passes TLS through to the targets; after the move TLS for {host} ends at "
                f"the {new.title}: clients see another chain, targets see no client certificate, and pinned "
                "or private CAs no longer match",
                "test a client against the new load balancer by its own name before the move",
            )


@rule("connections-stay", Severity.NOTE)
def connections_stay(reading: Reading) -> Iterator[Trap]:
    """Open connections stay on the load balancer, because nothing in DNS ends them."""
    for host, old, new in _moves(reading):
        has_grpc = old.has_grpc or new.has_grpc
        # An ALB ends what is not gRPC by itself: see the next rule.
        if has_grpc or not old.is_alb:
            what = "gRPC channels" if has_grpc else "keep-alive connections"
            yield Trap(
                old.claim.manifest.where,
                f"{what} of {host} stay on the {old.title} until they break, as most clients look the name "
                f"up only when they connect, and those opened on the {new.title} stay there in a rollback; "
                "deleting it earlier breaks them",
                f"give the server a maximum connection age, and delete the {old.title} once its "
                f"{'ActiveConnectionCount' if old.is_alb else 'ActiveFlowCount'} is 0",
            )


@rule("keep-alive-outlasts-the-move", Severity.NOTE)
def keep_alive_outlasts_the_move(reading: Reading) -> Iterator[Trap]:
    """Clients that look the name up only when they connect stay on an ALB for as long as its keep-alive."""
    for host, old, new in _moves(reading):
        for side, when in ((old, "after the move"), (new, "in a rollback")):
            lasts = side.balancer.attributes.get(_KEEP_ALIVE, f"{PRODUCTION.alb_client_keep_alive:g}")
            if side.is_alb and lasts.isdecimal() and int(lasts) > _SHORT_KEEP_ALIVE:
                yield Trap(
                    side.claim.manifest.where,
                    f"clients that look {host} up only when they connect, as most libraries do, stay on the "
                    f"{side.title} for up to {lasts} s {when}: nothing ends their connection earlier",
                    f"set {_KEEP_ALIVE}={_SHORT_KEEP_ALIVE} in {ALB}load-balancer-attributes before the move",
                )


@rule("http2-limits-of-the-alb", Severity.NOTE)
def http2_limits_of_the_alb(reading: Reading) -> Iterator[Trap]:
    """An ALB ends a connection after 10,000 requests and carries at most 128 streams on each."""
    for host, old, new in _moves(reading):
        if new.has_grpc and not old.is_alb:
            yield Trap(
                new.claim.where,
                f"busy channels of {host} get a GOAWAY after 10,000 requests and carry at most 128 calls at "
                f"once, and errors of the ALB are HTTP statuses; the {old.title} has no such limit",
                "let clients retry UNAVAILABLE, and open more channels where calls run in parallel",
            )


@rule("no-access-log", Severity.NOTE)
def no_access_log(reading: Reading) -> Iterator[Trap]:
    """Neither the NLB nor this ALB logs requests, so there is nothing to compare."""
    for _, old, new in _moves(reading):
        logs = new.balancer.attributes.get("access_logs.s3.enabled") == "true"
        if new.is_alb and not old.is_alb and not logs:
            yield Trap(
                new.claim.manifest.where,
                f"the {new.title} logs no requests; a TCP listener of an NLB never does: only clients and "
                "targets could show what the move lost",
                f"set access_logs.s3.enabled=true in {ALB}load-balancer-attributes",
            )


def _moves(reading: Reading) -> Iterator[tuple[str, _Side, _Side]]:
    """Yield each pair of load balancers once per host."""
    seen = set()
    for host, holder, old, other, new in reading.moves:
        if (host, old.title, new.title) in seen or not (old.stack and new.stack):
            continue
        if old.stack.load_balancer and new.stack.load_balancer:
            seen.add((host, old.title, new.title))
            yield (
                host,
                _Side(holder, old.stack, old.stack.load_balancer),
                _Side(other, new.stack, new.stack.load_balancer),
            )


def _is_limited(reading: Reading, side: _Side) -> bool:
    if not side.is_alb:
        return bool(object_fields.spec(side.claim.manifest.object).get("loadBalancerSourceRanges"))
    stack = reading.stack_of(side.claim.manifest)
    return stack is not None and any(
        annotation(one, key) for one in reading.members(stack) for key in _LIMITS
    )


def _same_targets(reading: Reading, claim: Claim, stack: Stack) -> bool:
    """True if another stack leads to the same port of the same pods as a Service."""
    spec = object_fields.spec(claim.manifest.object)
    mine = {one.get("targetPort", one.get("port")) for one in spec.get("ports") or ()}
    for binding in stack.bindings:
        other = reading.service(binding.namespace, binding.service_name)
        if other is None:
            continue
        its = object_fields.spec(other.object)
        same_pods = its.get("selector") == spec.get("selector") and other.key[1] == claim.manifest.key[1]
        ports = {
            one.get("targetPort", one.get("port"))
            for one in its.get("ports") or ()
            if binding.service_port in (one.get("port"), one.get("name"))
        }
        if same_pods and ports & mine:
            return True
    return False
