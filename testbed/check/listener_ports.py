"""Traps of the ports that an Ingress group listens on.

Source: AWS Load Balancer Controller, docs/guide/ingress/annotations.md (listen-ports, certificate-arn); an
Ingress without either adds its rules to HTTP 80 only.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from testbed.check.findings import Severity
from testbed.check.manifest_reading import Reading
from testbed.check.planned_group import PlannedGroup, source_of
from testbed.check.rule_registry import Trap, rule
from testbed.kubernetes import object_fields
from testbed.lb_controller.core.build_inputs import BuildError, Member
from testbed.lb_controller.core.stack import HTTP1
from testbed.lb_controller.ingress import listen_ports
from testbed.lb_controller.ingress.listen_ports import HTTP, HTTPS

_RULES = "the rules", "go", "are"
_DEFAULT_BACKEND = "the default backend", "goes", "is"


@rule("rules-on-port-80-only", Severity.WARNING, advice="rules-on-port-80-only")
def rules_on_port_80_only(reading: Reading) -> Iterator[Trap]:
    """An Ingress without a certificate adds its rules to port 80 only, and HTTPS clients get 404."""
    for planned in reading.groups:
        tls_ports = sorted(item.port for item in planned.stack.listeners if item.protocol == HTTPS)
        sources = map(source_of, planned.stack.rules)
        with_rules = {(source.namespace, source.name) for source in sources}
        for member in planned.group.members:
            ports = _ports(member)
            spec = object_fields.spec(member.ingress)
            has_rules = bool(spec.get("rules"))
            if ports is None or HTTPS in ports.values() or not (has_rules or spec.get("defaultBackend")):
                continue
            what, go, are = _RULES if has_rules else _DEFAULT_BACKEND
            where = planned.line(member)
            start = f"{what} of Ingress {object_fields.key(member.ingress)} ({where})"
            numbers, listeners = ", ".join(map(str, sorted(ports))), ", ".join(map(str, tls_ports))
            name = object_fields.namespace(member.ingress), object_fields.name(member.ingress)
            if name not in with_rules and _only_redirects(planned, ports):
                start += (
                    f" {are} on no listener: HTTP {numbers} of its group {planned.group.id} only redirects, "
                    f"and the Ingress does not listen on HTTPS {listeners}"
                )
            elif tls_ports:
                start += (
                    f" {go} onto HTTP {numbers} only and not onto HTTPS {listeners} of its group "
                    f"{planned.group.id}"
                )
            else:
                start += f" {go} onto HTTP {numbers} only, in clear text and without HTTP/2"
            yield Trap(
                where,
                start,
                "give it listen-ports or certificate-arn, as the other members of the group have"
                if tls_ports
                else "give it certificate-arn for HTTPS 443",
            )


@rule("missing-certificate", Severity.WARNING, advice="missing-certificate")
def missing_certificate(reading: Reading) -> Iterator[Trap]:
    """An HTTPS listener without certificate-arn depends on an issued certificate in ACM."""
    for planned in reading.groups:
        for member in planned.group.members:
            ports = _ports(member)
            if ports is None or listen_ports.explicit_certificates(member):
                continue
            tls = sorted(port for port, protocol in ports.items() if protocol == HTTPS)
            if not tls:
                continue
            hosts = listen_ports.hosts(member)
            if not hosts and planned.listeners[tls[0]].certificates:
                continue  # another member brings one
            where = planned.annotation_line(member, "listen-ports")
            name = f"Ingress {object_fields.key(member.ingress)} ({where})"
            start = f"{name} listens on HTTPS {tls[0]} without certificate-arn"
            yield Trap(
                where,
                f"{start}: the controller takes every issued ACM certificate for {', '.join(hosts)}, and the "
                "whole group fails if one of these hosts has none"
                if hosts
                else f"{start} and names no host to look for one in ACM: AWS refuses the listener",
                "name the certificate with certificate-arn",
            )


@rule("grpc-on-http-listener", Severity.ERROR, advice="grpc-on-http-listener")
def grpc_on_http_listener(reading: Reading) -> Iterator[Trap]:
    """AWS refuses a GRPC target group on an HTTP listener; plain-text gRPC, which an NLB passes, ends."""
    do = "give the Ingress a certificate, or listen-ports with HTTPS only; all clients must use TLS"
    fails = "the group fails with FailedDeployModel and gets no hostname"
    for planned in reading.groups:
        for item in planned.stack.rules:
            if planned.listeners[item.listener_port].protocol != HTTP:
                continue
            for group in planned.target_groups_of(item.actions):
                if group.protocol_version != HTTP1:
                    yield Trap(
                        planned.rule_line(item),
                        f"AWS refuses {planned.rule_title(item)}: listener protocol 'HTTP' is not supported "
                        f"with {planned.target_group_title(group)}; {fails}",
                        do,
                    )
        for listener in planned.stack.listeners:
            if listener.protocol != HTTP:
                continue
            for group in planned.target_groups_of(listener.default_actions):
                if group.protocol_version != HTTP1:
                    where = planned.line(planned.member_of(group), "spec", "defaultBackend")
                    yield Trap(
                        where,
                        f"AWS refuses listener {listener.port} ({where}): listener protocol 'HTTP' is not "
                        f"supported with {planned.target_group_title(group)}; {fails}",
                        do,
                    )


def _ports(member: Member) -> dict[int, str] | None:
    """The protocols by port that an Ingress declares, None if they cannot be read."""
    try:
        return listen_ports.declared_ports(member)
    except BuildError:  # `cannot-be-built` reports it already
        return None


def _only_redirects(planned: PlannedGroup, ports: Iterable[int]) -> bool:
    """True if the listeners of these ports send everything to an HTTPS port of the group."""
    tls = {str(item.port) for item in planned.stack.listeners if item.protocol == HTTPS}
    return all(
        action.redirect and action.redirect.protocol == HTTPS and action.redirect.port in tls
        for port in ports
        if port in planned.listeners
        for action in planned.listeners[port].default_actions
    )
