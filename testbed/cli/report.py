"""`testbed report`: write the reports of a journal again."""

from __future__ import annotations

from pathlib import Path

import click

from testbed.cli import options


@click.command()
@click.argument("journal", type=click.Path(path_type=Path))
@options.REPORT_OF_A_JOURNAL
def report(journal: Path, report: Path | None) -> int:
    """Write the reports of a journal again, beside it.

    The exit code is that of the verdict; that of a run which was interrupted is 4.
    """
    # Imported here: `testbed --help` lists the commands without what a report needs.
    from testbed.errors import BadInput, Location
    from testbed.report import report_folder
    from testbed.report.console import Terminal
    from testbed.report.report_files import HTML
    from testbed.report.terminal import print_verdict
    from testbed.report.writing import write_report

    if not journal.is_file():
        raise BadInput("no such journal", where=Location(journal))
    folder = report or journal.parent
    report_folder.make(folder)
    verdict = write_report(journal, folder)
    print_verdict(verdict, Terminal(), folder / HTML)
    return verdict.exit_code
