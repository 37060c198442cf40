"""The time slider of a report: the live page's picture at any moment of the run, in the same file."""

from __future__ import annotations

from pathlib import Path

from testbed.live.frame import Standing
from testbed.live.replay import Judged, Replay, replay
from testbed.report import words
from testbed.verdict.verdict import Verdict


def judged(verdict: Verdict) -> Judged:
    """Return a verdict as the page shows it."""
    return Judged(
        Standing(verdict.result.value),
        words.headline(verdict),
        tuple(f"{finding.reason.title}: {finding.text}" for finding in verdict.findings),
    )


def replayed(journal: Path, verdict: Verdict) -> Replay:
    """Return the replay of the journal that the verdict is about.

    Raises:
        BadInput: the journal cannot be read.
    """
    return replay(journal, judged(verdict))
