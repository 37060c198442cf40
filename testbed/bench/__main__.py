"""`python -m testbed.bench`: measures this machine for `make bench`.

Start, memory, rates, and ratios to h2load and to Envoy alone. Each row is printed as soon as it is measured,
as a line of a Markdown table. Figures of one machine say little about another, so nothing here is asserted:
a row has a bound, and says whether it is met. With `--against REV` both builds are measured in turns instead,
and the rows are ratios.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator

import click

from testbed import machine
from testbed.bench import against, builds, rows
from testbed.bench.table import Row, heading
from testbed.errors import TestbedError
from testbed.printing import echo


@click.command()
@click.option("--quick", is_flag=True, help="Leave out the whole stories and the search for the ceiling.")
@click.option(
    "--against",
    "revision",
    metavar="REV",
    help="Measure a build of this revision in turns; about half an hour.",
)
def main(quick: bool, revision: str | None) -> None:
    """Measure this machine and print a Markdown table; about five minutes, one with --quick."""
    try:
        measured = _rows(quick=quick, revision=revision)
    except TestbedError as error:
        echo(str(error), err=True)
        sys.exit(error.exit_code)
    echo(f"{machine.description()}\n")
    before, others = time.monotonic(), machine.cpu_seconds_of_others()
    echo(heading())
    for row in measured:
        echo(str(row))
    available = (time.monotonic() - before) * machine.cores()
    share = max(0.0, machine.cpu_seconds_of_others() - others) / available
    echo(f"\nOther processes of this machine took {share:.0%} of its CPUs meanwhile.")


def _rows(*, quick: bool, revision: str | None) -> Iterator[Row]:
    if revision is None:
        return rows.rows(quick=quick)
    echo(f"Building {revision} ...")
    return against.rows(builds.of_revision(revision))


if __name__ == "__main__":
    main()
