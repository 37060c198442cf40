"""The list of all rules. A rule is a function that reads the manifests and yields each trap that it sees.

```python
@rule("capitals-in-host", Severity.WARNING)
def capitals_in_host(reading: Reading) -> Iterator[Trap]:
    \"\"\"A host with capitals matches no hosted zone.\"\"\"
```

The first line of the docstring is the rule's title. Each rule has a page, `pages/RULE-ID.md` (`rule_pages`).
"""

from __future__ import annotations

import difflib
import importlib
import inspect
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from testbed.check.findings import Finding, Severity
from testbed.check.manifest_reading import Reading
from testbed.errors import BadInput, Location

_MODULES = (
    "name_claims",
    "misspelt_annotations",
    "apex_names",
    "zone_records",
    "twin_zones",
    "external_dns_upgrade",
    "unread_annotations",
    "lb_controller_flags",
    "record_annotations",
    "external_dns_flags",
    "missing_objects",
    "gateway_traps",
    "listener_ports",
    "hidden_rules",
    "protocol_versions",
    "target_tls",
    "health_check_traps",
    "aws_limits",
    "balancer_changes",
    "unplayed_settings",
    "acceptances",
)


@dataclass(frozen=True, slots=True)
class Trap:
    """One place where a rule applies: where it is written, what will happen, what to do."""

    where: Location
    what: str
    do: str


Look = Callable[[Reading], Iterator[Trap]]


@dataclass(frozen=True, slots=True)
class Rule:
    """A kind of trap that manifests can show.

    Attributes:
        id: the name in reports, e.g. `capitals-in-host`.
        advice: the name that `testbed lb plan` gives it, as it concerns the planned balancers alone; None
            for rules that `lb plan` does not print.
    """

    id: str
    severity: Severity
    look: Look
    advice: str | None = None

    @property
    def title(self) -> str:
        """One sentence: the first line of the function's docstring."""
        return (inspect.getdoc(self.look) or "").partition("\n")[0]

    def findings(self, reading: Reading) -> Iterator[Finding]:
        """Yield a finding for each trap."""
        for trap in self.look(reading):
            yield Finding(self.id, self.severity, trap.where, trap.what, trap.do)


_RULES: dict[str, Rule] = {}


def rule(id: str, severity: Severity, advice: str | None = None) -> Callable[[Look], Look]:  # noqa: A002 the field's own name
    """Add a function to the rules."""

    def add(look: Look) -> Look:
        assert id not in _RULES, f"two rules are called {id}"
        _RULES[id] = Rule(id, severity, look, advice)
        return look

    return add


def all_rules() -> tuple[Rule, ...]:
    """Every rule, in the order of the modules."""
    modules = [importlib.import_module(f"testbed.check.{name}").__name__ for name in _MODULES]
    # Not as they were registered: an import of one module of rules alone must not change the order.
    return tuple(sorted(_RULES.values(), key=lambda item: modules.index(item.look.__module__)))


def known(named: str, where: Location | None = None) -> Rule:
    """The rule of an id.

    Raises:
        BadInput: there is none; with the ids that look like it.
    """
    rules = {one.id: one for one in all_rules()}
    if named not in rules:
        near = difflib.get_close_matches(named, rules, n=3, cutoff=0.5)
        do = f"did you mean {' or '.join(near)}?" if near else "`testbed explain-rule` lists them"
        raise BadInput(f"there is no rule {named!r}", where=where, do=do)
    return rules[named]


def without_input(*, zones: bool, upgrade: bool) -> frozenset[str]:
    """The ids of the rules that had nothing to look at: no zone is given, or no upgrade is asked for."""
    asleep = {"zone_records": zones, "external_dns_upgrade": upgrade}
    names = [f"testbed.check.{name}" for name, is_given in asleep.items() if not is_given]
    return frozenset(one.id for one in all_rules() if one.look.__module__ in names)


def check(*readings: Reading) -> list[Finding]:
    """All findings of one reading or several, each once: the worst first, then by file and line."""
    return in_order(
        dict.fromkeys(
            finding for reading in readings for item in all_rules() for finding in item.findings(reading)
        )
    )


def in_order(findings: Iterable[Finding]) -> list[Finding]:
    """The findings with the accepted ones last, the worst first, then by file and line."""
    order = list(Severity)
    return sorted(
        findings,
        key=lambda one: (
            one.accepted is not None,
            order.index(one.severity),
            str(one.where.path),
            one.where.line or 0,
            one.rule,
        ),
    )
