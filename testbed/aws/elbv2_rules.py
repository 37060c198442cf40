"""What ELBv2 refuses and moto takes (pure).

Sources: ELBv2 API reference; ALB guide, "Quotas"; texts as in aws-load-balancer-controller #2214 (GRPC on an
HTTP listener), #2804 (GRPC codes), #2011 and cfn-lint #3833 (condition values). Texts marked "by analogy"
could not be found in public.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

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
"""What AWS takes for attributes of balancers, target groups and listeners (API reference, their types)."""
_CHECKS = {
    "HealthCheckIntervalSeconds": range(5, 301),
    "HealthCheckTimeoutSeconds": range(2, 121),
    "HealthyThresholdCount": range(2, 11),
    "UnhealthyThresholdCount": range(2, 11),
}
"""The same of health checks (CreateTargetGroup)."""


@dataclass(frozen=True, slots=True)
class Listener:
    """A listener as rules need it."""

    load_balancer: str
    protocol: str
    port: str


def refused_form(form: Form, operation: str, required: Iterable[str] | None) -> Refusal | None:
    """An operation must exist, and its parameters be there (ELBv2 API reference, "Common Errors").

    Args:
        required: names of the parameters that it must have; None if there is no such operation.
    """
    if required is None:
        return Refusal("InvalidAction", f"The action {operation} is not valid for this web service.")
    for name in required:
        if not any(key == name or key.startswith(f"{name}.") for key in form):
            member = name[0].lower() + name[1:]
            wrong = f"Value null at '{member}' failed to satisfy constraint: Member must not be null"
            return Refusal("ValidationError", f"1 validation error detected: {wrong}")
    return None


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
    """Whether an expression can be compiled and has nothing that needs backtracking, which an ALB refuses."""
    try:
        re.compile(text)
    except re.error:
        return False
    return len(text) <= LONGEST_VALUE and not _BACKTRACKS.search(text)


def refused_count(rules: int) -> Refusal | None:
    """A balancer has at most 100 rules, default rules apart; `rules` are those it has already."""
    if rules < MOST_RULES:
        return None
    # the API reference's words for TooManyRules
    return Refusal("TooManyRules", "You've reached the limit on the number of rules per load balancer.")


def target_groups(form: Form) -> list[str]:
    """ARNs of the target groups that the call's actions forward to."""
    return list(dict.fromkeys(value for key, value in form.items() if _GROUP.fullmatch(key)))


def refused_versions(protocol: str, versions: Iterable[str]) -> Refusal | None:
    """GRPC and HTTP2 target groups stand on HTTPS listeners only (ALB guide, "Target groups")."""
    for version in versions:
        if protocol == "HTTP" and version in ("GRPC", "HTTP2"):
            return Refusal(
                "InvalidLoadBalancerAction",
                "Listener protocol 'HTTP' is not supported with a target group with the "
                f"protocol-version '{version}'",
            )
    return None


def refused_listener(form: Form, load_balancer: str, others: Iterable[Listener]) -> Refusal | None:
    """A port belongs to one listener; HTTPS and TLS listeners need a certificate."""
    if any(other.port == form.get("Port") for other in others):
        return Refusal(
            "DuplicateListener",
            f"A listener already exists on this port for this load balancer '{load_balancer}'",
        )
    protocol = form.get("Protocol", "")
    if protocol in _SECURE and not any(key.startswith("Certificates.member.") for key in form):
        return Refusal("ValidationError", f"A certificate must be specified for {protocol} listeners")
    return None


def refused_protocol(form: Form, load_balancer: str) -> Refusal | None:
    """ALBs have HTTP and HTTPS listeners, NLBs TCP, TLS and UDP ones (CreateListener)."""
    protocol = form.get("Protocol", "")
    allowed = _PROTOCOLS.get(load_balancer.partition(":loadbalancer/")[2].partition("/")[0], (protocol,))
    if protocol in allowed:
        return None
    what = f"Listener protocol '{protocol}' must be one of '{', '.join(allowed)}'"
    return Refusal("ValidationError", what)  # text by analogy


def refused_numbers(form: Form) -> Refusal | None:
    """Attributes and health check settings within their ranges; the texts are by analogy."""
    attributes = {
        value: form.get(key.removesuffix("Key") + "Value", "")
        for key, value in form.items()
        if key.startswith("Attributes.member.") and key.endswith(".Key")
    }
    for name, value in attributes.items():
        ranges = _ATTRIBUTES.get(name)
        if ranges and not any(value.isdecimal() and int(value) in one for one in ranges):
            told = " or ".join(f"{one[0]}-{one[-1]}" if len(one) > 1 else str(one[0]) for one in ranges)
            return Refusal("ValidationError", f"The value '{value}' of the attribute '{name}' must be {told}")
    for name, allowed in _CHECKS.items():
        value = form.get(name, str(allowed[0]))
        if not value.isdecimal() or int(value) not in allowed:
            told = f"'{name}' must be between '{allowed[0]}' and '{allowed[-1]}'"
            return Refusal("ValidationError", f"The value '{value}' is not valid: {told}")
    return None


def refused_policy(form: Form, known: Iterable[str]) -> Refusal | None:
    """A security policy must be one that AWS has."""
    wanted = form.get("SslPolicy")
    if wanted is None or wanted in known:
        return None
    return Refusal("SSLPolicyNotFound", f"SSL policy '{wanted}' not found")  # text by analogy


def refused_matcher(form: Form, version: str) -> Refusal | None:
    """Success codes of a health check: 0-99 for GRPC groups, 200-499 for the others of an ALB.

    Args:
        form: CreateTargetGroup or ModifyTargetGroup.
        version: the group's protocol version; "" for the groups of an NLB, whose codes are 200-599.
    """
    if version == "GRPC":
        field, low, high = "GrpcCode", 0, 99
    else:
        field, low, high = "HttpCode", 200, 499 if version else 599
    given = form.get(f"Matcher.{field}")
    if given is None:
        return None
    kind = field.removesuffix("Code").upper()
    for part in given.split(","):
        match = _CODES.fullmatch(part.strip())
        if not match or not all(low <= int(code) <= high for code in match.groups() if code is not None):
            return Refusal(
                "ValidationError",
                f"Health check matcher {kind} code '{part.strip()}' must be within '{low}-{high}' inclusive",
            )
    return None


def refused_deletion(load_balancer: str, attributes: Mapping[str, str]) -> Refusal | None:
    """A balancer with deletion protection stays."""
    if attributes.get("deletion_protection.enabled") != "true":
        return None
    return Refusal(
        "OperationNotPermitted",
        f"Load balancer '{load_balancer}' cannot be deleted because deletion protection is enabled",
    )


def listener_of_rule(rule: str) -> str:
    """`…:listener-rule/app/name/lb/listener/rule` belongs to `…:listener/app/name/lb/listener`."""
    return rule.replace(":listener-rule/", ":listener/").rpartition("/")[0]
