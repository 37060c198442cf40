"""Named conditions that a scenario waits for or expects: each says what it looks at and what it saw."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from testbed.rehearsal.topology import BalancerType

if TYPE_CHECKING:
    from testbed.rehearsal.cutover import Cutover


@dataclass(frozen=True, slots=True)
class Observation:
    """Whether a condition holds, and what was seen, in words for the report."""

    holds: bool
    seen: str


@dataclass(frozen=True, slots=True)
class Condition:
    """A sentence and a way to look whether it is so now."""

    text: str
    look: Callable[[Cutover], Observation]


def alias_at(balancer: BalancerType, *, type: str = "A") -> Condition:  # noqa: A002 the field's own name
    """The host's alias record in Route 53 points to a balancer of this type."""

    def look(cutover: Cutover) -> Observation:
        target = cutover.alias(type)
        seen = f"the {type} alias points to {target.dns_name} ({target.type})" if target else "there is none"
        return Observation(target is not None and target.type == balancer, seen)

    return Condition(f"the {type} alias points to the {balancer.upper()}", look)


def weights(**wanted: int) -> Condition:
    """The host's alias records have these weights, by type of balancer: `weights(nlb=90, alb=10)`."""

    def told(found: Mapping[str, int]) -> str:
        return ", ".join(f"{kind.upper()} {weight}" for kind, weight in sorted(found.items(), reverse=True))

    def look(cutover: Cutover) -> Observation:
        found = cutover.weights()
        return Observation(found == wanted, told(found) or "no weighted record")

    return Condition(f"the weights are {told(wanted)}", look)


def no_record() -> Condition:
    """The host has no A record in Route 53."""

    def look(cutover: Cutover) -> Observation:
        target = cutover.alias()
        return Observation(target is None, f"it points to {target.dns_name}" if target else "there is none")

    return Condition("the name has no A record", look)


def claimed_by(resource: str) -> Condition:
    """The TXT record beside the host's alias names a resource that begins so: `service/default/envoy`."""

    def look(cutover: Cutover) -> Observation:
        labels = cutover.resource_labels()
        holds = bool(labels) and all(label.startswith(resource) for label in labels)
        return Observation(holds, ", ".join(labels) or "no TXT record names one")

    return Condition(f"the record belongs to {resource}", look)


def served_by(balancer: BalancerType) -> Condition:
    """Since the step began, a request was answered through a balancer of this type."""

    def look(cutover: Cutover) -> Observation:
        count = cutover.served_in_step(balancer)
        return Observation(count > 0, f"{count} requests in this step")

    return Condition(f"the {balancer.upper()} serves requests", look)


def only_served_by(balancer: BalancerType) -> Condition:
    """Since the step began, requests were answered, and all of them through balancers of this type."""
    other: BalancerType = "alb" if balancer == "nlb" else "nlb"

    def look(cutover: Cutover) -> Observation:
        served, elsewhere = cutover.served_in_step(balancer), cutover.served_in_step(other)
        seen = f"{served} through the {balancer.upper()}, {elsewhere} through the {other.upper()}"
        return Observation(served > 0 and elsewhere == 0, seen)

    return Condition(f"every request goes through the {balancer.upper()}", look)


def drained(balancer: BalancerType) -> Condition:
    """No client connection is open at balancers of this type (ActiveFlowCount is 0)."""

    def look(cutover: Cutover) -> Observation:
        flows = cutover.topology.flows(balancer)
        return Observation(flows == 0, f"{flows} connections")

    return Condition(f"no connection is left on the {balancer.upper()}", look)


def active(balancer: BalancerType, *, healthy: bool = True) -> Condition:
    """A balancer of this type is active and, unless told otherwise, all its targets are healthy."""

    def look(cutover: Cutover) -> Observation:
        found = cutover.balancers(balancer)
        if not found:
            warnings = cutover.warnings("Service" if balancer == "nlb" else "Ingress")
            return Observation(False, "; ".join(["there is none", *warnings[:1]]))
        states = [one.state for one in found]
        problems = [f"{one.dns_name} has no address" for one in found if not cutover.addresses(one)]
        if healthy:
            problems += cutover.unhealthy_targets(found)
        return Observation(set(states) == {"active"} and not problems, ", ".join([*states, *problems]))

    return Condition(
        f"the {balancer.upper()} is active" + (" and its targets healthy" if healthy else ""), look
    )


def gone(balancer: BalancerType) -> Condition:
    """ELBv2 has no balancer of this type."""

    def look(cutover: Cutover) -> Observation:
        found = cutover.balancers(balancer)
        return Observation(not found, ", ".join(one.dns_name for one in found) or "there is none")

    return Condition(f"the {balancer.upper()} is gone", look)


def only_one(balancer: BalancerType) -> Condition:
    """ELBv2 has exactly one balancer of this type."""

    def look(cutover: Cutover) -> Observation:
        found = cutover.balancers(balancer)
        return Observation(len(found) == 1, f"{len(found)}: " + ", ".join(one.dns_name for one in found))

    return Condition(f"there is one {balancer.upper()}", look)


def forwards(balancer: BalancerType, port: int, *protocol_versions: str) -> Condition:
    """The listener on this port has rules to target groups of exactly these protocol versions."""

    def look(cutover: Cutover) -> Observation:
        seen = cutover.forwarded_versions(balancer, port)
        return Observation(set(seen) == set(protocol_versions), ", ".join(seen) or "no rules")

    wanted = " and ".join(protocol_versions)
    return Condition(f"listener {port} of the {balancer.upper()} forwards to {wanted} target groups", look)


def answers_by_its_own_name(balancer: BalancerType) -> Condition:
    """Called by its own DNS name, the balancer serves the host's gRPC and REST."""

    def look(cutover: Cutover) -> Observation:
        found = cutover.balancers(balancer)
        if not found:
            return Observation(False, "there is none")
        results = [result for one in found for result in cutover.topology.probe(one.dns_name)]
        seen = ", ".join(f"{result.protocol} {result.status}" for result in results)
        if not results:
            return Observation(False, "the traffic has no unary call to try")
        return Observation(all(result.is_ok for result in results), seen)

    return Condition(f"called by its own name, the {balancer.upper()} serves gRPC and REST", look)


def logged(text: str) -> Condition:
    """Since the step began, ExternalDNS logged a message that contains this text."""

    def look(cutover: Cutover) -> Observation:
        lines = cutover.external_dns_log_in_step()
        matching = [line for line in lines if text in line]
        return Observation(bool(matching), matching[-1] if matching else f"{len(lines)} other messages")

    return Condition(f"ExternalDNS says {text!r}", look)


def not_logged(text: str) -> Condition:
    """Since the step began, ExternalDNS logged no message that contains this text."""
    said = logged(text)

    def look(cutover: Cutover) -> Observation:
        seen = said.look(cutover)
        return Observation(not seen.holds, seen.seen)

    return Condition(f"ExternalDNS does not say {text!r}", look)


def synced(times: int = 1) -> Condition:
    """ExternalDNS finished this many syncs since the operator last acted, the running one not counted."""

    def look(cutover: Cutover) -> Observation:
        done = cutover.syncs_since_action()
        return Observation(done >= times, f"{done} syncs")

    return Condition(f"ExternalDNS has synced {times} {'time' if times == 1 else 'times'}", look)
