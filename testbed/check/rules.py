"""The list of all rules: each is a function that reads the manifests and yields what it finds.

```python
@rule("capitals-in-host", Severity.WARNING)
def capitals_in_host(reading: Reading) -> Iterator[Told]:
    \"\"\"A host with capitals matches no hosted zone.\"\"\"
```

The first line of the docstring is the rule's title in SARIF and in the reference.
"""

from __future__ import annotations

import importlib
import inspect
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from testbed.check.findings import Finding, Severity
from testbed.check.reading import Reading
from testbed.errors import Location

_MODULES = ("names", "annotations", "records", "flags", "balancers", "moves")


@dataclass(frozen=True, slots=True)
class Told:
    """What a rule says of one place."""

    where: Location
    what: str
    do: str


Look = Callable[[Reading], Iterator[Told]]


@dataclass(frozen=True, slots=True)
class Rule:
    """A trap that manifests can show."""

    id: str
    severity: Severity
    look: Look

    @property
    def title(self) -> str:
        """One sentence: the first line of the function's docstring."""
        return (inspect.getdoc(self.look) or "").partition("\n")[0]

    def findings(self, reading: Reading) -> Iterator[Finding]:
        """What the rule finds."""
        for told in self.look(reading):
            yield Finding(self.id, self.severity, told.where, told.what, told.do)


_RULES: dict[str, Rule] = {}


def rule(id: str, severity: Severity) -> Callable[[Look], Look]:  # noqa: A002 the field's own name
    """Add a function to the rules."""

    def add(look: Look) -> Look:
        assert id not in _RULES, f"two rules are called {id}"
        _RULES[id] = Rule(id, severity, look)
        return look

    return add


def all_rules() -> tuple[Rule, ...]:
    """Every rule, in the order of the modules."""
    for name in _MODULES:
        importlib.import_module(f"testbed.check.{name}")
    return tuple(_RULES.values())


def check(reading: Reading) -> list[Finding]:
    """All findings: the worst first, then by file and line."""
    order = list(Severity)
    found = dict.fromkeys(finding for item in all_rules() for finding in item.findings(reading))
    return sorted(
        found,
        key=lambda one: (order.index(one.severity), str(one.where.path), one.where.line or 0, one.rule),
    )
