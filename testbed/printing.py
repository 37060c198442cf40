"""The one place that prints: what comes from outside can neither steer a terminal nor command a CI system.

A pipe whose reader has gone (`testbed check | head`) is no error: the rest is discarded.

Text for a person is folded to the terminal, by `columns` and `wrapped`, in every command.
"""

from __future__ import annotations

import os
import re
import shutil
import sys
import textwrap
from collections.abc import Iterable, Mapping
from typing import Any

import click

_KEPT = "\n\t"
WIDEST, _NARROWEST = 100, 40
_LISTED = re.compile(r"-> |- |\d+\. ")
_GAP = re.compile(r"(?<=\S)  +(?=\S)")
Span = tuple[str, Mapping[str, Any]]
"""A piece of a line, and the keywords of `click.style` for it."""


def on_terminal() -> bool:
    """True if a person reads the output as it comes."""
    return sys.stdout.isatty()


def columns() -> int:
    """Return how wide a line may be: as the terminal, at most `WIDEST`; in a pipe `WIDEST`."""
    if not on_terminal():
        return WIDEST
    return max(_NARROWEST, min(shutil.get_terminal_size().columns, WIDEST))


def wrapped(text: str, indent: int = 0, hanging: int | None = None, width: int | None = None) -> list[str]:
    """Return lines of at most `columns()`; a longer name stays whole, so that it can be copied."""
    rest = " " * (indent if hanging is None else hanging)
    return textwrap.wrap(
        text,
        width or columns(),
        initial_indent=" " * indent,
        subsequent_indent=rest,
        break_long_words=False,
        break_on_hyphens=False,
    )


def folded(text: str) -> str:
    """Return the text with every line that is too wide wrapped below its own indent."""
    return "\n".join(line for whole in text.split("\n") for line in _folded(whole))


def _folded(line: str) -> list[str]:
    if len(line) <= columns():
        return [line]
    bare = line.lstrip()
    indent = len(line) - len(bare)
    mark = _LISTED.match(bare)
    hanging = indent + (len(mark[0]) if mark else 2)
    columns_before = [gap.end() for gap in _GAP.finditer(line, indent) if gap.end() <= columns() // 2]
    # In a table the rest of a cell stands below its first word.
    return wrapped(bare, indent, max([hanging, *columns_before]))


def plain(text: str) -> str:
    """Return the text on one line, without characters that control a terminal."""
    return "".join(character if character.isprintable() else " " for character in text)


def shown(text: str) -> str:
    """Return text of several lines without control characters, and without a line that commands a CI system.

    GitHub Actions obeys a line of a job's output that begins with `::`, and `##[` anywhere in it.
    """
    kept = "".join(one if one.isprintable() or one in _KEPT else " " for one in text)
    lines = (_no_command(line) for line in kept.split("\n"))
    return "\n".join(lines)


def _no_command(line: str) -> str:
    start = len(line) - len(line.lstrip())
    if line.startswith("::", start):
        line = f"{line[:start]}\\{line[start:]}"
    return line.replace("##[", "#\\#[")


def echo(text: str, *, nl: bool = True, err: bool = False) -> None:
    """Print text that may hold text from outside, as `shown`."""
    _written(shown(text), nl=nl, err=err)


def echo_styled(lines: Iterable[Iterable[Span]]) -> None:
    """Print lines in colours, if the output is a terminal and NO_COLOR (no-color.org) is not set."""
    is_plain = bool(os.environ.get("NO_COLOR")) or not on_terminal()
    for spans in lines:
        pieces = list(spans)
        if is_plain:
            echo("".join(text for text, _ in pieces))
        else:
            _written("".join(_styled(text, style) for text, style in pieces), nl=True, err=False)


def _styled(text: str, style: Mapping[str, Any]) -> str:
    return click.style(shown(text), **style) if style else shown(text)


def echo_json(document: bytes) -> None:
    """Print JSON, whose strings escape what controls a terminal."""
    _written(document, nl=True, err=False)


def echo_command(command: str) -> None:
    """Print a command to the CI system, which `testbed.report.github.command` made."""
    _written(command, nl=True, err=False)


def discard_output(stream: object) -> None:
    """Keep Python from writing what is left in a stream's buffer, which would fail again when it ends."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, stream.fileno())  # type: ignore[attr-defined]
    os.close(nowhere)


def _written(text: str | bytes, *, nl: bool, err: bool) -> None:
    try:
        click.echo(text, nl=nl, err=err)  # noqa: TID251 here and nowhere else
    except BrokenPipeError:
        discard_output(sys.stderr if err else sys.stdout)
