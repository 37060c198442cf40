"""The ports that clients call on the balancers of a move, and the ports of the pods behind them. Pure."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterable, Iterator
from typing import Any

from testbed.check.manifest_reading import ALB, NLB, Reading, annotation
from testbed.errors import BadInput
from testbed.kubernetes import object_fields
from testbed.kubernetes.manifests import Manifest
from testbed.kubernetes.service_view import Service
from testbed.lb_controller.core.stack import Action, Ref, Stack
from testbed.lb_controller.service.nlb_target_groups import PROXY_PROTOCOL
from testbed.rehearsal.scenario import Targets
from testbed.scaffold.claimants import Claimant
from testbed.scaffold.other_balancers import class_of
from testbed.scaffold.target_pods import UNKNOWN_PLAIN, UNKNOWN_TLS, PodsOfMove, Reached

HTTPS = 443
_ENCRYPTED = ("HTTPS", "TCP", "TLS")
"""Protocols of listeners that clients can call by TLS: an NLB passes TCP through."""
_WITH_TLS = ("HTTPS", "TLS")


def called_port(old: Claimant, new: Claimant) -> int:
    """Return the port that clients can call by TLS on both balancers, 443 if it is one.

    Raises:
        BadInput: there is none.
    """
    ports = [_ports(one) for one in (old, new)]
    common = [port for port in (HTTPS, *ports[0]) if all(port in one for one in ports)]
    if port := next((one for one in common if all(each[one] in _ENCRYPTED for each in ports)), None):
        return port
    has, listens = (", ".join(f"{port} ({protocol})" for port, protocol in one.items()) for one in ports)
    raise BadInput(
        f"{old.objects[0].title} has the ports {has or 'none'}, but the {new.type.upper()} listens on "
        f"{listens or 'none'}: no client can call both by TLS",
        where=old.objects[0].where,
        do=f"give both a common port, e.g. with {ALB}listen-ports: '[{{\"HTTPS\":443}}]'",
    )


def reached(reading: Reading, claimant: Claimant, called: int) -> list[Reached]:
    """Return the ports of pods that a balancer reaches, and whether TLS arrives there.

    Args:
        called: the port that the clients call, with TLS.

    Raises:
        BadInput: a Service that it leads to is not among the manifests.
    """
    if claimant.stack:
        found = list(_of_stack(reading, claimant, claimant.stack, called))
        if not found:
            raise BadInput(f"the Ingress group {claimant.stack.id} leads to no Service of these manifests")
        return found
    return list(_of_other(reading, claimant, called))


def forwarding(
    reading: Reading, claimant: Claimant, pods: PodsOfMove, called: int
) -> tuple[PodsOfMove, tuple[str, int]]:
    """Return where the balancer of another controller forwards to: the name of pods and their port.

    Pods of a controller such as nginx, which ends TLS itself, are added: no manifest of the move has them.
    """
    first = claimant.objects[0]
    for one in _of_other(reading, claimant, called):
        kind = pods.of(one.service)
        if one.has_tls is (claimant.type == "nlb"):
            number = kind.port_names[one.port] if isinstance(one.port, str) else one.port
            return pods, (kind.name, number)
    name = re.sub(r"[^a-z0-9-]+", "-", class_of(first).lower()).strip("-") or "ingress"
    taken = {one.name for one in pods.targets}
    own = Targets(
        labels={"app.kubernetes.io/name": name},
        namespace=first.key[1],
        tls_ports=(UNKNOWN_TLS,),
        port_names={},
        name=name if name not in taken else f"{name}-controller",
    )
    number = UNKNOWN_TLS if claimant.type == "nlb" else UNKNOWN_PLAIN
    return dataclasses.replace(pods, targets=(*pods.targets, own)), (own.name, number)


def _ports(claimant: Claimant) -> dict[int, str]:
    """The ports of a balancer with the protocols of their listeners."""
    if claimant.stack:
        return {one.port: one.protocol for one in claimant.stack.listeners}
    if claimant.is_service:
        return {one.port: one.protocol for one in Service.of(claimant.objects[0].object).ports}
    return {HTTPS: "HTTPS"}


def _of_stack(reading: Reading, claimant: Claimant, stack: Stack, called: int) -> Iterator[Reached]:
    groups = {one.id: one for one in stack.target_groups}
    is_passed = {
        group: listener.protocol == "TCP" and (listener.port == called or _looks_like_tls(listener.port))
        for listener in stack.listeners
        for group in _groups_of(listener.default_actions)
    }
    called_groups = {
        group
        for listener in stack.listeners
        if claimant.type == "nlb" and listener.port == called
        for group in _groups_of(listener.default_actions)
    }
    for binding in stack.bindings:
        service = reading.service(binding.namespace, binding.service_name)
        port = Service.of(service.object).port(binding.service_port) if service else None
        group = groups.get(binding.id)
        if service is None or port is None or group is None:
            continue
        is_alb = claimant.type == "alb"
        yield Reached(
            service,
            port.target_port,
            group.protocol in _WITH_TLS or is_passed.get(group.id, False),
            f"the {claimant.type.upper()} of {claimant.objects[0].title}",
            by_alb=is_alb and group.protocol in _WITH_TLS,
            proxy_protocol=group.attributes.get(PROXY_PROTOCOL) == "true",
            is_clients=binding.id in called_groups,
        )
        check = group.health_check
        if group.target_type == "ip" and isinstance(check.port, int):
            how = f"the health check of {claimant.objects[0].title}"
            yield Reached(service, check.port, check.protocol in _WITH_TLS, how)


def _looks_like_tls(port: int) -> bool:
    """Judge a port that nobody calls here by its number: 443, 8443."""
    return port % 1000 == HTTPS


def _groups_of(actions: Iterable[Action]) -> Iterator[str]:
    for action in actions:
        for one in action.forward.target_groups if action.forward else ():
            if isinstance(one.target_group, Ref):
                yield one.target_group.id


def _of_other(reading: Reading, claimant: Claimant, called: int) -> Iterator[Reached]:
    """The ports behind a balancer of another controller. An NLB of Ingresses leads to its own pods."""
    how = f"the {claimant.type.upper()} of {claimant.objects[0].title}"
    if claimant.is_service:
        service = claimant.objects[0]
        ends_tls = annotation(service, NLB + "ssl-cert") is not None
        ports = sorted(Service.of(service.object).ports, key=lambda one: one.port != called)
        for port in ports:
            is_called = port.port == called
            yield Reached(service, port.target_port, is_called and not ends_tls, how, is_clients=is_called)
        return
    for ingress in claimant.objects if claimant.type == "alb" else ():
        for name, number in _backends(ingress):
            backend = reading.service(ingress.key[1], name)
            found = Service.of(backend.object).port(number) if backend else None
            if backend and found:
                has_tls = claimant.type == "alb" and annotation(ingress, ALB + "backend-protocol") == "HTTPS"
                yield Reached(backend, found.target_port, has_tls, how, by_alb=has_tls)


def _backends(ingress: Manifest) -> Iterator[tuple[str, int | str]]:
    spec = object_fields.spec(ingress.object)
    backends: list[Any] = [spec.get("defaultBackend")]
    for rule in spec.get("rules") or ():
        backends += [path.get("backend") for path in (rule.get("http") or {}).get("paths") or ()]
    for one in backends:
        service = (one or {}).get("service") or {}
        port = service.get("port") or {}
        if service.get("name") and (port.get("number") or port.get("name")):
            yield service["name"], port.get("number") or port["name"]
