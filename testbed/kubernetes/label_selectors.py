"""Label selectors: `app=web,tier!=x,env in (a,b),env notin (c),key,!key`. Pure.

The API server reads them in `labelSelector`, ExternalDNS in `--label-filter` and, against annotations, in
`--annotation-filter`. Source: apimachinery, pkg/labels/selector.go (Parse).
"""

from __future__ import annotations

import functools
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

_SPLIT = re.compile(r",(?![^()]*\))")  # a comma between requirements, not one within parentheses
_SET = re.compile(r"(?P<key>\S+)\s+(?P<operator>in|notin)\s*\((?P<values>[^()]*)\)")
_EQUALITY = re.compile(r"(?P<key>[^=!]+?)\s*(?P<operator>!=|==?)\s*(?P<value>.*)")
_KEY = re.compile(r"([a-z0-9A-Z.-]+/)?[A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?")
_VALUE = re.compile(r"([A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?)?")
Operator = Literal["in", "notin", "exists", "absent"]
_OPERATORS: Mapping[str, Operator] = {
    "In": "in",
    "NotIn": "notin",
    "Exists": "exists",
    "DoesNotExist": "absent",
}
"""The operators of `matchExpressions`."""


class NotASelector(ValueError):
    """The text is not a label selector.

    Attributes:
        requirement: the part of the text that cannot be read.
        word: what is wrong in it, neither a key nor a value.
    """

    def __init__(self, requirement: str, word: str) -> None:
        super().__init__(f"{requirement!r}: {word!r} is neither a key nor a value")
        self.requirement, self.word = requirement, word


@dataclass(frozen=True, slots=True)
class Requirement:
    """One part of a selector; `values` is empty for `exists` and `absent`."""

    key: str
    operator: Operator
    values: frozenset[str] = frozenset()

    def holds(self, labels: Mapping[str, str]) -> bool:
        """True if the labels meet the requirement; `notin` holds for a key that is absent too."""
        match self.operator:
            case "exists":
                return self.key in labels
            case "absent":
                return self.key not in labels
            case "in":
                return labels.get(self.key) in self.values
            case "notin":
                return labels.get(self.key) not in self.values


def matches(selector: str, labels: Mapping[str, str]) -> bool:
    """True if the labels meet every requirement of the selector; the empty selector takes all.

    Raises:
        NotASelector: the selector cannot be read.
    """
    return all(requirement.holds(labels) for requirement in parse(selector))


def selects(selector: Mapping[str, Any], labels: Mapping[str, str]) -> bool:
    """True if the labels meet a LabelSelector object: its `matchLabels` and `matchExpressions`.

    An empty object takes all. Source: apimachinery, pkg/apis/meta/v1/helpers.go (LabelSelectorAsSelector).
    """
    equal = (
        Requirement(key, "in", frozenset((value,)))
        for key, value in (selector.get("matchLabels") or {}).items()
    )
    expressions = (
        Requirement(item["key"], _OPERATORS[item["operator"]], frozenset(item.get("values") or ()))
        for item in selector.get("matchExpressions") or ()
    )
    return all(requirement.holds(labels) for requirement in (*equal, *expressions))


@functools.lru_cache(maxsize=256)  # a sync holds every object against the same selector
def parse(selector: str) -> tuple[Requirement, ...]:
    """Return the requirements of a selector.

    Raises:
        NotASelector: the selector cannot be read.
    """
    if not selector.strip():
        return ()
    return tuple(_requirement(part.strip()) for part in _SPLIT.split(selector))


def _requirement(text: str) -> Requirement:
    if match := _SET.fullmatch(text):
        values = frozenset(_checked(_VALUE, value.strip(), text) for value in match["values"].split(","))
        key = _checked(_KEY, match["key"], text)
        return Requirement(key, "in" if match["operator"] == "in" else "notin", values)
    if match := _EQUALITY.fullmatch(text):
        key, value = _checked(_KEY, match["key"], text), _checked(_VALUE, match["value"], text)
        return Requirement(key, "notin" if match["operator"] == "!=" else "in", frozenset((value,)))
    if text.startswith("!"):
        return Requirement(_checked(_KEY, text[1:].strip(), text), "absent")
    return Requirement(_checked(_KEY, text, text), "exists")


def _checked(pattern: re.Pattern[str], word: str, requirement: str) -> str:
    if not pattern.fullmatch(word):
        raise NotASelector(requirement, word)
    return word
