"""The table that the benchmark prints, as Markdown."""

from __future__ import annotations

import shutil
from dataclasses import dataclass

NO_H2LOAD = "h2load is not installed (Debian: nghttp2-client)"
_WIDTHS = (62, 70, 32, 6)


@dataclass(frozen=True, slots=True)
class Row:
    """A measured figure and its bound; `met` is None if it could not be measured or has no bound."""

    what: str
    measured: str
    bound: str
    met: bool | None

    def __str__(self) -> str:
        word = {True: "yes", False: "**no**", None: "-"}[self.met]
        return line(self.what, self.measured, self.bound, word)


def heading() -> str:
    """Return the first two lines of the table."""
    return "\n".join((line("figure", "measured", "bound", "met"), line(*("-" * width for width in _WIDTHS))))


def line(*cells: str) -> str:
    """Return a line of the table with four cells."""
    return "| " + " | ".join(cell.ljust(width) for cell, width in zip(cells, _WIDTHS, strict=True)) + " |"


def ratio_row(what: str, reached: float | None, other_name: str, other: float | None, least: float) -> Row:
    """Return the row for a throughput as a ratio to another; both are requests per second of this run."""
    bound = f"≥ {least:g}"
    if not reached or not other:
        reason = "some answers failed" if shutil.which("h2load") else NO_H2LOAD
        return Row(what, reason, bound, None)
    words = f"{reached / other:.2f} ({reached:,.0f} req/s; {other_name} {other:,.0f})"
    return Row(what, words, bound, reached / other >= least)
