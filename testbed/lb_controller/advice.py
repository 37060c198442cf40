"""What an operator should know before a plan meets AWS and real clients.

Each piece of advice is a reason and one sentence that names the objects; plan, log and tests quote the same
words.
"""

from __future__ import annotations

import enum
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from testbed.errors import Location
from testbed.lb_controller import globs, listen_ports, objects
from testbed.lb_controller.inputs import BuildError, Group, Member
from testbed.lb_controller.listen_ports import HTTP, HTTPS
from testbed.lb_controller.rule_conditions import HOST, PATH
from testbed.lb_controller.stack import (
    Action,
    Condition,
    ListenerRule,
    Ref,
    RuleSource,
    Stack,
    TargetGroup,
)
from testbed.lb_controller.target_groups import GRPC, HTTP1, HTTP2
from testbed.settings import PRODUCTION

Field = str | int
Locate = Callable[[str, str, str, tuple[Field, ...]], Location]
"""Where a field of an object was written: kind, namespace, name, path from the object's root."""

IDLE_TIMEOUT = "idle_timeout.timeout_seconds"
_ANNOTATION = "alb.ingress.kubernetes.io/"
_ANY_HOST = "*"
_GRPC_METHOD = re.compile(r"/[A-Za-z_][\w.]*\.[A-Za-z_]\w*/.+\Z")
_REFUSED: Mapping[str | None, str] = {
    GRPC: "HTTP/1.1 requests, and HTTP/2 requests other than POST,",
    HTTP2: "HTTP/1.1 requests",
}
"""Whose requests a target group of a protocol version refuses (ALB guide, "Protocol version")."""
_GRPC_CODES = range(100)
_HTTP_CODES = range(200, 500)
_IDLE_SECONDS = range(1, 4001)
_MOST_VALUES = 5
_MOST_WILDCARDS = 5
_MOST_RULES = 100
_CODES = re.compile(r"[0-9]+(-[0-9]+)?(,[0-9]+(-[0-9]+)?)*\Z")


_RULES = "the rules", "go", "stand"
_DEFAULT_BACKEND = "the default backend", "goes", "stands"


class Reason(enum.StrEnum):
    """Why something is worth a word."""

    RULES_ON_PORT_80_ONLY = "rules-on-port-80-only"
    """An Ingress without listen-ports and certificate adds its rules to HTTP 80 only."""
    EXPECT_464 = "expect-464"
    """Requests of a kind that the protocol version of the rule's target group refuses."""
    CATCH_ALL_HIDES_RULES = "catch-all-hides-rules"
    """An earlier rule matches all that a later one does."""
    GRPC_ON_HTTP_LISTENER = "grpc-on-http-listener"
    """AWS refuses the rule, and the group stays without hostname."""
    IDLE_TIMEOUT_CUTS_STREAMS = "idle-timeout-cuts-streams"
    """A stream that is silent for the idle timeout is reset; an NLB allowed 350 s."""
    IMPOSSIBLE_SUCCESS_CODES = "impossible-success-codes"
    """AWS refuses the codes, or no answer can carry them."""
    MISSING_CERTIFICATE = "missing-certificate"
    """An HTTPS listener without `certificate-arn` hopes for one in ACM."""
    ASSUMED_CLASS = "assumed-class"
    """An Ingress names the class that the controller's Helm chart installs, which no file has."""
    BEYOND_AWS_LIMITS = "beyond-aws-limits"
    """AWS refuses the rule, or the account's quota has to be raised first."""


@dataclass(frozen=True, slots=True)
class Advice:
    """A reason, the sentence, and where the objects that it names were written."""

    reason: Reason
    sentence: str
    where: Location


def of_group(group: Group, stack: Stack, locate: Locate) -> list[Advice]:
    """All advice on an Ingress group and the stack that it becomes."""
    view = _View(group, stack, locate)
    found = [
        *_rules_on_port_80(view),
        *_missing_certificates(view),
        *_grpc_on_http(view),
        *_hidden_rules(view),
        *_covered_rules(view),
        *_expected_464(view),
        *_idle_timeout(view),
        *_success_codes(view),
        *_limits(view),
    ]
    return list(dict.fromkeys(found))


class _View:
    """A group and its stack, with the look-ups that the checks share."""

    def __init__(self, group: Group, stack: Stack, locate: Locate) -> None:
        self.group = group
        self.stack = stack
        self.locate = locate
        self.target_groups = {item.id: item for item in stack.target_groups}
        self.bindings = {item.id: item for item in stack.bindings}
        self.listeners = {item.port: item for item in stack.listeners}
        self.members = {objects.key(member.ingress): member for member in group.members}

    def groups_of(self, rule: ListenerRule) -> Iterator[TargetGroup]:
        return self.groups_in(rule.actions)

    def groups_in(self, actions: Iterable[Action]) -> Iterator[TargetGroup]:
        for action in actions:
            for item in action.forward.target_groups if action.forward else ():
                if isinstance(item.target_group, Ref):
                    yield self.target_groups[item.target_group.id]

    def place(self, member: Member, *path: Field) -> Location:
        ingress = member.ingress
        return self.locate("Ingress", objects.namespace(ingress), objects.name(ingress), path)

    def annotated(self, member: Member, suffix: str) -> Location:
        return self.place(member, "metadata", "annotations", _ANNOTATION + suffix)

    def source(self, rule: ListenerRule) -> Location:
        return self.written(_source(rule))

    def written(self, source: RuleSource) -> Location:
        path = ("spec", "rules", source.rule, "http", "paths", source.path)
        return self.locate("Ingress", source.namespace, source.name, path)

    def told(self, rule: ListenerRule) -> str:
        """`rule 443:2 (path /a/* of Ingress default/web, web.yaml:12)`."""
        source = _source(rule)
        return (
            f"rule {rule.id} ({described(rule.conditions)}, "
            f"Ingress {source.namespace}/{source.name}, {self.source(rule)})"
        )

    def group_named(self, group: TargetGroup) -> str:
        binding = self.bindings[group.id]
        return (
            f"{group.protocol_version} target group {group.name} "
            f"(Service {binding.namespace}/{binding.service_name} port {binding.service_port})"
        )

    def member_of(self, group: TargetGroup) -> Member:
        """The Ingress whose target group it is: its id begins with the Ingress and the Service."""
        binding = self.bindings[group.id]
        key = group.id.removesuffix(f"-{binding.service_name}:{binding.service_port}")
        return self.members[key]


def described(conditions: Iterable[Condition]) -> str:
    """Conditions in words: `host a.example.com and path /a or /a/*`."""
    words = {HOST: "host", PATH: "path"}
    parts = []
    for condition in conditions:
        values = [*condition.values, *(f"~{regex}" for regex in condition.regex_values)]
        values += [f"{pair.key}={pair.value}" if pair.key else pair.value for pair in condition.query]
        name = words.get(condition.field) or condition.header_name or condition.field
        parts.append(f"{name} {' or '.join(values)}")
    return " and ".join(parts)


def _source(rule: ListenerRule) -> RuleSource:
    assert rule.source is not None  # rules of an Ingress group always have one
    return rule.source


def _rules_on_port_80(view: _View) -> Iterator[Advice]:
    tls_ports = sorted(item.port for item in view.stack.listeners if item.protocol == HTTPS)
    with_rules = {(source.namespace, source.name) for source in map(_source, view.stack.rules)}
    for member in view.group.members:
        spec = objects.spec(member.ingress)
        has_rules = bool(spec.get("rules"))
        what, go, stand = _RULES if has_rules else _DEFAULT_BACKEND
        if not (has_rules or spec.get("defaultBackend")):
            continue
        try:
            ports = listen_ports.declared_ports(member)
        except BuildError:  # told as the group's failure already
            continue
        if HTTPS in ports.values():
            continue
        numbers = ", ".join(map(str, sorted(ports)))
        listeners = ", ".join(map(str, tls_ports))
        where = view.place(member)
        start = f"{what} of Ingress {objects.key(member.ingress)} ({where})"
        is_there = (objects.namespace(member.ingress), objects.name(member.ingress)) in with_rules
        if not is_there and _redirects(view, ports):
            told = (
                f"{start} {stand} on no listener: HTTP {numbers} of its group {view.group.id} only "
                f"redirects, and the Ingress does not listen on HTTPS {listeners}; give it listen-ports or "
                "certificate-arn"
            )
        elif tls_ports:
            told = (
                f"{start} {go} onto HTTP {numbers} only and not onto HTTPS {listeners} of its group "
                f"{view.group.id}; give it listen-ports or certificate-arn"
            )
        else:
            told = (
                f"{start} {go} onto HTTP {numbers} only, in clear text and without HTTP/2; give it "
                "certificate-arn for HTTPS 443"
            )
        yield Advice(Reason.RULES_ON_PORT_80_ONLY, told, where)


def _redirects(view: _View, ports: Iterable[int]) -> bool:
    """Whether all that comes to these ports is sent to an HTTPS port of the group."""
    listeners = [view.listeners[port] for port in ports if port in view.listeners]
    return all(
        action.redirect and action.redirect.protocol == HTTPS and action.redirect.port in tls
        for tls in [{str(item.port) for item in view.stack.listeners if item.protocol == HTTPS}]
        for item in listeners
        for action in item.default_actions
    )


def _missing_certificates(view: _View) -> Iterator[Advice]:
    for member in view.group.members:
        if listen_ports.explicit_certificates(member):
            continue
        try:
            ports = listen_ports.declared_ports(member)
        except BuildError:
            continue
        tls = sorted(port for port, protocol in ports.items() if protocol == HTTPS)
        if not tls:
            continue
        where = view.annotated(member, "listen-ports")
        hosts = listen_ports.hosts(member)
        name = f"Ingress {objects.key(member.ingress)} ({where})"
        start = f"{name} listens on HTTPS {tls[0]} without certificate-arn"
        if not hosts and view.listeners[tls[0]].certificates:
            continue  # another member brings one
        if hosts:
            told = (
                f"{start}: the controller takes every issued ACM certificate for {', '.join(hosts)}, and the "
                "whole group fails if one of these has none"
            )
        else:
            told = f"{start} and names no host to look for one in ACM: AWS refuses the listener"
        yield Advice(Reason.MISSING_CERTIFICATE, told, where)


def _grpc_on_http(view: _View) -> Iterator[Advice]:
    for rule in view.stack.rules:
        listener = view.listeners[rule.listener_port]
        if listener.protocol != HTTP:
            continue
        for group in view.groups_of(rule):
            if group.protocol_version != HTTP1:
                told = (
                    f"AWS refuses {view.told(rule)}: listener protocol 'HTTP' is not supported with "
                    f"{view.group_named(group)}; the group fails with FailedDeployModel and no hostname"
                )
                yield Advice(Reason.GRPC_ON_HTTP_LISTENER, told, view.source(rule))
    for listener in view.stack.listeners:
        for group in view.groups_in(listener.default_actions) if listener.protocol == HTTP else ():
            if group.protocol_version != HTTP1:
                where = view.place(view.member_of(group), "spec", "defaultBackend")
                told = (
                    f"AWS refuses listener {listener.port} ({where}): listener protocol 'HTTP' is not "
                    f"supported with {view.group_named(group)}; the group fails with FailedDeployModel "
                    "and no hostname"
                )
                yield Advice(Reason.GRPC_ON_HTTP_LISTENER, told, where)


def _hidden_rules(view: _View) -> Iterator[Advice]:
    for listener in view.stack.listeners:
        earlier: dict[str, list[ListenerRule]] = {}
        for rule in (rule for rule in view.stack.rules if rule.listener_port == listener.port):
            hosts = _hosts(rule.conditions)
            candidates = [*earlier.get(_ANY_HOST, ()), *earlier.get(hosts[0], ())]
            hiding = next((one for one in candidates if hides(one.conditions, rule.conditions)), None)
            if hiding:
                told = f"{view.told(rule)} is never reached: {view.told(hiding)} matches all of it before"
                yield Advice(Reason.CATCH_ALL_HIDES_RULES, told, view.source(rule))
            elif _may_hide(rule.conditions):
                for host in hosts:
                    earlier.setdefault(host, []).append(rule)


def _covered_rules(view: _View) -> Iterator[Advice]:
    """Rules that the controller itself leaves out, as an earlier redirect takes all their requests.

    Silent where it only sends HTTP clients on to HTTPS: for that it does so (see `rule_optimizer`).
    """
    rules = {rule.id: rule for rule in view.stack.rules}
    for covered in view.stack.covered_rules:
        redirect = rules[f"{covered.listener_port}:{covered.by}"]
        is_plain = view.listeners[covered.listener_port].protocol == HTTP
        if is_plain and any(_keeps_all_but_protocol(action) for action in redirect.actions):
            continue
        source = covered.source
        where = view.written(source)
        told = (
            f"the rule of Ingress {source.namespace}/{source.name} ({where}) for "
            f"{described(covered.conditions)} is left out of listener {covered.listener_port}: the redirect "
            f"of {view.told(redirect)} matches all of it before"
        )
        yield Advice(Reason.CATCH_ALL_HIDES_RULES, told, where)


def _keeps_all_but_protocol(action: Action) -> bool:
    redirect = action.redirect
    return (
        redirect is not None
        and redirect.protocol == HTTPS
        and redirect.host in (None, "#{host}")
        and redirect.path in (None, "/#{path}")
    )


def _hosts(conditions: Iterable[Condition]) -> list[str]:
    """The plain hosts of a rule, or that it takes any: only rules of one host, or of any, hide each other."""
    values = [value.lower() for item in conditions if item.field == HOST for value in item.values]
    return values if values and not any("*" in one or "?" in one for one in values) else [_ANY_HOST]


def hides(earlier: Sequence[Condition], later: Sequence[Condition]) -> bool:
    """Whether the earlier conditions match everything that the later ones do."""
    return _may_hide(earlier) and all(
        _covers_field(condition, [one for one in later if one.field == condition.field])
        for condition in earlier
    )


def _may_hide(conditions: Iterable[Condition]) -> bool:
    return all(item.field in (HOST, PATH) and not item.regex_values for item in conditions)


def _covers_field(earlier: Condition, later: Sequence[Condition]) -> bool:
    if earlier.field == HOST:
        general = [value.lower() for value in earlier.values]
        special = [[value.lower() for value in item.values] for item in later]
    else:
        general = list(earlier.values)
        special = [list(item.values) for item in later if not item.regex_values]
    if "*" in general or "/*" in general:
        return True
    return any(
        values and all(any(globs.covers(one, value) for one in general) for value in values)
        for values in special
    )


def _expected_464(view: _View) -> Iterator[Advice]:
    tls = [view.listeners[rule.listener_port].protocol == HTTPS for rule in view.stack.rules]
    rules = [rule for rule, is_tls in zip(view.stack.rules, tls, strict=True) if is_tls]
    has_grpc = any(group.protocol_version == GRPC for group in view.stack.target_groups)
    by_protocol: dict[str | None, dict[str, list[ListenerRule]]] = {}
    for rule in rules:
        for group in view.groups_of(rule):
            by_protocol.setdefault(group.protocol_version, {}).setdefault(group.id, []).append(rule)
            if group.protocol_version == HTTP1 and _takes_grpc(rule, everything=has_grpc):
                told = (
                    f"gRPC calls that match {view.told(rule)} get 464 from the {view.group_named(group)}; "
                    "gRPC health and reflection need rules of their own before it"
                )
                yield Advice(Reason.EXPECT_464, told, view.source(rule))
    for protocol, whose in _REFUSED.items():
        for group_id, its_rules in by_protocol.get(protocol, {}).items():
            told = (
                f"{whose} get 464 from the {view.group_named(view.target_groups[group_id])} on "
                f"{', '.join(map(view.told, its_rules))}"
            )
            yield Advice(Reason.EXPECT_464, told, view.source(its_rules[0]))
    for listener in view.stack.listeners:
        for group in view.groups_in(listener.default_actions) if listener.protocol == HTTPS else ():
            refused = "gRPC calls" if group.protocol_version == HTTP1 else _REFUSED[group.protocol_version]
            if has_grpc or group.protocol_version != HTTP1:
                where = view.place(view.member_of(group), "spec", "defaultBackend")
                told = (
                    f"{refused} that no rule of listener {listener.port} matches get 464 from the "
                    f"{view.group_named(group)}, the default backend ({where})"
                )
                yield Advice(Reason.EXPECT_464, told, where)


def _takes_grpc(rule: ListenerRule, *, everything: bool) -> bool:
    """Whether a path is that of a gRPC method, or (if the group has GRPC groups too) takes any path."""
    paths = [value for item in rule.conditions if item.field == PATH for value in item.values]
    if not paths:
        return everything
    return any(_GRPC_METHOD.match(path) or (everything and globs.covers(path, "/*")) for path in paths)


def _idle_timeout(view: _View) -> Iterator[Advice]:
    balancer = view.stack.load_balancer
    given = balancer.attributes.get(IDLE_TIMEOUT) if balancer else None
    if given is not None and not (given.isdecimal() and int(given) in _IDLE_SECONDS):
        named = next(
            (one for one in view.group.members if IDLE_TIMEOUT in str(objects.annotations_of(one.ingress))),
            view.group.members[0],
        )
        where = view.annotated(named, "load-balancer-attributes")
        told = (
            f"AWS refuses {IDLE_TIMEOUT}={given} of Ingress {objects.key(named.ingress)} ({where}): it is "
            f"{_IDLE_SECONDS[0]} to {_IDLE_SECONDS[-1]} s"
        )
        yield Advice(Reason.BEYOND_AWS_LIMITS, told, where)
        return
    if not any(group.protocol_version == GRPC for group in view.stack.target_groups):
        return
    seconds = float(given) if given and given.isdecimal() else PRODUCTION.alb_idle_timeout
    if seconds >= PRODUCTION.nlb_idle_timeout:
        return
    groups = [group for group in view.stack.target_groups if group.protocol_version == GRPC]
    member = view.member_of(groups[0])
    where = view.annotated(member, "load-balancer-attributes")
    source = f"{IDLE_TIMEOUT} = {given}" if given else f"{IDLE_TIMEOUT} is not set, so it is {seconds:g}"
    told = (
        f"streams to the {view.group_named(groups[0])} of Ingress {objects.key(member.ingress)} ({where}) "
        f"are reset after {seconds:g} s without data, HTTP/2 PINGs not counting ({source}); an NLB allows "
        f"{PRODUCTION.nlb_idle_timeout:g} s"
    )
    yield Advice(Reason.IDLE_TIMEOUT_CUTS_STREAMS, told, where)


def _success_codes(view: _View) -> Iterator[Advice]:
    for group in view.stack.target_groups:
        matcher = group.health_check.matcher
        if matcher is None:
            continue
        is_grpc = matcher.grpc_code is not None
        codes = (matcher.grpc_code if is_grpc else matcher.http_code) or ""
        allowed = _GRPC_CODES if is_grpc else _HTTP_CODES
        if are_possible_codes(codes, allowed):
            continue
        member = view.member_of(group)
        where = view.annotated(member, "success-codes")
        kind = "GRPC" if is_grpc else "HTTP"
        told = (
            f"AWS refuses the success codes {codes!r} of the {view.group_named(group)}, Ingress "
            f"{objects.key(member.ingress)} ({where}): health check matcher {kind} codes must be within "
            f"{allowed[0]}-{allowed[-1]}"
        )
        yield Advice(Reason.IMPOSSIBLE_SUCCESS_CODES, told, where)


def are_possible_codes(codes: str, allowed: range) -> bool:
    """Whether a list of codes and ranges (`200,202-204`) lies within what the API takes."""
    if not _CODES.match(codes):
        return False
    for part in codes.split(","):
        first, _, last = part.partition("-")
        if int(first) not in allowed or int(last or first) not in allowed or int(last or first) < int(first):
            return False
    return True


def _limits(view: _View) -> Iterator[Advice]:
    """Quotas of the ALB guide: 5 values and 5 wildcards a rule, 100 rules a balancer by default."""
    for rule in view.stack.rules:
        values = [
            value for item in rule.conditions for value in (*item.values, *item.regex_values, *item.query)
        ]
        texts = [value for item in rule.conditions for value in item.values]
        wildcards = sum(text.count("*") + text.count("?") for text in texts)
        for count, most, what in (
            (len(values), _MOST_VALUES, "condition values"),
            (wildcards, _MOST_WILDCARDS, "wildcards"),
        ):
            if count > most:
                excess = f"it has {count} {what}, a rule can only have {most}"
                told = f"AWS refuses {view.told(rule)}: {excess}"
                yield Advice(Reason.BEYOND_AWS_LIMITS, told, view.source(rule))
    if len(view.stack.rules) > _MOST_RULES:
        last = view.stack.rules[_MOST_RULES]
        told = (
            f"group {view.group.id} has {len(view.stack.rules)} rules, and a load balancer {_MOST_RULES} "
            f"unless its quota is raised: AWS refuses all from {view.told(last)} on with TooManyRules"
        )
        yield Advice(Reason.BEYOND_AWS_LIMITS, told, view.source(last))
