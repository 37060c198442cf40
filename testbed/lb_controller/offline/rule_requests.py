"""Which requests a listener rule is for, from the parameters of the call that makes or changes it (pure)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

HOST, PATH = "host-header", "path-pattern"
_CONDITION = re.compile(r"Conditions\.member\.(\d+)\.(.+)")
_FIELD = "Field"
_EXPRESSION = " regex"
_WILDCARDS = re.compile(r"[*?]")


@dataclass(frozen=True, slots=True)
class Requests:
    """The conditions of a rule: all of them must hold, each by one of its values.

    Attributes:
        conditions: field and values of each, in the order of their fields: `("path-pattern", ("/*",))`.
    """

    conditions: tuple[tuple[str, tuple[str, ...]], ...] = ()

    @classmethod
    def of(cls, parameters: Mapping[str, str]) -> Requests | None:
        """Those of `CreateRule` or `ModifyRule`; None if the call names no conditions."""
        fields: dict[str, str] = {}
        values: dict[str, list[str]] = {}
        expressions: set[str] = set()
        for key, value in parameters.items():
            if match := _CONDITION.fullmatch(key):
                number, rest = match.groups()
                if rest == _FIELD:
                    fields[number] = value
                else:
                    if "Regex" in rest:
                        expressions.add(number)
                    values.setdefault(number, []).append(value)
        if not fields:
            return None
        return cls(
            tuple(
                sorted(
                    (field + _EXPRESSION * (number in expressions), tuple(values.get(number, ())))
                    for number, field in fields.items()
                )
            )
        )

    def __str__(self) -> str:
        """`shop.example.com and /a or /a/*`."""
        return " and ".join(
            " or ".join(values) if field in (HOST, PATH) else " ".join((field, *values))
            for field, values in self.conditions
        )

    def may_meet(self, other: Requests) -> bool:
        """False if it is certain that no request matches both."""
        return all(
            any(_may_meet(one, two) for one in self._values(field) for two in other._values(field))
            for field in (HOST, PATH)
            if self._values(field) and other._values(field)
        )

    def _values(self, field: str) -> tuple[str, ...]:
        found = next((values for name, values in self.conditions if name == field), ())
        return tuple(one.lower() for one in found) if field == HOST else found


def _may_meet(one: str, two: str) -> bool:
    """True unless what precedes the first wildcard of each differs, or one without any is not the other."""
    (first, is_first_whole), (second, is_second_whole) = _beginning(one), _beginning(two)
    if is_first_whole and is_second_whole:
        return first == second
    if is_first_whole:
        return first.startswith(second)
    if is_second_whole:
        return second.startswith(first)
    return first.startswith(second) or second.startswith(first)


def _beginning(pattern: str) -> tuple[str, bool]:
    match = _WILDCARDS.search(pattern)
    return (pattern[: match.start()], False) if match else (pattern, True)
