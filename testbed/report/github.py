"""GitHub Actions: a summary on the run's page, and an annotation for each reason of the verdict.

Source: GitHub documentation, Workflow commands for GitHub Actions; the escapes are those of
`actions/toolkit`, `packages/core/src/command.ts`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

from testbed.errors import Missing, TestbedError
from testbed.printing import echo_command
from testbed.report import markdown
from testbed.verdict.findings import Result
from testbed.verdict.verdict import Verdict

SUMMARY_VARIABLE = "GITHUB_STEP_SUMMARY"
_ON = "GITHUB_ACTIONS"
MOST = 10
"""GitHub shows ten annotations of each level per step."""
LARGEST = 1 << 20
"""Bytes of a step's summary; GitHub refuses a larger summary as a whole."""


def publish(verdict: Verdict, environment: Mapping[str, str]) -> None:
    """Append the summary and print the annotations, if the environment is that of GitHub Actions.

    Raises:
        Missing: the summary file cannot be written.
    """
    if path := environment.get(SUMMARY_VARIABLE):
        _append(Path(path), markdown.render(verdict).encode("utf-8", "replace"))
    if environment.get(_ON) == "true":
        for line in workflow_commands(verdict):
            echo_command(line)


def workflow_commands(verdict: Verdict) -> Iterator[str]:
    """Yield a workflow command for each reason, at most ten."""
    for finding in verdict.findings[:MOST]:
        kind = "error" if finding.reason.result is Result.FAIL else "warning"
        yield command(kind, finding.text, title=f"testbed: {finding.reason.title}")


def of_error(error: TestbedError) -> str:
    """Return the workflow command for an error that ended the command line."""
    properties = {"title": "testbed"}
    if error.where:
        properties |= {"file": str(error.where.path), "line": str(error.where.line or 1)}
    return command("error", str(error), **properties)


def command(kind: str, message: str, **properties: str) -> str:
    """Return `::error file=...,line=...::message`, escaped so that text of a run begins no command."""
    pairs = ",".join(f"{name}={_property(value)}" for name, value in properties.items())
    return f"::{kind}{' ' if pairs else ''}{pairs}::{_data(message)}"


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")


def _append(path: Path, text: bytes) -> None:
    try:
        room = LARGEST - (path.stat().st_size if path.exists() else 0)
        # Nothing rather than too much: GitHub drops a larger file whole, with what others wrote to it.
        if len(text) <= room:
            with path.open("ab") as file:
                file.write(text)
    except OSError as error:
        raise Missing(f"{path} cannot be written: {error.strerror}", do=f"unset {SUMMARY_VARIABLE}") from None
