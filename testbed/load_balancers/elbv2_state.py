"""What stands in the ELBv2 API, read through boto3 into values. Nothing here knows Envoy."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from testbed.load_balancers.listener_rules import (
    Action,
    Condition,
    FixedResponse,
    Forward,
    HostHeader,
    HttpHeader,
    Method,
    PathPattern,
    QueryString,
    Redirect,
    Rule,
    SourceIp,
    in_order,
)
from testbed.settings import PRODUCTION

DEFAULT_POLICY = "ELBSecurityPolicy-2016-08"
"""Of a listener that was made without one [ELBv2 API reference, CreateListener]."""
CROSS_ZONE = "load_balancing.cross_zone.enabled"


@dataclass(frozen=True, slots=True, order=True)
class Target:
    """A registered target: an IP or an instance id, and its port."""

    id: str
    port: int
    zone: str = ""


@dataclass(frozen=True, slots=True)
class HealthCheck:
    """How a target group checks its targets. Intervals are production seconds, the timeout is patience.

    `port` is a number or `traffic-port`; `matcher` holds HTTP codes (`200,301-399`) or gRPC codes (`12`).
    """

    protocol: str
    port: str
    path: str
    matcher: str
    interval: float
    timeout: float
    healthy: int
    unhealthy: int
    enabled: bool = True


@dataclass(frozen=True, slots=True)
class TargetGroup:
    """A target group; `version` is HTTP1, HTTP2 or GRPC, empty for TCP and TLS groups."""

    arn: str
    protocol: str
    version: str
    target_type: str
    check: HealthCheck
    targets: tuple[Target, ...] = ()
    attributes: Mapping[str, str] = field(default_factory=dict)

    @property
    def id(self) -> str:
        """`<name>/<16 hex>`, the end of the ARN."""
        return self.arn.partition("targetgroup/")[2]

    @property
    def deregistration_delay(self) -> float:
        """Production seconds that a deregistered target keeps draining."""
        default = PRODUCTION.deregistration_delay
        return float(self.attributes.get("deregistration_delay.timeout_seconds", default))


def has_proxy_protocol(group: TargetGroup) -> bool:
    """Whether an NLB tells the targets of a group who its client is."""
    return group.attributes.get("proxy_protocol_v2.enabled") == "true"


@dataclass(frozen=True, slots=True)
class Listener:
    """A listener. `certificates` are ARNs, the default one first; `rules` are in order, the default last.

    `protocols` are the versions of TLS that its security policy has, e.g. `TLSv1.2`; none: not known.
    """

    arn: str
    port: int
    protocol: str
    certificates: tuple[str, ...] = ()
    alpn: str = "None"
    rules: tuple[Rule, ...] = ()
    attributes: Mapping[str, str] = field(default_factory=dict)
    protocols: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class LoadBalancer:
    """A load balancer with its listeners; `zones` in the order of their names."""

    arn: str
    name: str
    type: Literal["nlb", "alb"]
    dns_name: str
    state: str
    zones: tuple[str, ...]
    listeners: tuple[Listener, ...] = ()
    attributes: Mapping[str, str] = field(default_factory=dict)

    @property
    def id(self) -> str:
        """`app/<name>/<16 hex>` as in access logs, the end of the ARN."""
        return self.arn.partition("loadbalancer/")[2]

    @property
    def is_active(self) -> bool:
        """Whether it forwards: provisioned, even if AWS could not set it up in full."""
        return self.state.startswith("active")

    def crosses_zones_for(self, group: TargetGroup) -> bool:
        """Each node reaches the targets of all zones: by default so for an ALB and not for an NLB.

        The group's own word comes first [ALB and NLB guides, "Cross-zone load balancing"].
        """
        given = group.attributes.get(CROSS_ZONE)
        if given in {"true", "false"}:
            return given == "true"
        return self.type == "alb" or self.attributes.get(CROSS_ZONE) == "true"

    @property
    def groups(self) -> list[str]:
        """ARNs of the target groups that some rule forwards to, each once."""
        actions = [rule.action for listener in self.listeners for rule in listener.rules]
        arns = [arn for action in actions if isinstance(action, Forward) for arn, _ in action.groups]
        return list(dict.fromkeys(arns))


@dataclass(frozen=True, slots=True)
class State:
    """All balancers and target groups at one moment; groups by ARN."""

    balancers: tuple[LoadBalancer, ...] = ()
    groups: Mapping[str, TargetGroup] = field(default_factory=dict)


def read(elbv2: Any) -> State:
    """Read everything through a boto3 `elbv2` client.

    What is deleted between two calls is left out: the change feed brings us back at once.
    """
    gone = (
        elbv2.exceptions.LoadBalancerNotFoundException,
        elbv2.exceptions.ListenerNotFoundException,
        elbv2.exceptions.TargetGroupNotFoundException,
    )
    balancers = []
    for item in _pages(elbv2, "describe_load_balancers", "LoadBalancers"):
        try:
            balancers.append(_balancer(elbv2, item))
        except gone:
            continue
    groups = {}
    for item in _pages(elbv2, "describe_target_groups", "TargetGroups"):
        try:
            groups[item["TargetGroupArn"]] = _group(elbv2, item)
        except gone:
            continue
    return State(tuple(balancers), groups)


def _pages(elbv2: Any, operation: str, key: str, **arguments: Any) -> list[Mapping[str, Any]]:
    pages = elbv2.get_paginator(operation).paginate(**arguments)
    return [item for page in pages for item in page[key]]


def _balancer(elbv2: Any, item: Mapping[str, Any]) -> LoadBalancer:
    arn = item["LoadBalancerArn"]
    listeners = _pages(elbv2, "describe_listeners", "Listeners", LoadBalancerArn=arn)
    attributes = elbv2.describe_load_balancer_attributes(LoadBalancerArn=arn)["Attributes"]
    return LoadBalancer(
        arn=arn,
        name=item["LoadBalancerName"],
        type="nlb" if item["Type"] == "network" else "alb",
        dns_name=item["DNSName"],
        state=item["State"]["Code"],
        zones=tuple(sorted(zone["ZoneName"] for zone in item["AvailabilityZones"])),
        listeners=tuple(
            _listener(elbv2, listener) for listener in sorted(listeners, key=lambda x: x["Port"])
        ),
        attributes={pair["Key"]: pair["Value"] for pair in attributes},
    )


def _listener(elbv2: Any, item: Mapping[str, Any]) -> Listener:
    arn, protocol = item["ListenerArn"], item["Protocol"]
    certificates = [entry["CertificateArn"] for entry in item.get("Certificates") or []]
    if protocol in {"HTTPS", "TLS"}:
        extra = _pages(elbv2, "describe_listener_certificates", "Certificates", ListenerArn=arn)
        certificates += [entry["CertificateArn"] for entry in extra if not entry.get("IsDefault")]
    default = Rule(0, action(item["DefaultActions"]))
    rules = [default]
    attributes = (
        elbv2.describe_listener_attributes(ListenerArn=arn)["Attributes"] if protocol == "TCP" else ()
    )
    if protocol in {"HTTP", "HTTPS"}:
        rules += [
            Rule(int(rule["Priority"]), action(rule["Actions"]), tuple(map(condition, rule["Conditions"])))
            for rule in _pages(elbv2, "describe_rules", "Rules", ListenerArn=arn)
            if rule["Priority"] != "default"
        ]
    return Listener(
        arn=arn,
        port=item["Port"],
        protocol=protocol,
        certificates=tuple(dict.fromkeys(certificates)),
        alpn=next(iter(item.get("AlpnPolicy") or []), "None"),
        rules=tuple(in_order(rules)),
        attributes={pair["Key"]: pair["Value"] for pair in attributes},
        protocols=_protocols(elbv2, item.get("SslPolicy")) if protocol in {"HTTPS", "TLS"} else (),
    )


def _protocols(elbv2: Any, policy: str | None) -> tuple[str, ...]:
    found = elbv2.describe_ssl_policies(Names=[policy or DEFAULT_POLICY])["SslPolicies"]
    return tuple(sorted(found[0]["SslProtocols"])) if found else ()


def action(actions: Sequence[Mapping[str, Any]]) -> Action:
    """The last of a rule's actions: forward, redirect or fixed response; others only precede it."""
    last = max(actions, key=lambda item: item.get("Order") or 0)
    match last["Type"]:
        case "redirect":
            config = last["RedirectConfig"]
            parts = {"Protocol": "protocol", "Host": "host", "Port": "port", "Path": "path", "Query": "query"}
            given = {name: config[key] for key, name in parts.items() if config.get(key) is not None}
            return Redirect(int(config["StatusCode"].removeprefix("HTTP_")), **given)
        case "fixed-response":
            config = last["FixedResponseConfig"]
            body = config.get("MessageBody") or ""
            return FixedResponse(int(config["StatusCode"]), config.get("ContentType") or "", body)
        case _:
            config = last.get("ForwardConfig") or {}
            groups = config.get("TargetGroups") or [last]
            sticky = config.get("TargetGroupStickinessConfig") or {}
            seconds = float(sticky.get("DurationSeconds") or 0) if sticky.get("Enabled") else 0.0
            return Forward(tuple((group["TargetGroupArn"], _weight(group)) for group in groups), seconds)


def condition(item: Mapping[str, Any]) -> Condition:
    """One condition of a rule, in the old spelling (`Values`) or the new (`...Config`)."""

    def values(config: str) -> tuple[str, ...]:
        return tuple((item.get(config) or {}).get("Values") or item.get("Values") or ())

    def regexes(config: str) -> tuple[str, ...]:
        return tuple((item.get(config) or {}).get("RegexValues") or item.get("RegexValues") or ())

    match item["Field"]:
        case "host-header":
            return HostHeader(values("HostHeaderConfig"), regexes("HostHeaderConfig"))
        case "path-pattern":
            return PathPattern(values("PathPatternConfig"), regexes("PathPatternConfig"))
        case "http-header":
            config = "HttpHeaderConfig"
            return HttpHeader(item[config]["HttpHeaderName"], values(config), regexes(config))
        case "http-request-method":
            return Method(values("HttpRequestMethodConfig"))
        case "source-ip":
            return SourceIp(values("SourceIpConfig"))
        case "query-string":
            pairs: Iterable[Mapping[str, str]] = item["QueryStringConfig"]["Values"]
            return QueryString(tuple((pair.get("Key") or None, pair["Value"]) for pair in pairs))
        case other:
            raise ValueError(f"a rule condition of ELBv2 that nobody knows: {other}")


def _weight(group: Mapping[str, Any]) -> int:
    weight = group.get("Weight")
    return 1 if weight is None else int(weight)


def _group(elbv2: Any, item: Mapping[str, Any]) -> TargetGroup:
    arn = item["TargetGroupArn"]
    attributes = elbv2.describe_target_group_attributes(TargetGroupArn=arn)["Attributes"]
    return TargetGroup(
        arn=arn,
        protocol=item["Protocol"],
        version=(item.get("ProtocolVersion") or "HTTP1") if item["Protocol"].startswith("HTTP") else "",
        target_type=item.get("TargetType") or "instance",
        check=_check(item),
        targets=_targets(elbv2.describe_target_health(TargetGroupArn=arn)["TargetHealthDescriptions"]),
        attributes={pair["Key"]: pair["Value"] for pair in attributes},
    )


def _targets(descriptions: Iterable[Mapping[str, Any]]) -> tuple[Target, ...]:
    """Registered targets: those that drain were deregistered and are only still shown."""
    return tuple(
        sorted(
            Target(item["Target"]["Id"], int(item["Target"]["Port"]), _zone(item["Target"]))
            for item in descriptions
            if item["TargetHealth"]["State"] != "draining"
        )
    )


def _zone(target: Mapping[str, Any]) -> str:
    zone = target.get("AvailabilityZone") or ""
    return "" if zone == "all" else zone


def _check(item: Mapping[str, Any]) -> HealthCheck:
    matcher = item.get("Matcher") or {}
    grpc = item.get("ProtocolVersion") == "GRPC"
    return HealthCheck(
        protocol=item.get("HealthCheckProtocol") or item["Protocol"],
        port=str(item.get("HealthCheckPort") or "traffic-port"),
        path=item.get("HealthCheckPath") or ("/AWS.ALB/healthcheck" if grpc else "/"),
        matcher=(matcher.get("GrpcCode") or "12") if grpc else (matcher.get("HttpCode") or "200"),
        interval=float(item.get("HealthCheckIntervalSeconds") or 30),
        timeout=float(item.get("HealthCheckTimeoutSeconds") or 5),
        healthy=int(item.get("HealthyThresholdCount") or 5),
        unhealthy=int(item.get("UnhealthyThresholdCount") or 2),
        enabled=item.get("HealthCheckEnabled") is not False,
    )
