"""Reads a Deployment's `args:` and `env:` against a table of flags, as ExternalDNS's parser (kingpin) does.

```
--policy=sync   --policy sync   --dry-run   --no-dry-run        EXTERNAL_DNS_POLICY=sync
```

What is given as an argument hides the variable. A flag that takes one value cannot be repeated; a list in a
variable has an entry a line. A switch takes no value as an argument (`--dry-run=false` is refused) and Go's
spellings of true and false as a variable. An empty variable is none.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from testbed.errors import BadInput

VARIABLE = "EXTERNAL_DNS_"
_TRUE = ("1", "t", "T", "TRUE", "true", "True")
_FALSE = ("0", "f", "F", "FALSE", "false", "False")
_UNITS = {"ns": 1e-9, "us": 1e-6, "µs": 1e-6, "ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0}
_DURATION = re.compile(r"(\d+\.?\d*|\.\d+)(ns|us|µs|ms|s|m|h)")


class NotEmulated(BadInput):
    """A flag of ExternalDNS that the testbed does not have."""


@dataclass(frozen=True, slots=True)
class Flag:
    """A flag of ExternalDNS.

    Attributes:
        name: without dashes.
        read: its value from text; raises ValueError with a sentence's rest.
        default: what it reads when nothing is given; None gives None, or () to a flag that may be repeated.
        many: whether it may be repeated.
        since: the first release that has it; () for all profiles.
    """

    name: str
    read: Callable[[str], Any] = str
    default: str | None = ""
    many: bool = False
    since: tuple[int, ...] = ()

    @property
    def variable(self) -> str:
        """The environment variable that stands for it."""
        return VARIABLE + self.name.upper().replace("-", "_")


def read(
    flags: Sequence[Flag],
    arguments: Sequence[str],
    environment: Mapping[str, str],
    is_known: Callable[[str], bool],
) -> dict[str, Any]:
    """The values of all flags by name; a tuple for those that may be repeated.

    Args:
        flags: those of one version that are emulated.
        arguments: of the command line.
        environment: variables.
        is_known: whether ExternalDNS has a flag that the table lacks.

    Raises:
        BadInput: no such flag, not emulated, repeated, without a value, or with one that it does not take.
    """
    table = {flag.name: flag for flag in flags}
    for variable in environment:
        name = variable.removeprefix(VARIABLE).lower().replace("_", "-")
        if variable.startswith(VARIABLE) and name not in table and is_known(name):
            raise NotEmulated(
                f"ExternalDNS flags: the testbed does not emulate --{name}, which {variable} sets",
                do="unset it",
            )
    given = _given(table, arguments, is_known)
    found: dict[str, Any] = {}
    for flag in flags:
        texts, place = given.get(flag.name), f"--{flag.name}"
        if texts is None and environment.get(flag.variable):
            text = environment[flag.variable]
            texts = re.split("\r?\n", re.sub("\r?\n$", "", text)) if flag.many else [text]
            place = flag.variable
        if texts is None:
            texts = [] if flag.default is None else [flag.default]
        try:
            values = tuple(map(flag.read, texts))
        except ValueError as error:
            raise _refused(f"{place}: {error}", "mend it or leave it out") from None
        found[flag.name] = values if flag.many else (values[0] if values else None)
    return found


def _given(
    table: Mapping[str, Flag], arguments: Sequence[str], is_known: Callable[[str], bool]
) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    rest = list(arguments)
    while rest:
        argument = rest.pop(0)
        name, equals, value = argument.removeprefix("--").partition("=")
        if not argument.startswith("--") or not name:
            raise _refused(f"unexpected {argument}", "give flags only, each as --name=value")
        is_negated = name.startswith("no-") and name not in table
        name = name.removeprefix("no-") if is_negated else name
        flag = table.get(name)
        if flag is None and is_known(name):
            raise NotEmulated(
                f"ExternalDNS flags: the testbed does not emulate --{name}",
                do="use a flag that it emulates, or leave it out",
            )
        if flag is None or (is_negated and flag.read is not switch):
            raise _refused(f"unknown long flag '{argument.partition('=')[0]}'", "see ExternalDNS's list")
        if flag.read is switch:
            if equals:
                raise _refused(f"unexpected {value} after --{name}", f"write --{name} or --no-{name}")
            value = "false" if is_negated else "true"
        elif not equals:
            if not rest or rest[0].startswith("--"):
                raise _refused(f"expected argument for flag '--{name}'", f"write --{name}=VALUE")
            value = rest.pop(0)
        if name in found and not flag.many:
            raise _refused(f"flag '{name}' cannot be repeated", "give it once")
        found.setdefault(name, []).append(value)
    return found


def _refused(what: str, do: str) -> BadInput:
    return BadInput(f"ExternalDNS flags: {what}", do=do)


def switch(text: str) -> bool:
    """A flag without a value; as a variable one of Go's spellings."""
    if text in _TRUE:
        return True
    if text in _FALSE:
        return False
    raise ValueError(f"{text!r} is neither true nor false")


def seconds(text: str) -> float:
    """A Go duration, such as `1m30s`."""
    sign = -1.0 if text.startswith("-") else 1.0
    parts = _DURATION.findall(text)
    if text.lstrip("+-") == "0":
        return 0.0
    if not parts or "".join(number + unit for number, unit in parts) != text[text[0] in "+-" :]:
        raise ValueError(f"{text!r} is not a duration, such as 1m or 30s")
    return sign * sum(float(number) * _UNITS[unit] for number, unit in parts)


def number(text: str) -> int:
    """A whole number."""
    try:
        return int(text)
    except ValueError:
        raise ValueError(f"{text!r} is not a whole number") from None


def expression(text: str) -> re.Pattern[str] | None:
    """A regular expression; an empty text is none. Go's and Python's differ in what no name needs."""
    try:
        return re.compile(text) if text else None
    except re.error as error:
        raise ValueError(f"{text!r} is not a regular expression: {error}") from None


def one_of(*choices: str) -> Callable[[str], str]:
    """A reader that takes some words only."""

    def read(text: str) -> str:
        if text not in choices:
            raise ValueError(f"{text!r} is none of {', '.join(filter(None, choices))}")
        return text

    return read
