"""Traps of when a target counts as healthy, and of when a pod counts as ready."""

from __future__ import annotations

import re
from collections.abc import Iterator

from testbed.check.findings import Severity
from testbed.check.manifest_reading import ALB, Reading, annotation
from testbed.check.rule_registry import Trap, rule
from testbed.kubernetes import object_fields
from testbed.lb_controller.core.service_ports import IP
from testbed.lb_controller.core.stack import GRPC, HTTP1

_READINESS_LABEL = "elbv2.k8s.aws/pod-readiness-gate-inject"
_GRPC_CODES = range(100)
_HTTP_CODES = range(200, 500)
_CODES = re.compile(r"[0-9]+(-[0-9]+)?(,[0-9]+(-[0-9]+)?)*\Z")


@rule("impossible-success-codes", Severity.ERROR, advice="impossible-success-codes")
def impossible_success_codes(reading: Reading) -> Iterator[Trap]:
    """AWS refuses health check codes of the other protocol, such as 200 for GRPC."""
    for planned in reading.groups:
        for group in planned.stack.target_groups:
            matcher = group.health_check.matcher
            if matcher is None:
                continue
            is_grpc = matcher.grpc_code is not None
            codes = (matcher.grpc_code if is_grpc else matcher.http_code) or ""
            kind, allowed = ("GRPC", _GRPC_CODES) if is_grpc else ("HTTP", _HTTP_CODES)
            if are_possible_codes(codes, allowed):
                continue
            member = planned.member_of(group)
            where = planned.annotation_line(member, "success-codes")
            yield Trap(
                where,
                f"AWS refuses the success codes {codes!r} of the {planned.target_group_title(group)}, "
                f"Ingress {object_fields.key(member.ingress)} ({where}): health check matcher {kind} codes "
                f"must be within {allowed[0]}-{allowed[-1]}",
                "use grpc-status codes for GRPC, HTTP statuses for the others",
            )


def are_possible_codes(codes: str, allowed: range) -> bool:
    """True if a list of codes and ranges (`200,202-204`) lies within what the API takes."""
    if not _CODES.match(codes):
        return False
    for part in codes.split(","):
        first, _, last = part.partition("-")
        if int(first) not in allowed or int(last or first) not in allowed or int(last or first) < int(first):
            return False
    return True


@rule("grpc-health-needs-status-12", Severity.NOTE)
def grpc_health_needs_status_12(reading: Reading) -> Iterator[Trap]:
    """The default GRPC health check calls a method that does not exist and expects UNIMPLEMENTED."""
    for stack, manifest in reading.owners_of(GRPC):
        keys = (ALB + "success-codes", ALB + "healthcheck-path")
        if stack and all(annotation(manifest, key) is None for key in keys):
            yield Trap(
                manifest.line("metadata", "annotations", ALB + "backend-protocol-version"),
                f"the GRPC target groups of {manifest.title} are healthy only if a call of "
                "/AWS.ALB/healthcheck ends with grpc-status 12; a proxy that authorizes and answers 16, or "
                "an Envoy that answers 200, fails the check",
                "set healthcheck-path to a method of the health service and success-codes to 0",
            )


@rule("http-health-path-is-the-root", Severity.NOTE)
def http_health_path_is_the_root(reading: Reading) -> Iterator[Trap]:
    """The default HTTP health check requests / and expects 200."""
    nlb = any(
        one.stack and one.stack.load_balancer and one.stack.load_balancer.type == "network"
        for one in reading.plan.stacks
    )
    than = "; the TCP check of the NLB needed only an open port" if nlb else ""
    for stack, manifest in reading.owners_of(HTTP1):
        # A Service may have the annotation as well as its Ingress: only the plan knows what counts.
        groups = stack.stack.target_groups if stack.stack else ()
        if any(one.protocol_version == HTTP1 and one.health_check.path == "/" for one in groups):
            codes = annotation(manifest, ALB + "success-codes") or "200"
            yield Trap(
                manifest.where,
                f"the HTTP target groups of {manifest.title} are healthy only if GET / answers {codes}{than}",
                "set alb.ingress.kubernetes.io/healthcheck-path",
            )


@rule("no-readiness-gate", Severity.NOTE)
def no_readiness_gate(reading: Reading) -> Iterator[Trap]:
    """Without readiness gates a rolling update removes pods before the ALB has registered the new ones."""
    for namespace in reading.of_kind("Namespace"):
        name = namespace.object["metadata"]["name"]
        uses_ip = any(
            stack.stack and any(group.target_type == IP for group in stack.stack.target_groups)
            for manifest in reading.of_kind("Ingress")
            if manifest.key[1] == name and (stack := reading.stack_of(manifest))
        )
        if uses_ip and object_fields.labels_of(namespace.object).get(_READINESS_LABEL) != "enabled":
            yield Trap(
                namespace.where,
                f"pods of namespace {name} count as ready before the ALB has registered them: clients get "
                "502 and 504 during a rolling update",
                f"label the namespace {_READINESS_LABEL}: enabled, and let preStop sleep longer than the "
                "deregistration takes",
            )
