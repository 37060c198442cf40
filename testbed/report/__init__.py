"""What a person or a machine sees of a run: journal in, terminal, HTML, JUnit XML and JSON out."""

from __future__ import annotations

from testbed.report.writing import write_report

__all__ = ["write_report"]
