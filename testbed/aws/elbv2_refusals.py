"""The refusals of ELBv2 for calls that moto accepts (pure).

Sources: ELBv2 API reference; ALB guide, "Quotas"; texts as in aws-load-balancer-controller #2214 (GRPC on an
HTTP listener), #2804 (GRPC codes), #2011 and cfn-lint #3833 (condition values). Texts marked "by analogy"
could not be found in public.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from testbed.aws.answers import Refusal

Form = Mapping[str, str]
"""The parameters of a call in the query protocol."""

MOST_VALUES = 5
MOST_WILDCARDS = 5
MOST_RULES = 100
LONGEST_VALUE = 128

_VALUE = re.compile(
    r"Conditions\.member\.\d+\.(?:[A-Za-z]+Config\.)?(?:Regex)?Values\.member\.\d+(?:\.Key|\.Value)?"
)
_KEYED = re.compile(r"\.(?:Key|Value)$")
_LITERAL = re.compile(r"(?:SourceIpConfig|HttpRequestMethodConfig|RegexValues)")
_BACKTRACKS = re.compile(r"\(\?(?:[=!]|<[=!]|P?=|\()|\\[1-9]")
_ESCAPED = re.compile(r"\\[*?\\]")
_GROUP = re.compile(r"(?:Default)?Actions\.member\.\d+\..*TargetGroupArn")
_CODES = re.compile(r"(\d+)(?:-(\d+))?")
_SECURE = ("HTTPS", "TLS")
_ONCE = ("host-header", "http-request-method", "path-pattern", "source-ip")
"""Fields that a rule may name once [ALB guide, "Condition types for listener rules"]."""
_PROTOCOLS = {"app": ("HTTP", "HTTPS"), "net": ("TCP", "TLS", "UDP", "TCP_UDP")}
_ATTRIBUTES = {
    "idle_timeout.timeout_seconds": (range(1, 4_001),),
    "client_keep_alive.seconds": (range(60, 604_801),),
    "deregistration_delay.timeout_seconds": (range(3_601),),
    "slow_start.duration_seconds": (range(1), range(30, 901)),
    "stickiness.lb_cookie.duration_seconds": (range(1, 604_801),),
    "stickiness.app_cookie.duration_seconds": (range(1, 604_801),),
    "tcp.idle_timeout.seconds": (range(60, 6_001),),
}
"""Allowed values of attributes of balancers, target groups and listeners (API reference, their types)."""


@dataclass(frozen=True, slots=True)
class Listener:
    """The fields of a listener that the refusals need."""

    load_balancer: str
    protocol: str
    port: str
    arn: str = ""


def refused_conditions(form: Form) -> Refusal | None:
    """A rule has at most five condition values and five wildcards (ALB guide, "Quotas")."""
    values = {key: value for key, value in form.items() if _VALUE.fullmatch(key)}
    if len({_KEYED.sub("", key) for key in values}) > MOST_VALUES:
        return Refusal("ValidationError", f"A rule can only have '{MOST_VALUES}' condition values")
    for key, value in values.items():
        if "RegexValues" in key and not _is_regex(value):  # text by analogy
            return Refusal("ValidationError", f"The regex value '{value}' is not valid")
    wildcards = sum(
        character in "*?"
        for key, value in values.items()
        if not _LITERAL.search(key)
        for character in _ESCAPED.sub("", value)
    )
    if wildcards > MOST_WILDCARDS:  # text by analogy
        return Refusal("ValidationError", f"A rule can only have '{MOST_WILDCARDS}' condition wildcards")
    return None


def _is_regex(text: str) -> bool:
    """True if an expression compiles and needs no backtracking, which an ALB refuses."""
    try:
        re.compile(text)
    except re.error:
        return False
    return len(text) <= LONGEST_VALUE and not _BACKTRACKS.search(text)


def refused_fields(parameters: Mapping[str, Any], *, creates: bool) -> Refusal | None:
    """A rule has a condition, and one at most of each field but two; networks have a prefix length.

    The texts are by analogy.
    """
    conditions = parameters.get("Conditions") or []
    if creates and not conditions:
        return Refusal("ValidationError", "A condition must be specified")
    fields = [condition.get("Field") for condition in conditions]
    for field in _ONCE:
        if fields.count(field) > 1:
            return Refusal("ValidationError", f"A rule can only have one '{field}' condition")
    for condition in conditions:
        for value in (condition.get("SourceIpConfig") or {}).get("Values") or ():
            if not _is_network(value):
                return Refusal("ValidationError", f"The source IP '{value}' must be in CIDR format")
    return None


def _is_network(text: str) -> bool:
    try:
        ipaddress.ip_network(text, strict=False)
    except ValueError:
        return False
    return "/" in text


def refused_count(rules: int) -> Refusal | None:
    """A balancer has at most 100 rules besides its default rules; it has `rules` already."""
    if rules < MOST_RULES:
        return None
    # the API reference's words for TooManyRules
    return Refusal("TooManyRules", "You've reached the limit on the number of rules per load balancer.")


def target_groups(form: Form) -> list[str]:
    """Return ARNs of the target groups that the actions of a call forward to."""
    return list(dict.fromkeys(value for key, value in form.items() if _GROUP.fullmatch(key)))


def refused_versions(protocol: str, versions: Iterable[str]) -> Refusal | None:
    """GRPC and HTTP2 target groups need an HTTPS listener (ALB guide, "Target groups")."""
    for version in versions:
        if protocol == "HTTP" and version in ("GRPC", "HTTP2"):
            return Refusal(
                "InvalidLoadBalancerAction",
                "Listener protocol 'HTTP' is not supported with a target group with the "
                f"protocol-version '{version}'",
            )
    return None


def refused_listener(
    form: Form, load_balancer: str, others: Iterable[Listener], before: str = ""
) -> Refusal | None:
    """A port has one listener; HTTPS and TLS listeners need a certificate.

    Args:
        form: parameters of CreateListener or ModifyListener.
        load_balancer: ARN of the balancer.
        others: its other listeners.
        before: the protocol that the listener has already; "" for a new one.
    """
    if any(other.port == form.get("Port") for other in others):
        return Refusal(
            "DuplicateListener",
            f"A listener already exists on this port for this load balancer '{load_balancer}'",
        )
    protocol = form.get("Protocol", "")
    is_secured_now = protocol in _SECURE and before not in _SECURE
    if is_secured_now and not any(key.startswith("Certificates.member.") for key in form):
        return Refusal("ValidationError", f"A certificate must be specified for {protocol} listeners")
    return None


def refused_protocol(protocol: str, load_balancer: str) -> Refusal | None:
    """ALBs have HTTP and HTTPS listeners, NLBs TCP, TLS and UDP ones (CreateListener)."""
    allowed = _PROTOCOLS.get(load_balancer.partition(":loadbalancer/")[2].partition("/")[0], (protocol,))
    if protocol in allowed:
        return None
    what = f"Listener protocol '{protocol}' must be one of '{', '.join(allowed)}'"
    return Refusal("ValidationError", what)  # text by analogy


def refused_numbers(form: Form) -> Refusal | None:
    """Attributes must be within their ranges; the texts are by analogy."""
    attributes = {
        value: form.get(key.removesuffix("Key") + "Value", "")
        for key, value in form.items()
        if key.startswith("Attributes.member.") and key.endswith(".Key")
    }
    for name, value in attributes.items():
        ranges = _ATTRIBUTES.get(name)
        if ranges and not any(value.isdecimal() and int(value) in span for span in ranges):
            limits = " or ".join(
                f"{numbers[0]}-{numbers[-1]}" if len(numbers) > 1 else str(numbers[0]) for numbers in ranges
            )
            return Refusal(
                "ValidationError", f"The value '{value}' of the attribute '{name}' must be {limits}"
            )
    return None


def refused_policy(form: Form, known: Iterable[str]) -> Refusal | None:
    """A security policy must exist in AWS."""
    policy = form.get("SslPolicy")
    if policy is None or policy in known:
        return None
    return Refusal("SSLPolicyNotFound", f"SSL policy '{policy}' not found")  # text by analogy


def refused_matcher(form: Form, version: str) -> Refusal | None:
    """Success codes of a health check are 0-99 for GRPC groups, 200-499 for other groups of an ALB.

    Args:
        form: parameters of CreateTargetGroup or ModifyTargetGroup.
        version: protocol version of the group; "" for the groups of an NLB, whose codes are 200-599.
    """
    if version == "GRPC":
        field, low, high = "GrpcCode", 0, 99
    else:
        field, low, high = "HttpCode", 200, 499 if version else 599
    matcher = form.get(f"Matcher.{field}")
    if matcher is None:
        return None
    kind = field.removesuffix("Code").upper()
    for part in matcher.split(","):
        match = _CODES.fullmatch(part.strip())
        if not match or not all(low <= int(code) <= high for code in match.groups() if code is not None):
            return Refusal(
                "ValidationError",
                f"Health check matcher {kind} code '{part.strip()}' must be within '{low}-{high}' inclusive",
            )
    return None


def refused_deletion(load_balancer: str, attributes: Mapping[str, str]) -> Refusal | None:
    """A balancer with deletion protection cannot be deleted."""
    if attributes.get("deletion_protection.enabled") != "true":
        return None
    return Refusal(
        "OperationNotPermitted",
        f"Load balancer '{load_balancer}' cannot be deleted because deletion protection is enabled",
    )


def refused_default(rule: str, *, is_default: bool | None) -> Refusal | None:
    """A default rule is neither modified nor deleted by its own ARN; None as `is_default`: no such rule."""
    if is_default is None:
        return Refusal("RuleNotFound", "One or more rules not found")
    if is_default:
        return Refusal("OperationNotPermitted", f"Default rule '{rule}' cannot be modified or deleted")
    return None


def listener_of_rule(rule: str) -> str:
    """Return the listener of a rule by ARN.

    `…:listener-rule/app/name/lb/listener/rule` belongs to `…:listener/app/name/lb/listener`.
    """
    return rule.replace(":listener-rule/", ":listener/").rpartition("/")[0]
