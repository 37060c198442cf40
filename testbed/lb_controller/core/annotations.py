"""Typed reading of annotations with one prefix (pkg/annotations/parser.go).

```
alb.ingress.kubernetes.io/scheme: internal        prefix / suffix: value
```
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from testbed.kubernetes import object_fields
from testbed.lb_controller.core import go_text
from testbed.lb_controller.core.build_inputs import BuildError, KubernetesObject

Value = TypeVar("Value")

INGRESS_PREFIX = "alb.ingress.kubernetes.io"
SERVICE_PREFIX = "service.beta.kubernetes.io"
INGRESS_CLASS = "kubernetes.io/ingress.class"


@dataclass(frozen=True, slots=True)
class Annotations:
    """The annotations of one object, or of several merged, under one prefix.

    Each getter returns None if the annotation is absent. `exact` takes the suffix as the whole key,
    `alternatives` are further prefixes, tried in order after the first.
    """

    values: Mapping[str, str]
    prefix: str = INGRESS_PREFIX

    def find(
        self, suffix: str, *, exact: bool = False, alternatives: Sequence[str] = ()
    ) -> tuple[str, str] | None:
        """The key that the object has, and its raw text."""
        keys = [suffix] if exact else [f"{prefix}/{suffix}" for prefix in (self.prefix, *alternatives)]
        return next(((key, self.values[key]) for key in keys if key in self.values), None)

    def text(self, suffix: str, *, exact: bool = False, alternatives: Sequence[str] = ()) -> str | None:
        """The raw text of an annotation."""
        found = self.find(suffix, exact=exact, alternatives=alternatives)
        return found[1] if found else None

    def integer(self, suffix: str, *, alternatives: Sequence[str] = (), bits: int = 64) -> int | None:
        """An annotation as a decimal integer of at most `bits` bits.

        Raises:
            BuildError: it is not such an integer.
        """
        found = self.find(suffix, alternatives=alternatives)
        return _parsed(f"int{bits}", found, lambda text: go_text.integer(text, bits=bits))

    def boolean(self, suffix: str) -> bool | None:
        """An annotation as a boolean: `true`, `false` or another spelling of Go.

        Raises:
            BuildError: it is not a boolean.
        """
        return _parsed("bool", self.find(suffix), go_text.boolean)

    def items(
        self, suffix: str, *, exact: bool = False, alternatives: Sequence[str] = ()
    ) -> list[str] | None:
        """The texts between commas, trimmed, without empty ones."""
        text = self.text(suffix, exact=exact, alternatives=alternatives)
        return None if text is None else [item.strip() for item in text.split(",") if item.strip()]

    def mapping(self, suffix: str) -> dict[str, str] | None:
        """An annotation `k=v,k=v` as a mapping.

        A backslash escapes a comma, and a comma splits only before a further `=`.

        Raises:
            BuildError: an entry has no `=` or no key.
        """
        found = self.find(suffix)
        if not found:
            return None
        key, raw = found
        result: dict[str, str] = {}
        for entry in _split_unescaped(raw):
            name, separator, value = entry.strip().partition("=")
            if not separator or not name.strip():
                raise BuildError(f"failed to parse stringMap annotation, {key}: {raw}")
            result[name.strip()] = value.strip()
        return result

    def json(self, suffix: str) -> Any:
        """An annotation as decoded JSON.

        Raises:
            BuildError: it is not JSON.
        """
        return _parsed("json", self.find(suffix), go_text.from_json)

    def over(self, weaker: Mapping[str, str]) -> Annotations:
        """These annotations, and the weaker ones for keys that these do not have."""
        return Annotations({**weaker, **self.values}, self.prefix)


def of_ingress(item: KubernetesObject) -> Annotations:
    """The controller's annotations of an Ingress, or of a Service behind one."""
    return Annotations(object_fields.annotations_of(item), INGRESS_PREFIX)


def of_service(item: KubernetesObject) -> Annotations:
    """The annotations of a Service of type LoadBalancer."""
    return Annotations(object_fields.annotations_of(item), SERVICE_PREFIX)


def _parsed(kind: str, found: tuple[str, str] | None, parse: Callable[[str], Value]) -> Value | None:
    if found is None:
        return None
    key, text = found
    try:
        return parse(text)
    except BuildError as error:
        raise BuildError(f"failed to parse {kind} annotation, {key}: {text}: {error}") from None


# Not `str.split`: a value may hold commas itself, escaped or not.
def _split_unescaped(raw: str) -> list[str]:
    """The entries between unescaped commas; text after the last `=` and a comma is an entry of its own.

    A comma at the very end belongs to the value: `k=v,` is `v,`.
    """
    entries = [""]
    position = 0
    while position < len(raw):
        character, rest = raw[position], raw[position + 1 :]
        position += 1
        if character == "\\" and rest:
            entries[-1] += rest[0]
            position += 1
        elif character == "," and "=" in rest:
            entries.append("")
        elif character == "," and rest.strip():
            return [*entries, rest]
        else:
            entries[-1] += character
    return entries if entries[-1] else entries[:-1]
