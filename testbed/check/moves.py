"""Traps of what an NLB gave the clients or the targets of a name and its ALB does not.

Each compares the NLB of the Service with the ALB of an Ingress that claim one host.
Sources: the ALB and NLB guides; grpc/grpc#12295 on connections that DNS does not move.
"""

from __future__ import annotations

from collections.abc import Iterator

from testbed.check.findings import Severity
from testbed.check.reading import ALB, NLB, Claim, Reading, annotated, annotation
from testbed.check.rules import Told, rule
from testbed.errors import Location
from testbed.lb_controller.plan import PlannedStack
from testbed.lb_controller.stack import LoadBalancer
from testbed.lb_controller.target_groups import GRPC


@rule("port-is-lost", Severity.ERROR)
def port_is_lost(reading: Reading) -> Iterator[Told]:
    """A port of the NLB on which the ALB does not listen refuses its clients after the move."""
    for host, service, nlb, ingress, alb in _moves(reading):
        has = _ports(alb)
        for port in _ports(nlb):
            if port not in has:
                yield Told(
                    _port_line(service, port),
                    f"the NLB of {service.manifest.title} takes {host}:{port}, the ALB of "
                    f"{ingress.manifest.title} listens on {', '.join(map(str, has)) or 'no port'}: clients "
                    "of that port cannot connect after the move",
                    f"add the port to {ALB}listen-ports, or keep a name of its own for it",
                )


@rule("scheme-differs", Severity.ERROR)
def scheme_differs(reading: Reading) -> Iterator[Told]:
    """The NLB is public and the ALB internal, or the other way round."""
    for host, service, nlb, ingress, alb in _moves(reading):
        old, new = _balancer(nlb), _balancer(alb)
        if old.scheme != new.scheme:
            loses = (
                "clients outside the VPC lose it"
                if new.scheme == "internal"
                else "it becomes public to everybody"
            )
            yield Told(
                annotated(ingress.manifest, ALB + "scheme"),
                f"{host} moves from the {old.scheme} NLB of {service.manifest.title} to an {new.scheme} ALB: "
                f"{loses}",
                f"set {ALB}scheme: {old.scheme}; without it an ALB is internal",
            )


@rule("source-ranges-are-lost", Severity.ERROR)
def source_ranges_are_lost(reading: Reading) -> Iterator[Told]:
    """The Service admits some networks only, and the ALB everybody."""
    keys = (ALB + "inbound-cidrs", ALB + "security-groups", ALB + "security-group-prefix-lists")
    for host, service, _, ingress, alb in _moves(reading):
        ranges = (service.manifest.object.get("spec") or {}).get("loadBalancerSourceRanges")
        limited = any(annotation(one, key) for one in reading.members(alb) for key in keys)
        if ranges and not limited:
            yield Told(
                service.manifest.line("spec", "loadBalancerSourceRanges"),
                f"{service.manifest.title} admits {', '.join(ranges)} to {host}; the ALB of "
                f"{ingress.manifest.title} admits everybody",
                f"set {keys[0]} on the Ingress",
            )


@rule("proxy-protocol-ends", Severity.ERROR)
def proxy_protocol_ends(reading: Reading) -> Iterator[Told]:
    """Targets that expect the PROXY protocol of the NLB refuse the ALB's connections."""
    key = NLB + "proxy-protocol"
    for _, service, _, ingress, alb in _moves(reading):
        if annotation(service.manifest, key) and _same_targets(reading, service, alb):
            yield Told(
                annotated(service.manifest, key),
                f"the NLB of {service.manifest.title} sends PROXY protocol v2 to its targets, the ALB of "
                f"{ingress.manifest.title} never does: the same port of the same pods cannot take both",
                "lead the Ingress to a port without it, and read X-Forwarded-For there",
            )


@rule("client-address-changes", Severity.NOTE)
def client_address_changes(reading: Reading) -> Iterator[Told]:
    """Behind the ALB the peer is the ALB; the client stands in X-Forwarded-For."""
    for _, service, nlb, ingress, _ in _moves(reading):
        groups = nlb.stack.target_groups if nlb.stack else ()
        defaults = {"instance": "true"}
        if any(
            group.attributes.get("preserve_client_ip.enabled", defaults.get(group.target_type)) == "true"
            for group in groups
        ):
            yield Told(
                service.manifest.where,
                f"targets of {service.manifest.title} see the client's address; behind the ALB of "
                f"{ingress.manifest.title} they see the ALB's",
                "change allow-lists, rate limits and logs to X-Forwarded-For before the move",
            )


@rule("affinity-ends", Severity.WARNING)
def affinity_ends(reading: Reading) -> Iterator[Told]:
    """The NLB keeps a client with a target, the ALB spreads its requests."""
    for _, service, nlb, ingress, alb in _moves(reading):
        sticky = nlb.stack and any(
            group.attributes.get("stickiness.enabled") == "true" for group in nlb.stack.target_groups
        )
        still = alb.stack and any(
            group.attributes.get("stickiness.enabled") == "true" for group in alb.stack.target_groups
        )
        if sticky and not still:
            yield Told(
                annotated(service.manifest, NLB + "target-group-attributes"),
                f"clients of {service.manifest.title} stay with one target; the ALB of "
                f"{ingress.manifest.title} spreads each request, so state that a target keeps for a "
                "connection or client breaks",
                f"set stickiness.enabled=true in {ALB}target-group-attributes (gRPC clients send no cookies)",
            )


@rule("certificate-changes", Severity.NOTE)
def certificate_changes(reading: Reading) -> Iterator[Told]:
    """TLS ends at the ALB with a certificate of ACM, no longer at the target."""
    for host, service, nlb, ingress, alb in _moves(reading):
        passes = nlb.stack and any(one.protocol == "TCP" and one.port == 443 for one in nlb.stack.listeners)
        ends = alb.stack and any(one.protocol == "HTTPS" for one in alb.stack.listeners)
        if passes and ends:
            yield Told(
                service.manifest.where,
                f"the NLB of {service.manifest.title} passes TLS on to the targets; for {host} it then ends "
                f"at the ALB of {ingress.manifest.title}: another chain, no client certificate at the "
                "target, and pinned or private CAs no longer match",
                "try a client against the ALB by its own name before the move",
            )


@rule("connections-stay", Severity.NOTE)
def connections_stay(reading: Reading) -> Iterator[Told]:
    """gRPC connections that are open stay on the NLB: nothing in DNS ends them."""
    for host, service, _, _, alb in _moves(reading):
        if _has_grpc(alb):
            yield Told(
                service.manifest.where,
                f"gRPC channels of {host} stay on the NLB of {service.manifest.title} until their connection "
                "breaks, and those opened on the ALB stay there in a rollback; who deletes the NLB earlier "
                "breaks them",
                "give the server a maximum connection age, and delete the NLB when its ActiveFlowCount is 0",
            )


@rule("http2-limits-of-the-alb", Severity.NOTE)
def http2_limits_of_the_alb(reading: Reading) -> Iterator[Told]:
    """An ALB ends a connection after 10,000 requests and carries 128 streams at once on each."""
    for host, service, _, ingress, alb in _moves(reading):
        if _has_grpc(alb):
            yield Told(
                ingress.where,
                f"busy channels of {host} get a GOAWAY after 10,000 requests and at most 128 calls at once, "
                f"and errors of the ALB are HTTP statuses; the NLB of {service.manifest.title} knew no such "
                "limit",
                "let clients retry UNAVAILABLE, and open more channels where calls run in parallel",
            )


@rule("no-access-log", Severity.NOTE)
def no_access_log(reading: Reading) -> Iterator[Told]:
    """The NLB wrote no request log and neither does this ALB, so there is nothing to compare."""
    for _, _, _, ingress, alb in _moves(reading):
        if _balancer(alb).attributes.get("access_logs.s3.enabled") != "true":
            yield Told(
                ingress.manifest.where,
                f"the ALB of {ingress.manifest.title} logs no requests; a TCP listener of an NLB never did: "
                "what the move lost could only be told by clients and targets",
                f"set access_logs.s3.enabled=true in {ALB}load-balancer-attributes",
            )


def _moves(
    reading: Reading,
) -> Iterator[tuple[str, Claim, PlannedStack, Claim, PlannedStack]]:
    """Each pair of NLB and ALB once per host."""
    seen = set()
    for host, service, nlb, ingress, alb in reading.moves:
        if (host, nlb.title, alb.title) not in seen and _has_balancer(nlb) and _has_balancer(alb):
            seen.add((host, nlb.title, alb.title))
            yield host, service, nlb, ingress, alb


def _has_balancer(item: PlannedStack) -> bool:
    return item.stack is not None and item.stack.load_balancer is not None


def _balancer(item: PlannedStack) -> LoadBalancer:
    assert item.stack is not None
    assert item.stack.load_balancer is not None
    return item.stack.load_balancer


def _ports(item: PlannedStack) -> list[int]:
    return [listener.port for listener in item.stack.listeners] if item.stack else []


def _has_grpc(item: PlannedStack) -> bool:
    return item.stack is not None and any(
        group.protocol_version == GRPC for group in item.stack.target_groups
    )


def _port_line(service: Claim, port: int) -> Location:
    ports = (service.manifest.object.get("spec") or {}).get("ports") or ()
    index = next((number for number, one in enumerate(ports) if one.get("port") == port), 0)
    return service.manifest.line("spec", "ports", index, "port")


def _same_targets(reading: Reading, service: Claim, alb: PlannedStack) -> bool:
    """Whether the ALB leads to the same port of the same pods."""
    spec = service.manifest.object.get("spec") or {}
    mine = {one.get("targetPort", one.get("port")) for one in spec.get("ports") or ()}
    for binding in alb.stack.bindings if alb.stack else ():
        other = reading.service(binding.namespace, binding.service_name)
        if other is None:
            continue
        its = other.object.get("spec") or {}
        same_pods = its.get("selector") == spec.get("selector") and other.key[1] == service.manifest.key[1]
        ports = {
            one.get("targetPort", one.get("port"))
            for one in its.get("ports") or ()
            if binding.service_port in (one.get("port"), one.get("name"))
        }
        if same_pods and ports & mine:
            return True
    return False
