"""Consoles that keep what is printed to them."""

from __future__ import annotations

import io

from rich.console import Console

HOSTILE = "\x1b[2J[red]bold[/red]\r\n\x07 end"


def console(
    width: int, *, terminal: bool = False, encoding: str = "utf-8"
) -> tuple[Console, io.TextIOWrapper]:
    file = io.TextIOWrapper(io.BytesIO(), encoding=encoding)
    return Console(file=file, width=width, force_terminal=terminal, legacy_windows=False, no_color=True), file


def written(file: io.TextIOWrapper) -> str:
    file.flush()
    buffer = file.buffer
    assert isinstance(buffer, io.BytesIO)
    return buffer.getvalue().decode(file.encoding)
