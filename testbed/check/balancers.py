"""Traps of the balancers that the controllers would make: what AWS refuses, what no request reaches.

Most of it is the advice of `testbed lb plan`; here each piece has a severity and a remedy.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from testbed.check.findings import Severity
from testbed.check.reading import ALB, Reading, annotation
from testbed.check.rules import Told, rule
from testbed.errors import Location
from testbed.kubernetes.manifests import Manifest
from testbed.lb_controller.advice import Reason
from testbed.lb_controller.backends import MISSING_ACTION, MISSING_SERVICE
from testbed.lb_controller.plan import PlannedStack
from testbed.lb_controller.rule_conditions import PATH
from testbed.lb_controller.stack import Action
from testbed.lb_controller.target_groups import GRPC, HTTP1

_HEALTH_AND_REFLECTION = ("/grpc.health.v1.Health/", "/grpc.reflection.v1")


@rule("cannot-be-built", Severity.ERROR)
def cannot_be_built(reading: Reading) -> Iterator[Told]:
    """The controller refuses the objects: no balancer is made or changed, for none of the group."""
    for stack in reading.plan.stacks:
        if stack.error is not None:
            where = next(iter(stack.members.values()), reading.manifests[0].where)
            yield Told(
                where,
                f"{stack.title} gets the event FailedBuildModel and stays as it is: {stack.error}",
                "mend what the text names; one wrong member stops its whole group",
            )


@rule("kind-not-read", Severity.NOTE)
def kind_not_read(reading: Reading) -> Iterator[Told]:
    """Custom resources are not read; a controller of theirs may have a say over a name or a balancer."""
    kinds = {one.key[0]: one for one in reversed(reading.custom)}
    for kind, manifest in reversed(kinds.items()):
        yield Told(
            manifest.where, f"objects of the kind {kind} are not read", "look at what their controller does"
        )


@rule("nobody-takes-it", Severity.WARNING)
def nobody_takes_it(reading: Reading) -> Iterator[Told]:
    """No controller takes this Ingress or Service, so it gets no balancer."""
    for title, where in reading.plan.ignored.items():
        yield Told(
            where,
            f"neither the AWS Load Balancer Controller nor the cloud provider takes {title}",
            "give an Ingress the class alb, or another of that controller and its IngressClass beside it, "
            "a Service a load balancer type that one of them knows",
        )


@rule("backend-missing", Severity.ERROR)
def backend_missing(reading: Reading) -> Iterator[Told]:
    """A rule or a default backend leads to a Service or an action that is not there: it answers 503."""
    ingresses = {one.key: one for one in reading.of_kind("Ingress")}
    for stack in reading.plan.stacks:
        if stack.stack is None:
            continue
        for item in stack.stack.rules:
            missing = _missing(item.actions)
            if item.source and missing:
                source = item.source
                path = ("spec", "rules", source.rule, "http", "paths", source.path, "backend")
                manifest = ingresses["Ingress", source.namespace, source.name]
                yield _told_missing(manifest, manifest.line(*path), missing)
        for listener in stack.stack.listeners:
            missing = _missing(listener.default_actions)
            for manifest in reading.members(stack) if missing else ():
                spec = manifest.object.get("spec") or {}
                field = next((one for one in ("defaultBackend", "backend") if spec.get(one)), None)
                if field:
                    yield _told_missing(manifest, manifest.line("spec", field), missing)


def _missing(actions: Iterable[Action]) -> str:
    """The body by which the controller's 503 says what is missing, "" if nothing is."""
    bodies = [action.fixed_response.message_body for action in actions if action.fixed_response]
    return next((body for body in bodies if body in (MISSING_SERVICE, MISSING_ACTION)), "") or ""


def _told_missing(manifest: Manifest, where: Location, missing: str) -> Told:
    if missing == MISSING_ACTION:
        what = f"{manifest.title} leads to an action that no annotation of it defines: the ALB answers 503"
        return Told(where, f"{what} {missing!r}", f"define it as {ALB}actions.NAME")
    return Told(
        where,
        f"{manifest.title} leads to a Service that is not among the manifests: the ALB answers "
        f"503 {missing!r}, older controllers refuse the whole group",
        "give the folder that has the Service too, or mend the name",
    )


@rule("grpc-on-http-listener", Severity.ERROR)
def grpc_on_http_listener(reading: Reading) -> Iterator[Told]:
    """AWS refuses a GRPC target group on an HTTP listener; the plain gRPC that an NLB passed is over."""
    do = "give the Ingress a certificate, or listen-ports with HTTPS only; all clients must speak TLS"
    yield from _advised(reading, Reason.GRPC_ON_HTTP_LISTENER, do)


@rule("rules-on-port-80-only", Severity.WARNING)
def rules_on_port_80_only(reading: Reading) -> Iterator[Told]:
    """An Ingress without certificate adds its rules to port 80, and HTTPS clients get 404."""
    do = "give it certificate-arn or listen-ports, as the other members of the group have"
    yield from _advised(reading, Reason.RULES_ON_PORT_80_ONLY, do)


@rule("missing-certificate", Severity.WARNING)
def missing_certificate(reading: Reading) -> Iterator[Told]:
    """An HTTPS listener without certificate-arn hopes for an issued certificate in ACM."""
    yield from _advised(reading, Reason.MISSING_CERTIFICATE, "name the certificate with certificate-arn")


@rule("assumed-ingress-class", Severity.NOTE)
def assumed_ingress_class(reading: Reading) -> Iterator[Told]:
    """An Ingress names the class `alb`, which is not among the manifests."""
    do = "make sure that `kubectl get ingressclass alb` shows the controller ingress.k8s.aws/alb"
    yield from _advised(reading, Reason.ASSUMED_CLASS, do)


@rule("hidden-rules", Severity.ERROR)
def hidden_rules(reading: Reading) -> Iterator[Told]:
    """An earlier rule takes all requests of a later one, e.g. a REST catch-all before the gRPC paths."""
    do = "give the Ingress with the narrower paths a smaller alb.ingress.kubernetes.io/group.order"
    yield from _advised(reading, Reason.CATCH_ALL_HIDES_RULES, do)


@rule("wrong-protocol-gets-464", Severity.NOTE)
def wrong_protocol_gets_464(reading: Reading) -> Iterator[Told]:
    """Requests of the other protocol that match a rule get 464."""
    yield from _advised(reading, Reason.EXPECT_464, "route each protocol by its own paths")


@rule("idle-streams-are-cut", Severity.WARNING)
def idle_streams_are_cut(reading: Reading) -> Iterator[Told]:
    """A stream that is silent for the ALB's idle timeout is reset; an NLB allowed 350 s."""
    do = "set idle_timeout.timeout_seconds in load-balancer-attributes, or send application heartbeats"
    yield from _advised(reading, Reason.IDLE_TIMEOUT_CUTS_STREAMS, do)


@rule("impossible-success-codes", Severity.ERROR)
def impossible_success_codes(reading: Reading) -> Iterator[Told]:
    """AWS refuses health check codes of the other protocol, such as 200 for GRPC."""
    yield from _advised(
        reading, Reason.IMPOSSIBLE_SUCCESS_CODES, "use grpc-status codes for GRPC, HTTP for others"
    )


@rule("beyond-aws-limits", Severity.ERROR)
def beyond_aws_limits(reading: Reading) -> Iterator[Told]:
    """AWS refuses a rule with more than 5 values, or more rules than the quota."""
    yield from _advised(reading, Reason.BEYOND_AWS_LIMITS, "split the rule, or have the quota raised")


@rule("grpc-health-needs-status-12", Severity.NOTE)
def grpc_health_needs_status_12(reading: Reading) -> Iterator[Told]:
    """The default GRPC health check calls a method that nobody has and expects UNIMPLEMENTED."""
    for stack, manifest in _of_version(reading, GRPC):
        keys = (ALB + "success-codes", ALB + "healthcheck-path")
        if stack and all(annotation(manifest, key) is None for key in keys):
            yield Told(
                manifest.line("metadata", "annotations", ALB + "backend-protocol-version"),
                f"the GRPC target groups of {manifest.title} are healthy only if a call of "
                "/AWS.ALB/healthcheck ends with grpc-status 12: an authorizing proxy that answers 16, or an "
                "Envoy that answers 200, fails it",
                "set healthcheck-path to a method of the health service and success-codes to 0",
            )


@rule("http-health-path-is-the-root", Severity.NOTE)
def http_health_path_is_the_root(reading: Reading) -> Iterator[Told]:
    """The default HTTP health check asks for / and expects 200."""
    for stack, manifest in _of_version(reading, HTTP1):
        if stack and annotation(manifest, ALB + "healthcheck-path") is None:
            yield Told(
                manifest.where,
                f"the HTTP target groups of {manifest.title} are healthy only if GET / answers 200; the TCP "
                "check of the NLB needed an open port",
                "set alb.ingress.kubernetes.io/healthcheck-path",
            )


@rule("grpc-health-without-rule", Severity.NOTE)
def grpc_health_without_rule(reading: Reading) -> Iterator[Told]:
    """Clients that use gRPC health checks or reflection need rules for these services too."""
    for stack, manifest in _of_version(reading, GRPC):
        assert stack.stack is not None
        paths = [
            value
            for item in stack.stack.rules
            for condition in item.conditions
            if condition.field == PATH
            for value in condition.values
        ]
        if "/*" in paths or not paths:
            continue
        missing = [
            name for name in _HEALTH_AND_REFLECTION if not any(path.startswith(name) for path in paths)
        ]
        if missing:
            yield Told(
                manifest.where,
                f"no rule of {stack.title} takes {' or '.join(missing)}: such calls passed the NLB and now "
                "end in the ALB's 404",
                "add paths for them if any client or operator uses them",
            )


@rule("no-readiness-gate", Severity.NOTE)
def no_readiness_gate(reading: Reading) -> Iterator[Told]:
    """Without readiness gates a rolling update drops pods before the ALB knows the new ones."""
    label = "elbv2.k8s.aws/pod-readiness-gate-inject"
    for namespace in reading.of_kind("Namespace"):
        name = namespace.object["metadata"]["name"]
        uses_ip = any(
            stack.stack and any(group.target_type == "ip" for group in stack.stack.target_groups)
            for manifest in reading.of_kind("Ingress")
            if manifest.key[1] == name and (stack := reading.stack_of(manifest))
        )
        if uses_ip and (namespace.object["metadata"].get("labels") or {}).get(label) != "enabled":
            yield Told(
                namespace.where,
                f"pods of namespace {name} count as ready before the ALB has them: 502 and 504 during a "
                "rolling update",
                f"label the namespace {label}: enabled, and let preStop sleep longer than the deregistration",
            )


def _advised(reading: Reading, reason: Reason, do: str) -> Iterator[Told]:
    for advice in reading.plan.advice:
        if advice.reason is reason:
            yield Told(advice.where, re.sub(r"\s+", " ", advice.sentence), do)


def _of_version(reading: Reading, version: str) -> Iterator[tuple[PlannedStack, Manifest]]:
    """The first Ingress of each stack that has target groups of a protocol version for it."""
    for stack in reading.plan.stacks:
        if stack.stack is None:
            continue
        ids = {group.id for group in stack.stack.target_groups if group.protocol_version == version}
        owners = {
            one.id.removesuffix(f"-{one.service_name}:{one.service_port}")
            for one in stack.stack.bindings
            if one.id in ids
        }
        for manifest in reading.members(stack):
            _, namespace, name = manifest.key
            if f"{namespace}/{name}" in owners:
                yield stack, manifest
                break
