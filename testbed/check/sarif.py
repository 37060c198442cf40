"""Findings as SARIF 2.1.0, which code hosts show beside the lines of a change.

Source: OASIS, Static Analysis Results Interchange Format 2.1.0, sections 3.13 (log), 3.27 (result).
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote

from testbed import __version__
from testbed.check.findings import Finding
from testbed.check.rules import Rule

SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"


def as_sarif(findings: Sequence[Finding], rules: Sequence[Rule], root: Path) -> dict[str, Any]:
    """One run with all rules; paths below `root`, the working directory, are relative to it."""
    index = {rule.id: number for number, rule in enumerate(rules)}
    return {
        "$schema": SCHEMA,
        "version": "2.1.0",
        "runs": [
            {
                "tool": {
                    "driver": {
                        "name": "testbed check",
                        "version": __version__,
                        "rules": [
                            {
                                "id": rule.id,
                                "shortDescription": {"text": rule.title},
                                "defaultConfiguration": {"level": rule.severity.value},
                            }
                            for rule in rules
                        ],
                    }
                },
                "columnKind": "unicodeCodePoints",
                "results": [_result(one, index[one.rule], root) for one in findings],
            }
        ],
    }


def _result(finding: Finding, index: int, root: Path) -> dict[str, Any]:
    return {
        "ruleId": finding.rule,
        "ruleIndex": index,
        "level": finding.severity.value,
        "message": {"text": f"{finding.what}; {finding.do}."},
        "locations": [
            {
                "physicalLocation": {
                    "artifactLocation": {"uri": _uri(finding.where.path, root)},
                    "region": {"startLine": finding.where.line or 1},
                }
            }
        ],
    }


def _uri(path: Path, root: Path) -> str:
    absolute = path.resolve()
    if absolute.is_relative_to(root.resolve()):
        return quote(absolute.relative_to(root.resolve()).as_posix())
    return absolute.as_uri()
