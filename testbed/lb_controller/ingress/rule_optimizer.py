"""Drops rules that a redirect makes pointless (pkg/ingress/rule_optimizer.go).

Written for the old `actions.ssl-redirect` on Ingresses with an HTTP and an HTTPS listener: on HTTPS the
redirect would point to itself, and on HTTP no rule after it is ever reached.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from testbed.lb_controller.core.stack import Action, Condition, Redirect, RuleSource, Transform
from testbed.lb_controller.ingress.rule_conditions import HOST, PATH


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """A listener rule before it has a priority."""

    conditions: tuple[Condition, ...]
    actions: tuple[Action, ...]
    transforms: tuple[Transform, ...] = ()
    tags: Mapping[str, str] = field(default_factory=dict)
    source: RuleSource | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class Optimized:
    """The rules that a listener gets, in order, and those that a redirect covers, each with that redirect.

    Attributes:
        kept: also without the rules that would redirect to themselves.
        covered: the pointless rules; on HTTPS they may be a mistake worth a warning.
    """

    kept: tuple[Rule, ...]
    covered: tuple[tuple[Rule, Rule], ...] = ()


def optimize(rules: Iterable[Rule], port: int, protocol: str) -> Optimized:
    """Drop rules that redirect to themselves or that come after a redirect that covers them."""
    kept: list[Rule] = []
    redirects: list[Rule] = []
    covered: list[tuple[Rule, Rule]] = []
    for rule in rules:
        if is_infinite_redirect(rule, port, protocol):
            continue
        covering = next((one for one in redirects if covers(one.conditions, rule.conditions)), None)
        if covering:
            covered.append((rule, covering))
            continue
        kept.append(rule)
        if _redirect(rule):
            redirects.append(rule)
    return Optimized(tuple(kept), tuple(covered))


def is_infinite_redirect(rule: Rule, port: int, protocol: str) -> bool:
    """True if the rule redirects a request to the same request on this listener."""
    redirect = _redirect(rule)
    if redirect is None:
        return False
    hosts, paths = _values(rule.conditions, HOST), _values(rule.conditions, PATH)
    # Whether a regular expression matches the target of the redirect is not compared.
    if hosts.regexes or paths.regexes:
        return False
    return (
        redirect.host in (None, "#{host}", *hosts.texts)
        and redirect.path in (None, "/#{path}", *paths.texts)
        and redirect.port in (None, "#{port}", str(port))
        and redirect.protocol in (None, "#{protocol}", protocol)
        and redirect.query in (None, "#{query}")
    )


def covers(earlier: Sequence[Condition], later: Sequence[Condition]) -> bool:
    """True if the earlier conditions match all that the later ones do; regexes must be equal."""
    # A request may lack the header or source that such a rule demands, so the later one is still reached.
    if any(condition.field not in (HOST, PATH) for condition in earlier):
        return False
    return _values(earlier, HOST).covers(_values(later, HOST)) and _values(earlier, PATH).covers(
        _values(later, PATH)
    )


@dataclass(frozen=True, slots=True)
class _Values:
    texts: frozenset[str]
    regexes: frozenset[str]

    def covers(self, other: _Values) -> bool:
        if not self.texts and not self.regexes:
            return True
        if "/*" in self.texts:
            return True
        if not other.texts and not other.regexes:
            return False
        return self.texts >= other.texts and self.regexes >= other.regexes


def _values(conditions: Iterable[Condition], name: str) -> _Values:
    chosen = [condition for condition in conditions if condition.field == name]
    return _Values(
        frozenset(value for condition in chosen for value in condition.values),
        frozenset(value for condition in chosen for value in condition.regex_values),
    )


def _redirect(rule: Rule) -> Redirect | None:
    return next((action.redirect for action in rule.actions if action.type == "redirect"), None)
