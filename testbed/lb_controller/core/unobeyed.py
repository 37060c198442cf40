"""What a stack asks for and no packet of the testbed obeys: it is modelled, and that is all.

The phrases name the resource, so that a reader can tell of which part a rehearsal proves nothing. Security
groups as such are not among them, because each stack has one: only what an annotation adds to them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from testbed.lb_controller.core.stack import Action, Listener, LoadBalancer, Stack

PHRASE = "modelled, not obeyed by packets"
OBEYED_LISTENER_ATTRIBUTES = frozenset({"tcp.idle_timeout.seconds"})
_UDP = {"UDP": "UDP", "QUIC": "QUIC", "TCP_UDP": "the UDP half", "TCP_QUIC": "the QUIC half"}
_ICMP = frozenset({"icmp", "icmpv6"})


def unobeyed(stack: Stack) -> tuple[str, ...]:
    """One phrase for each such thing: `transforms of rules 443:1 and 443:2`."""
    return tuple(_phrases(stack))


def _phrases(stack: Stack) -> Iterator[str]:
    if stack.frontend_nlb:
        ports = [str(port.listener.port) for port in stack.frontend_nlb.ports]
        name = stack.frontend_nlb.load_balancer.name
        yield f"the frontend NLB {name}" + (f" on {_plural('port', ports)} {_listed(ports)}" if ports else "")
    yield from _of_rules(stack)
    for listener in stack.listeners:
        yield from _of_listener(listener, stack)
    for group in stack.target_groups:
        if group.target_control_port is not None:
            yield f"the target control port {group.target_control_port} of target group {group.name}"
    shared = [binding.name for binding in stack.bindings if binding.multi_cluster]
    if shared:
        yield f"targets of other clusters in target {_plural('group', shared)} {_listed(shared)}"
    if stack.load_balancer:
        yield from _of_balancer(stack.load_balancer)
    yield from _of_security_groups(stack)
    if stack.web_acl not in (None, "none", ""):
        yield f"the web ACL {stack.web_acl}"


def _of_rules(stack: Stack) -> Iterator[str]:
    transformed = [rule.id for rule in stack.rules if rule.transforms]
    if transformed:
        yield f"transforms of {_plural('rule', transformed)} {_listed(transformed)}"
    authenticated: dict[str, list[str]] = {}
    for rule in stack.rules:
        for kind in _authentication(rule.actions):
            authenticated.setdefault(kind, []).append(rule.id)
    for kind, rules in authenticated.items():
        yield f"{kind} before {_plural('rule', rules)} {_listed(rules)}"


def _of_listener(listener: Listener, stack: Stack) -> Iterator[str]:
    where = f"listener {listener.port}"
    for kind in _authentication(listener.default_actions):
        yield f"{kind} before the default action of {where}"
    mutual = listener.mutual_authentication
    if mutual and mutual.mode != "off":
        yield f"mutual authentication, mode {mutual.mode}, of {where}"
    if listener.protocol in _UDP:
        yield f"{_UDP[listener.protocol]} of {where}"
    is_nlb = stack.load_balancer is not None and stack.load_balancer.type == "network"
    shares = [action.forward for action in listener.default_actions if action.forward]
    if is_nlb and any(len(forward.target_groups) > 1 for forward in shares):
        yield f"the weights of {where}"
    attributes = sorted(set(listener.attributes) - OBEYED_LISTENER_ATTRIBUTES)
    if attributes:
        yield f"{_plural('attribute', attributes)} {_listed(attributes)} of {where}"


def _of_balancer(balancer: LoadBalancer) -> Iterator[str]:
    for units in balancer.minimum_capacity.values():
        yield f"the reserved capacity of {units} units"
    if balancer.ipv4_ipam_pool_id:
        yield f"addresses of the IPAM pool {balancer.ipv4_ipam_pool_id}"
    if balancer.enable_prefix_for_ipv6_source_nat == "on":
        yield "IPv6 prefixes for source NAT"


def _of_security_groups(stack: Stack) -> Iterator[str]:
    permissions = [item for group in stack.security_groups for item in group.ingress]
    lists = sorted({item.prefix_list for item in permissions if item.prefix_list})
    if lists:
        yield f"a security group for prefix {_plural('list', lists)} {_listed(lists)}"
    if any(item.ip_protocol in _ICMP for item in permissions):
        yield "a security group for ICMP"


def _authentication(actions: Iterable[Action]) -> list[str]:
    return [action.type for action in actions if action.authenticate]


def _listed(items: Sequence[str]) -> str:
    *first, last = items
    return f"{', '.join(first)} and {last}" if first else last


def _plural(noun: str, items: Sequence[str]) -> str:
    return noun if len(items) == 1 else f"{noun}s"
