"""Typed reading of annotations with one prefix (pkg/annotations/parser.go).

```
alb.ingress.kubernetes.io/scheme: internal        prefix / suffix: value
```
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from testbed.lb_controller import gotext, objects
from testbed.lb_controller.inputs import BuildError, KubernetesObject

INGRESS_PREFIX = "alb.ingress.kubernetes.io"
SERVICE_PREFIX = "service.beta.kubernetes.io"
INGRESS_CLASS = "kubernetes.io/ingress.class"


@dataclass(frozen=True, slots=True)
class Annotations:
    """The annotations of one object, or of several merged, behind one prefix.

    Each getter returns None if the annotation is absent. `exact` takes the suffix as the whole key,
    `alternatives` are further prefixes, tried in order after the first.
    """

    values: Mapping[str, str]
    prefix: str = INGRESS_PREFIX

    def find(
        self, suffix: str, *, exact: bool = False, alternatives: Sequence[str] = ()
    ) -> tuple[str, str] | None:
        """The key that is there and its raw text."""
        keys = [suffix] if exact else [f"{prefix}/{suffix}" for prefix in (self.prefix, *alternatives)]
        return next(((key, self.values[key]) for key in keys if key in self.values), None)

    def text(self, suffix: str, *, exact: bool = False, alternatives: Sequence[str] = ()) -> str | None:
        """The raw text."""
        found = self.find(suffix, exact=exact, alternatives=alternatives)
        return found[1] if found else None

    def integer(self, suffix: str, *, alternatives: Sequence[str] = (), bits: int = 64) -> int | None:
        """A decimal integer of so many bits.

        Raises:
            BuildError: it is none.
        """
        found = self.find(suffix, alternatives=alternatives)
        if not found:
            return None
        try:
            return gotext.integer(found[1], bits=bits)
        except BuildError as error:
            raise _unreadable(f"int{bits}", found, error) from None

    def boolean(self, suffix: str) -> bool | None:
        """`true`, `false` and Go's other spellings.

        Raises:
            BuildError: it is none.
        """
        found = self.find(suffix)
        if not found:
            return None
        try:
            return gotext.boolean(found[1])
        except BuildError as error:
            raise _unreadable("bool", found, error) from None

    def items(
        self, suffix: str, *, exact: bool = False, alternatives: Sequence[str] = ()
    ) -> list[str] | None:
        """Texts between commas, trimmed, empty ones dropped."""
        text = self.text(suffix, exact=exact, alternatives=alternatives)
        return None if text is None else [item.strip() for item in text.split(",") if item.strip()]

    def mapping(self, suffix: str) -> dict[str, str] | None:
        """`k=v,k=v`; a backslash escapes a comma, and a comma splits only before a further `=`.

        Raises:
            BuildError: an entry without `=` or without key.
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
        """The decoded JSON.

        Raises:
            BuildError: it is none.
        """
        found = self.find(suffix)
        if not found:
            return None
        try:
            return gotext.from_json(found[1])
        except BuildError as error:
            raise _unreadable("json", found, error) from None

    def over(self, weaker: Mapping[str, str]) -> Annotations:
        """These, and where they are silent the weaker ones."""
        return Annotations({**weaker, **self.values}, self.prefix)


def of_ingress(item: KubernetesObject) -> Annotations:
    """The controller's annotations of an Ingress, or of a Service behind one."""
    return Annotations(objects.annotations_of(item), INGRESS_PREFIX)


def of_service(item: KubernetesObject) -> Annotations:
    """The annotations of a Service of type LoadBalancer."""
    return Annotations(objects.annotations_of(item), SERVICE_PREFIX)


def _unreadable(kind: str, found: tuple[str, str], error: BuildError) -> BuildError:
    return BuildError(f"failed to parse {kind} annotation, {found[0]}: {found[1]}: {error}")


def _split_unescaped(raw: str) -> list[str]:
    """Entries between unescaped commas; what is left after the last `=` and a comma is an entry of its own.

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
