"""Findings as SARIF 2.1.0, which code hosts show next to the lines of a change.

Source: OASIS, Static Analysis Results Interchange Format 2.1.0, sections 3.13 (log), 3.20 (invocation), 3.27
(result), 3.35 (suppression), 3.49 (rule).
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote

from testbed import __version__
from testbed.check import rule_pages
from testbed.check.findings import Acceptance, Finding
from testbed.check.rule_registry import Rule
from testbed.errors import Location

SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"


def as_sarif(
    findings: Sequence[Finding],
    rules: Sequence[Rule],
    root: Path,
    site: str | None = None,
    notes: Sequence[str] = (),
) -> dict[str, Any]:
    """The SARIF log: one run with all rules; paths below `root`, the working directory, are relative.

    Args:
        site: where the documentation is served; None for the pages of this installation.
        notes: sentences about how the findings were found.
    """
    found = {one.rule for one in findings}
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
                                **_help(rule, site, is_found=rule.id in found),
                            }
                            for rule in rules
                        ],
                    }
                },
                "columnKind": "unicodeCodePoints",
                "invocations": [
                    {
                        "executionSuccessful": True,
                        "toolExecutionNotifications": [
                            {"level": "note", "message": {"text": note}} for note in notes
                        ],
                    }
                ],
                "results": [_result(one, index[one.rule], root) for one in findings],
            }
        ],
    }


def _help(rule: Rule, site: str | None, *, is_found: bool) -> dict[str, Any]:
    """The address of the page, and for rules with findings its text, as the others would add 200 kB."""
    uri = rule_pages.uri_of(rule, site)
    address = {"helpUri": uri} if uri else {}
    page = rule_pages.page_of(rule) if is_found else None
    if page is None:
        return address
    text = {"text": f"{page.meaning}\n\n{page.remedy}", "markdown": page.markdown(has_finding=False)}
    return {**address, "help": text}


def _result(finding: Finding, index: int, root: Path) -> dict[str, Any]:
    return {
        "ruleId": finding.rule,
        "ruleIndex": index,
        "level": finding.severity.value,
        "message": {"text": f"{finding.what}; {finding.do}."},
        # An empty list too: where one result has suppressions, all results must (3.27.23).
        "suppressions": [_suppression(finding.accepted, root)] if finding.accepted else [],
        "locations": [_place(finding.where, root)],
    }


def _suppression(acceptance: Acceptance, root: Path) -> dict[str, Any]:
    return {
        "kind": "external" if acceptance.line is None else "inSource",
        "status": "accepted",
        "justification": acceptance.reason,
        "location": _place(acceptance.where, root),
    }


def _place(where: Location, root: Path) -> dict[str, Any]:
    return {
        "physicalLocation": {
            "artifactLocation": {"uri": _uri(where.path, root)},
            "region": {"startLine": where.line or 1},
        }
    }


def _uri(path: Path, root: Path) -> str:
    absolute = path.resolve()
    if absolute.is_relative_to(root.resolve()):
        return quote(absolute.relative_to(root.resolve()).as_posix())
    return absolute.as_uri()
