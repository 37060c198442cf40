"""A fault in one line, as the journal writes it: `target-killed envoy-1`, `target-slow 0.5 0.2`."""

from __future__ import annotations

import dataclasses
import itertools
import typing
from collections.abc import Collection, Sequence
from contextlib import suppress
from typing import Any, Literal

from testbed.errors import BadInput
from testbed.faults import KNOWN, InjectedFault, Reach


def read_fault(text: str) -> InjectedFault:
    """Read a fault: its name, then its parameters in their order; `text` of a fault is read as this fault.

    Raises:
        BadInput: there is no such fault, or a parameter is missing, one too many, or out of its range.
    """
    name, *words = text.split()[:8] or [""]
    if (kind := KNOWN.get(name)) is None:
        raise BadInput(f"there is no fault {name!r}", do=f"write one of {', '.join(sorted(KNOWN))}")
    fields = [one for one in dataclasses.fields(kind) if one.init]
    hints = typing.get_type_hints(kind)
    needed = [one for one in fields if one.default is dataclasses.MISSING]
    if not len(needed) <= len(words) <= len(fields):
        form = " ".join([name, *(one.name.upper() for one in fields)])
        raise BadInput(f"{name} takes other parameters", do=f"write {form}")
    values = [_value(name, hints[one.name], word) for one, word in zip(fields, words, strict=False)]
    return kind(*values)


def _value(name: str, hint: Any, word: str) -> str | float | int:
    if hint not in (int, float):
        return word
    try:
        return float(word) if hint is float else int(word)
    except ValueError:
        raise BadInput(f"{name}: {word!r} is not a number", do="write a number") from None


def suggestions(reaches: Collection[Reach]) -> Sequence[str]:
    """Return the faults that strike within reach, each as a line to choose; numbers are examples."""
    lines: list[str] = []
    for name, kind in sorted(KNOWN.items()):
        if kind.reach not in reaches:
            continue
        hints = typing.get_type_hints(kind)
        needed = [one for one in dataclasses.fields(kind) if one.default is dataclasses.MISSING]
        for words in itertools.product(*(_examples(hints[one.name]) for one in needed)):
            line = " ".join([name, *words])
            with suppress(BadInput):  # a fault of a part strikes only some of all parts
                read_fault(line)
                lines.append(line)
    return lines


def _examples(hint: Any) -> Sequence[str]:
    if typing.get_origin(hint) is Literal:
        return [str(value) for value in typing.get_args(hint)]
    return ("0.5",) if hint is float else ("1",)
