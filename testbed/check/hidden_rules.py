"""Listener rules that get no request, because an earlier rule of the same listener takes all of them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from testbed.check.findings import Severity
from testbed.check.manifest_reading import Reading
from testbed.check.planned_group import PlannedGroup
from testbed.check.rule_registry import Trap, rule
from testbed.kubernetes import object_fields
from testbed.lb_controller.core import wildcards
from testbed.lb_controller.core.stack import Action, Condition, ListenerRule, RuleSource
from testbed.lb_controller.ingress import path_patterns
from testbed.lb_controller.ingress.listen_ports import HTTP, HTTPS
from testbed.lb_controller.ingress.rule_conditions import HOST, PATH, in_words

_ANY_HOST = "*"
_ORDER = "alb.ingress.kubernetes.io/group.order"
_WITHIN_ONE = f"before the other in the same Ingress; {_ORDER} orders Ingresses, not the paths of one"


@rule("hidden-rules", Severity.ERROR, advice="catch-all-hides-rules")
def hidden_rules(reading: Reading) -> Iterator[Trap]:
    """An earlier rule takes all requests of a later one, e.g. a REST catch-all before the gRPC paths."""
    for planned in reading.groups:
        yield from _hidden(planned)
        yield from _left_out(planned)


def _hidden(planned: PlannedGroup) -> Iterator[Trap]:
    for listener in planned.stack.listeners:
        # By host, so that a group of a thousand hosts is not compared rule by rule.
        earlier: dict[str, list[ListenerRule]] = {}
        for later in (item for item in planned.stack.rules if item.listener_port == listener.port):
            hosts = _hosts(later.conditions)
            candidates = [*earlier.get(_ANY_HOST, ()), *earlier.get(hosts[0], ())]
            hiding = next((one for one in candidates if hides(one.conditions, later.conditions)), None)
            if hiding:
                yield Trap(
                    planned.rule_line(later),
                    f"{planned.rule_title(later)} is never reached: {planned.rule_title(hiding)} comes first "
                    "and matches all of it",
                    _remedy(planned, hiding.source, later.source),
                )
            elif _may_hide(later.conditions):
                for host in hosts:
                    earlier.setdefault(host, []).append(later)


def _left_out(planned: PlannedGroup) -> Iterator[Trap]:
    """Yield the rules that the controller itself leaves out, as an earlier redirect takes their requests.

    A redirect that only sends HTTP clients on to HTTPS is no trap: that is what the controller's optimization
    is for (see `rule_optimizer`).
    """
    rules = {item.id: item for item in planned.stack.rules}
    for covered in planned.stack.covered_rules:
        redirect = rules[f"{covered.listener_port}:{covered.by}"]
        is_plain = planned.listeners[covered.listener_port].protocol == HTTP
        if is_plain and any(_keeps_all_but_protocol(action) for action in redirect.actions):
            continue
        source = covered.source
        where = planned.source_line(source)
        yield Trap(
            where,
            f"the rule of Ingress {source.namespace}/{source.name} ({where}) for "
            f"{in_words(covered.conditions)} is left out of listener {covered.listener_port}: the redirect "
            f"of {planned.rule_title(redirect)} comes first and matches all of it",
            _remedy(planned, redirect.source, source),
        )


def _remedy(planned: PlannedGroup, hiding: RuleSource | None, hidden: RuleSource | None) -> str:
    assert hiding is not None  # both are rules of Ingresses
    assert hidden is not None
    if (hiding.namespace, hiding.name) != (hidden.namespace, hidden.name):
        first = planned.member(hiding)
        order = object_fields.annotations_of(first.ingress).get(_ORDER, "0")
        return (
            f"give Ingress {hidden.namespace}/{hidden.name} a smaller {_ORDER} than the {order} of Ingress "
            f"{hiding.namespace}/{hiding.name}"
        )
    if hiding.rule != hidden.rule:
        return f"put its entry of spec.rules {_WITHIN_ONE}"
    earlier, later = planned.path(hiding), planned.path(hidden)
    if hiding.path > hidden.path and path_patterns.path_type(earlier) != path_patterns.path_type(later):
        every = "/*" if earlier.get("path") in (None, "", "/") else f"{str(earlier['path']).rstrip('/')}/*"
        return (
            "the controller puts Exact and Prefix paths before ImplementationSpecific ones, whatever their "
            "order: "
            f"write path {earlier.get('path') or '/'} as {every} with pathType ImplementationSpecific, "
            f"after this "
            "one"
        )
    return f"put its path {_WITHIN_ONE}"


def hides(earlier: Sequence[Condition], later: Sequence[Condition]) -> bool:
    """True if the earlier conditions match everything that the later ones do.

    Conditions on other fields than host and path, and regular expressions, are never taken to hide a rule: a
    false alarm is worse here than a missed one.
    """
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
        values and all(any(wildcards.covers(one, value) for one in general) for value in values)
        for values in special
    )


def _hosts(conditions: Iterable[Condition]) -> list[str]:
    """The plain hosts of a rule, `*` if it takes any: only rules of one host, or of any, hide each other."""
    values = [value.lower() for item in conditions if item.field == HOST for value in item.values]
    return values if values and not any("*" in one or "?" in one for one in values) else [_ANY_HOST]


def _keeps_all_but_protocol(action: Action) -> bool:
    redirect = action.redirect
    return (
        redirect is not None
        and redirect.protocol == HTTPS
        and redirect.host in (None, "#{host}")
        and redirect.path in (None, "/#{path}")
    )
