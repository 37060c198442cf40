"""The parser of a Deployment's `args:` and `env:`; it follows ExternalDNS's own (kingpin).

```
--policy=sync   --policy sync   --dry-run   --no-dry-run        EXTERNAL_DNS_POLICY=sync
```

An argument hides the variable. A flag that takes one value cannot be repeated; a list in a variable has one
entry a line. A switch takes no value as an argument (`--dry-run=false` is refused) and Go's spellings of true
and false as a variable. An empty variable counts as unset.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from testbed.errors import BadInput

VARIABLE = "EXTERNAL_DNS_"
_TRUE = ("1", "t", "T", "TRUE", "true", "True")
_FALSE = ("0", "f", "F", "FALSE", "false", "False")


class NotEmulated(BadInput):
    """The testbed does not emulate a flag of ExternalDNS, or a value of one."""


class _OtherValue(ValueError):
    """ExternalDNS takes the value, and the testbed does not emulate it."""


@dataclass(frozen=True, slots=True)
class Flag:
    """A flag of ExternalDNS.

    Attributes:
        name: without dashes.
        read: turns text into the value; raises ValueError with the rest of a sentence.
        default: the text of an absent flag; None gives None, or () for a flag that may be repeated.
        many: the flag may be repeated.
        since: tag of the first release that has the flag; None if the oldest has it.
        until: tag of the first release without it; None if the newest has it.
    """

    name: str
    read: Callable[[str], Any] = str
    default: str | None = ""
    many: bool = False
    since: str | None = None
    until: str | None = None

    @property
    def variable(self) -> str:
        """The environment variable that sets the flag."""
        return VARIABLE + self.name.upper().replace("-", "_")


def read(
    flags: Sequence[Flag],
    arguments: Sequence[str],
    environment: Mapping[str, str],
    is_known: Callable[[str], bool],
) -> dict[str, Any]:
    """Return the values of all flags by name; a tuple for a flag that may be repeated.

    Args:
        flags: the emulated flags of one version.
        arguments: of the command line.
        environment: variables.
        is_known: returns True for a flag that ExternalDNS has and the table lacks.

    Raises:
        BadInput: a flag is unknown, not emulated, repeated, without a value, or has a wrong value.
    """
    table = {flag.name: flag for flag in flags}
    for variable in environment:
        name = variable.removeprefix(VARIABLE).lower().replace("_", "-")
        if variable.startswith(VARIABLE) and name not in table and is_known(name):
            raise NotEmulated(
                f"ExternalDNS flags: the testbed does not emulate --{name}, which {variable} sets",
                do="unset it",
            )
    texts_of = _given(table, arguments, is_known)
    values_of: dict[str, Any] = {}
    for flag in flags:
        texts, place = texts_of.get(flag.name), f"--{flag.name}"
        if texts is None and environment.get(flag.variable):
            text = environment[flag.variable]
            texts = re.split("\r?\n", re.sub("\r?\n$", "", text)) if flag.many else [text]
            place = flag.variable
        if texts is None:
            texts = [] if flag.default is None else [flag.default]
        try:
            values = tuple(map(flag.read, texts))
        except _OtherValue as error:
            raise NotEmulated(
                f"ExternalDNS flags: the testbed does not emulate {place}={error}",
                do="use a value that it emulates, or leave it out",
            ) from None
        except ValueError as error:
            raise _refused(f"{place}: {error}", "correct the value or leave out the flag") from None
        values_of[flag.name] = values if flag.many else (values[0] if values else None)
    return values_of


def _given(
    table: Mapping[str, Flag], arguments: Sequence[str], is_known: Callable[[str], bool]
) -> dict[str, list[str]]:
    texts_of: dict[str, list[str]] = {}
    rest = list(arguments)
    while rest:
        argument = rest.pop(0)
        name, equals, value = argument.removeprefix("--").partition("=")
        if not argument.startswith("--") or not name:
            raise _refused(f"unexpected {argument}", "pass flags only, each as --name=value")
        # kingpin negates switches so; a flag whose own name begins with no- is not negated.
        is_negated = name.startswith("no-") and name not in table
        name = name.removeprefix("no-") if is_negated else name
        flag = table.get(name)
        if flag is None and is_known(name):
            raise NotEmulated(
                f"ExternalDNS flags: the testbed does not emulate --{name}",
                do="use a flag that it emulates, or leave the flag out",
            )
        if flag is None or (is_negated and flag.read is not switch):
            raise _refused(
                f"unknown long flag '{argument.partition('=')[0]}'",
                "see the list of flags of this ExternalDNS",
            )
        if flag.read is switch:
            if equals:
                raise _refused(f"unexpected {value} after --{name}", f"write --{name} or --no-{name}")
            value = "false" if is_negated else "true"
        elif not equals:
            if not rest or rest[0].startswith("--"):
                raise _refused(f"expected argument for flag '--{name}'", f"write --{name}=VALUE")
            value = rest.pop(0)
        if name in texts_of and not flag.many:
            raise _refused(f"flag '{name}' cannot be repeated", "pass it once")
        texts_of.setdefault(name, []).append(value)
    return texts_of


def _refused(what: str, do: str) -> BadInput:
    return BadInput(f"ExternalDNS flags: {what}", do=do)


def switch(text: str) -> bool:
    """Return the value of a switch; the text is one of Go's spellings of true and false.

    Raises:
        ValueError: it is not.
    """
    if text in _TRUE:
        return True
    if text in _FALSE:
        return False
    raise ValueError(f"{text!r} is neither true nor false")


def number(text: str) -> int:
    """Return a whole number.

    Raises:
        ValueError: the text is not one.
    """
    try:
        return int(text)
    except ValueError:
        raise ValueError(f"{text!r} is not a whole number") from None


def expression(text: str) -> re.Pattern[str] | None:
    """Return a regular expression, or None for an empty text.

    The syntaxes of Go and Python differ only in what no DNS name needs.

    Raises:
        ValueError: the text is not a regular expression.
    """
    try:
        return re.compile(text) if text else None
    except re.error as error:
        raise ValueError(f"{text!r} is not a regular expression: {error}") from None


def one_of(*choices: str, others: Collection[str] = ()) -> Callable[[str], str]:
    """Return a reader that takes only these words; `others` are words that only the real one takes."""

    def read(text: str) -> str:
        if text in others:
            raise _OtherValue(text)
        if text not in choices:
            raise ValueError(f"{text!r} is not one of {', '.join(filter(None, choices))}")
        return text

    return read
