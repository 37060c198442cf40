"""Findings as lines of text, and as JSON."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from testbed.check.findings import Finding, Severity
from testbed.printing import Span, wrapped

_NONE = "These manifests show no known trap."
_COLOURS = {Severity.ERROR: "red", Severity.WARNING: "yellow", Severity.NOTE: "cyan"}


def render(findings: Sequence[Finding]) -> str:
    """Each finding as `file:line: severity: what [rule]` and what to do below it; then the counts.

    One line for each sentence, as editors and `grep` read the messages of a compiler.
    """
    lines: list[str] = []
    for one in findings:
        lines += [_head(one), f"    {_below(one)}"]
    return "\n".join([*lines, counted(findings)]) + "\n"


def on_terminal(findings: Iterable[Finding], indent: int = 0) -> Iterator[list[Span]]:
    """Yield the same findings as lines that fit a terminal, with styles."""
    before = " " * indent
    for one in findings:
        place, kind = f"{before}{one.where}:", f" {_kind(one)}:"
        style = {"fg": _COLOURS[one.severity], ("dim" if one.accepted else "bold"): True}
        first, *rest = wrapped(_head(one), indent, indent + 4)
        if first.startswith(place + kind):
            yield [
                (place, {"bold": True}),
                (kind, style),
                (first.removeprefix(place + kind), {}),
            ]
        else:  # a path that takes a line of its own
            yield [(first, {"bold": True})]
        for line in rest:
            yield [(line, {})]
        for line in wrapped(_below(one), indent + 4, indent + 7):
            yield [(line, {"fg": "green"})]


def counted(findings: Sequence[Finding]) -> str:
    """`1 error, 2 notes, 1 accepted`."""
    counts = [(severity.value, number) for severity, number in _counts(findings).items()]
    words = [f"{count} {word}{'' if count == 1 else 's'}" for word, count in counts if count]
    accepted = sum(one.accepted is not None for one in findings)
    return ", ".join([*words, *([f"{accepted} accepted"] if accepted else [])]) or _NONE


def as_json(findings: Sequence[Finding], notes: Sequence[str] = ()) -> dict[str, Any]:
    """The findings as plain values, with sentences about how they were found."""
    return {
        "notes": list(notes),
        "findings": [
            {
                "rule": one.rule,
                "severity": one.severity.value,
                "file": str(one.where.path),
                "line": one.where.line,
                "what": one.what,
                "do": one.do,
                "accepted": {
                    "reason": one.accepted.reason,
                    "file": str(one.accepted.where.path),
                    "line": one.accepted.where.line,
                }
                if one.accepted
                else None,
            }
            for one in findings
        ],
        "counts": {
            **{severity.value: number for severity, number in _counts(findings).items()},
            "accepted": sum(one.accepted is not None for one in findings),
        },
    }


def _counts(findings: Iterable[Finding]) -> dict[Severity, int]:
    counting = [one.severity for one in findings if one.accepted is None]
    return {severity: counting.count(severity) for severity in Severity}


def _kind(one: Finding) -> str:
    return f"accepted {one.severity}" if one.accepted else one.severity.value


def _head(one: Finding) -> str:
    return f"{one.where}: {_kind(one)}: {one.what} [{one.rule}]"


def _below(one: Finding) -> str:
    if one.accepted:
        return f"accepted at {one.accepted.where}: {one.accepted.reason}"
    return f"-> {one.do}"
