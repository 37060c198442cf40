"""Writes the report of a journal: `summary.json`, `summary.md`, `junit.xml` and `report.html`, together."""

from __future__ import annotations

from pathlib import Path

from testbed.errors import Missing
from testbed.report import html, junit, markdown, summary
from testbed.report.replayed import replayed
from testbed.report.report_files import HTML, JUNIT, MARKDOWN, SUMMARY, write_all
from testbed.verdict.verdict import Verdict, compute_file


def write_report(journal_path: Path, folder: Path, run: str = "") -> Verdict:
    """Read a journal, judge it, and write its report files into a folder.

    Args:
        journal_path: the journal.
        folder: where the files go.
        run: the id of the run that the journal must be of; "" for any.

    Raises:
        BadInput: the journal cannot be read.
        Missing: the journal is of another run, or the folder cannot be written; then none of its files has
            changed.
    """
    verdict = compute_file(journal_path)
    if run and [one.id for one in verdict.history.runs] != [run]:
        raise Missing(
            f"{journal_path} is not the journal of this run: it was replaced while the run went on",
            do="rehearse again, with a folder of its own for each run",
        )
    contents = {
        SUMMARY: summary.render(verdict),
        JUNIT: junit.render(verdict),
        HTML: html.render(verdict, replayed(journal_path, verdict)),
        MARKDOWN: markdown.render(verdict).encode("utf-8", "replace"),
    }
    write_all(folder, contents)
    return verdict
