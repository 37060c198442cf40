"""A journal's report: verdict, `summary.json`, `summary.md`, `junit.xml`, `report.html`, written together."""

from __future__ import annotations

from pathlib import Path

from testbed.rehearsal.verdict import Verdict, compute_file
from testbed.report import html, junit, markdown, summary
from testbed.report.files import HTML, JUNIT, MARKDOWN, SUMMARY, write_all


def write_report(journal_path: Path, folder: Path) -> Verdict:
    """Read a journal, judge it, and write its report files into a folder.

    Raises:
        BadInput: the journal cannot be read.
        Missing: the folder cannot be written; no file of it is changed then.
    """
    verdict = compute_file(journal_path)
    contents = {
        SUMMARY: summary.render(verdict),
        JUNIT: junit.render(verdict),
        HTML: html.render(verdict),
        MARKDOWN: markdown.render(verdict).encode("utf-8", "replace"),
    }
    write_all(folder, contents)
    return verdict
