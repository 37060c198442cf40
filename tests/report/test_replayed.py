"""The slider's data, and the verdict as it says it."""

from __future__ import annotations

from pathlib import Path
from types import ModuleType

from testbed import journal
from testbed.live.frame import Standing
from testbed.report.replayed import judged, replayed
from testbed.verdict.verdict import compute


def test_a_verdict_has_its_headline_and_its_reasons(made: ModuleType) -> None:
    events = made.Story(rate=20.0).events()
    assert judged(compute(events)).standing is Standing.PASS
    assert judged(compute(events)).reasons == ()
    unmet = journal.Expectation(time=made.EPOCH + 2, step=1, text="the ALB serves", passed=False)
    failed = judged(compute([*events, unmet]))
    assert failed.standing is Standing.FAIL
    assert any("the ALB serves" in reason for reason in failed.reasons)


def test_the_last_moment_of_the_slider_has_the_verdict(made: ModuleType, tmp_path: Path) -> None:
    events = made.Story(rate=20.0).events()
    path = made.write(tmp_path / "journal.ndjson", events)
    verdicts = [patch["verdict"] for patch in replayed(path, compute(events)).patches if "verdict" in patch]
    assert [one["standing"] for one in verdicts] == ["pass"]
