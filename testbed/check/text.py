"""Findings as lines for a person, and as JSON."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from testbed.check.findings import Finding, Severity


def render(findings: Sequence[Finding]) -> str:
    """Each finding as `file:line: severity: what [rule]` and what to do, then how many there are."""
    lines: list[str] = []
    for one in findings:
        lines += [f"{one.where}: {one.severity}: {one.what} [{one.rule}]", f"    {one.do}"]
    counts = [(severity, sum(one.severity is severity for one in findings)) for severity in Severity]
    words = [f"{count} {severity}{'' if count == 1 else 's'}" for severity, count in counts if count]
    return "\n".join([*lines, ", ".join(words) or "No known trap shows in these manifests."]) + "\n"


def as_json(findings: Sequence[Finding]) -> dict[str, Any]:
    """The findings as plain values."""
    return {
        "findings": [
            {
                "rule": one.rule,
                "severity": one.severity.value,
                "file": str(one.where.path),
                "line": one.where.line,
                "what": one.what,
                "do": one.do,
            }
            for one in findings
        ],
        "counts": {
            severity.value: sum(one.severity is severity for one in findings) for severity in Severity
        },
    }
