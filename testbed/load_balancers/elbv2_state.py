"""The state of the ELBv2 API as values, read through boto3. Nothing here knows Envoy."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

from botocore.exceptions import ClientError

from testbed.balancer_identity import BalancerIdentity, owner_of
from testbed.load_balancers.rule_matching import (
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
from testbed.network import BalancerType
from testbed.settings import PRODUCTION

DEFAULT_POLICY = "ELBSecurityPolicy-2016-08"
"""The security policy of a listener that was created without one [ELBv2 API reference, CreateListener]."""
CROSS_ZONE = "load_balancing.cross_zone.enabled"
TYPES: Mapping[str, BalancerType] = {"application": "alb", "network": "nlb"}
PROTOCOLS = frozenset({"HTTP", "HTTPS", "TCP", "TLS", "TCP_UDP"})
TARGET_TYPES = frozenset({"instance", "ip"})
"""What Envoy is made to carry; AWS has more of each."""

UNFORESEEN = (ArithmeticError, AttributeError, LookupError, TypeError, ValueError)
"""What an object raises that is legal in AWS and that nobody here thought of."""

T = TypeVar("T")


class NotModelled(ValueError):
    """An object of AWS that the balancers here do not have; its text says what it is."""


@dataclass(frozen=True, slots=True, order=True)
class Target:
    """A registered target: an IP or an instance id, and its port."""

    id: str
    port: int
    zone: str = ""


@dataclass(frozen=True, slots=True)
class HealthCheck:
    """The health check of a target group. Intervals are production seconds, the timeout is wall seconds.

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
        """Production seconds for which a deregistered target drains."""
        default = PRODUCTION.deregistration_delay
        return float(self.attributes.get("deregistration_delay.timeout_seconds", default))


def has_proxy_protocol(group: TargetGroup) -> bool:
    """True if an NLB sends the client's address to the targets of a group."""
    return group.attributes.get("proxy_protocol_v2.enabled") == "true"


@dataclass(frozen=True, slots=True)
class Listener:
    """A listener. `certificates` are ARNs, the default one first; `rules` are in order, the default last.

    `protocols` are the TLS versions of its security policy, e.g. `TLSv1.2`; () if they are not known.
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
    """A load balancer with its listeners; `zones` are sorted by name.

    `scheme` is `internal` or `internet-facing`; `tags` name the object that makes it. The nodes of one that
    `is_dualstack` have IPv6 addresses, too.
    """

    arn: str
    name: str
    type: BalancerType
    dns_name: str
    state: str
    zones: tuple[str, ...]
    listeners: tuple[Listener, ...] = ()
    attributes: Mapping[str, str] = field(default_factory=dict)
    scheme: str = ""
    tags: Mapping[str, str] = field(default_factory=dict)
    is_dualstack: bool = False

    @property
    def id(self) -> str:
        """`app/<name>/<16 hex>` as in access logs, the end of the ARN."""
        return self.arn.partition("loadbalancer/")[2]

    @property
    def stat_name(self) -> str:
        """The name of its listeners' statistics, unique in a run: AWS may use a deleted one's name again."""
        return self.id.partition("/")[2].replace("/", "_")

    @property
    def identity(self) -> BalancerIdentity:
        """Its identity, with its owner by its tags."""
        return BalancerIdentity(self.dns_name, self.type, self.scheme, owner_of(self.tags))

    @property
    def is_active(self) -> bool:
        """True if it forwards: it is provisioned, even if AWS could not set it up in full."""
        return self.state.startswith("active")

    @property
    def is_provisioning(self) -> bool:
        """True if AWS still sets it up: its name resolves, and nothing answers."""
        return self.state == "provisioning"

    def crosses_zones_for(self, group: TargetGroup) -> bool:
        """True if each node reaches the targets of all zones: the default of an ALB, not of an NLB.

        The attribute of the group comes first [ALB and NLB guides, "Cross-zone load balancing"].
        """
        of_group = group.attributes.get(CROSS_ZONE)
        if of_group in {"true", "false"}:
            return of_group == "true"
        return self.type == "alb" or self.attributes.get(CROSS_ZONE) == "true"

    @property
    def groups(self) -> list[str]:
        """ARNs of the target groups that its rules forward to, each once."""
        actions = [rule.action for listener in self.listeners for rule in listener.rules]
        arns = [arn for action in actions if isinstance(action, Forward) for arn, _ in action.groups]
        return list(dict.fromkeys(arns))


@dataclass(frozen=True, slots=True)
class Elbv2State:
    """All load balancers and target groups at one moment; groups by ARN.

    Attributes:
        unmodelled: by the ARN of an object, what it is or has that is left out of the other fields.
    """

    balancers: tuple[LoadBalancer, ...] = ()
    groups: Mapping[str, TargetGroup] = field(default_factory=dict)
    unmodelled: Mapping[str, str] = field(default_factory=dict)

    @property
    def has_certificates(self) -> bool:
        """True if a listener that serves has a certificate."""
        return any(item.certificates for one in self.balancers if one.is_active for item in one.listeners)


def states(front: Any) -> Mapping[str, str]:
    """Read the state of each load balancer, by its ARN, through a boto3 `elbv2` client: one call."""
    listed = _pages(front, "describe_load_balancers", "LoadBalancers")
    return {item["LoadBalancerArn"]: item["State"]["Code"] for item in listed}


def read(elbv2: Any, front: Any) -> Elbv2State:
    """Read all load balancers and target groups through boto3 `elbv2` clients.

    What is deleted between two calls is left out; the change feed then causes another read at once. What
    cannot be modelled is left out, too, and named in `unmodelled`: one object must not stop all others.

    Args:
        elbv2: a client of what keeps them.
        front: a client of the endpoint that customers call: it alone knows which balancers are provisioned.
    """
    gone = (
        elbv2.exceptions.LoadBalancerNotFoundException,
        elbv2.exceptions.ListenerNotFoundException,
        elbv2.exceptions.TargetGroupNotFoundException,
    )
    unmodelled: dict[str, str] = {}

    def each(items: Iterable[Mapping[str, Any]], arn: str, convert: Callable[..., T]) -> Iterator[T]:
        for item in items:
            try:
                yield convert(item)
                if item.get("Protocol") == "TCP_UDP":
                    unmodelled[item[arn]] = "the UDP half of protocol TCP_UDP"
            except gone:
                continue
            # Whatever is odd about an object, known (NotModelled) or not thought of.
            except (
                ClientError,
                ArithmeticError,
                AttributeError,
                LookupError,
                TypeError,
                ValueError,
            ) as error:
                unmodelled[item[arn]] = _reason(error)

    def balancer(item: Mapping[str, Any]) -> LoadBalancer:
        if item["Type"] not in TYPES:
            raise NotModelled(f"a load balancer of type {item['Type']}")
        described = _pages(elbv2, "describe_listeners", "Listeners", LoadBalancerArn=item["LoadBalancerArn"])
        in_order = sorted(described, key=lambda listener: listener["Port"])
        return _balancer(elbv2, item, each(in_order, "ListenerArn", lambda one: _listener(elbv2, one)))

    balancers = each(_pages(front, "describe_load_balancers", "LoadBalancers"), "LoadBalancerArn", balancer)
    groups = each(
        _pages(elbv2, "describe_target_groups", "TargetGroups"),
        "TargetGroupArn",
        lambda item: _group(elbv2, item),
    )
    return Elbv2State(tuple(balancers), {group.arn: group for group in groups}, unmodelled)


def _reason(error: Exception) -> str:
    return str(error) if isinstance(error, NotModelled | ClientError) else f"{type(error).__name__}: {error}"


def _pages(elbv2: Any, operation: str, key: str, **arguments: Any) -> list[Mapping[str, Any]]:
    pages = elbv2.get_paginator(operation).paginate(**arguments)
    return [item for page in pages for item in page[key]]


def _balancer(elbv2: Any, item: Mapping[str, Any], listeners: Iterable[Listener]) -> LoadBalancer:
    arn = item["LoadBalancerArn"]
    attributes = elbv2.describe_load_balancer_attributes(LoadBalancerArn=arn)["Attributes"]
    return LoadBalancer(
        arn=arn,
        name=item["LoadBalancerName"],
        type=TYPES[item["Type"]],
        dns_name=item["DNSName"],
        state=item["State"]["Code"],
        zones=tuple(sorted(zone["ZoneName"] for zone in item["AvailabilityZones"])),
        listeners=tuple(listeners),
        attributes={pair["Key"]: pair["Value"] for pair in attributes},
        scheme=item.get("Scheme") or "internet-facing",  # the default of CreateLoadBalancer
        tags={
            pair["Key"]: pair["Value"]
            for description in elbv2.describe_tags(ResourceArns=[arn])["TagDescriptions"]
            for pair in description["Tags"]
        },
        is_dualstack=(item.get("IpAddressType") or "").startswith("dualstack"),
    )


def _listener(elbv2: Any, item: Mapping[str, Any]) -> Listener:
    arn, protocol = item["ListenerArn"], item["Protocol"]
    if protocol not in PROTOCOLS:
        raise NotModelled(f"a listener of protocol {protocol}; its port stays closed")
    certificates = [entry["CertificateArn"] for entry in item.get("Certificates") or []]
    if protocol in {"HTTPS", "TLS"}:
        extra = _pages(elbv2, "describe_listener_certificates", "Certificates", ListenerArn=arn)
        certificates += [entry["CertificateArn"] for entry in extra if not entry.get("IsDefault")]
    default = Rule(0, action(item["DefaultActions"]))
    rules = [default]
    # Only TCP listeners have an attribute that matters here: tcp.idle_timeout.seconds.
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
    policies = elbv2.describe_ssl_policies(Names=[policy or DEFAULT_POLICY])["SslPolicies"]
    return tuple(sorted(policies[0]["SslProtocols"])) if policies else ()


def action(actions: Sequence[Mapping[str, Any]]) -> Action:
    """Convert the last action of a rule: forward, redirect or fixed response; others only precede it."""
    last = max(actions, key=lambda item: item.get("Order") or 0)
    match last["Type"]:
        case "redirect":
            config = last["RedirectConfig"]
            parts = {"Protocol": "protocol", "Host": "host", "Port": "port", "Path": "path", "Query": "query"}
            replaced = {name: config[key] for key, name in parts.items() if config.get(key) is not None}
            return Redirect(int(config["StatusCode"].removeprefix("HTTP_")), **replaced)
        case "fixed-response":
            config = last["FixedResponseConfig"]
            body = config.get("MessageBody") or ""
            return FixedResponse(int(config["StatusCode"]), config.get("ContentType") or "", body)
        case _:
            config = last.get("ForwardConfig") or {}
            # A forward to one group may name it in the action itself (ELBv2 API, Action).
            groups = config.get("TargetGroups") or [last]
            sticky = config.get("TargetGroupStickinessConfig") or {}
            seconds = float(sticky.get("DurationSeconds") or 0) if sticky.get("Enabled") else 0.0
            return Forward(tuple((group["TargetGroupArn"], _weight(group)) for group in groups), seconds)


def condition(item: Mapping[str, Any]) -> Condition:
    """Convert one condition of a rule, in the old spelling (`Values`) or the new (`...Config`).

    Raises:
        ValueError: ELBv2 has no such condition.
    """

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
            raise ValueError(f"unknown rule condition of ELBv2: {other}")


def _weight(group: Mapping[str, Any]) -> int:
    weight = group.get("Weight")
    return 1 if weight is None else int(weight)


def _group(elbv2: Any, item: Mapping[str, Any]) -> TargetGroup:
    arn, target_type = item["TargetGroupArn"], item.get("TargetType") or "instance"
    if target_type not in TARGET_TYPES:
        raise NotModelled(f"a target group of type {target_type}; it has no targets here")
    if item["Protocol"] not in PROTOCOLS:
        raise NotModelled(f"a target group of protocol {item['Protocol']}; it has no targets here")
    attributes = elbv2.describe_target_group_attributes(TargetGroupArn=arn)["Attributes"]
    return TargetGroup(
        arn=arn,
        protocol=item["Protocol"],
        version=(item.get("ProtocolVersion") or "HTTP1") if item["Protocol"].startswith("HTTP") else "",
        target_type=target_type,
        check=_check(item),
        targets=_targets(elbv2.describe_target_health(TargetGroupArn=arn)["TargetHealthDescriptions"]),
        attributes={pair["Key"]: pair["Value"] for pair in attributes},
    )


def _targets(descriptions: Iterable[Mapping[str, Any]]) -> tuple[Target, ...]:
    """Return the registered targets; draining ones are deregistered and only listed still."""
    return tuple(
        sorted(
            Target(item["Target"]["Id"], int(item["Target"]["Port"]), _zone(item["Target"]))
            for item in descriptions
            if item["TargetHealth"]["State"] != "draining"
        )
    )


def _zone(target: Mapping[str, Any]) -> str:
    # `all` is the zone of an IP outside the VPC [API reference, TargetDescription].
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
