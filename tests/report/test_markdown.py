from __future__ import annotations

import dataclasses
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

from testbed import journal
from testbed.rehearsal.verdict import compute, compute_file
from testbed.report import markdown


def test_the_summary_is_as_expected(golden_journal: Path, golden: Callable[[str, str], None]) -> None:
    golden(".summary.md", markdown.render(compute_file(golden_journal)))


def test_a_title_cannot_break_the_table_or_add_markup(made: ModuleType) -> None:
    title = "a | b <script>x</script> [l](y) `c`\n# d"
    events = [
        dataclasses.replace(event, title=title) if isinstance(event, journal.StepStarted) else event
        for event in made.Story(rate=10.0).events()
    ]
    text = markdown.render(compute(events))
    assert r"a \| b \<script\>x\</script\> \[l\]\(y\) \`c\` \# d" in text
    rows = [line for line in text.splitlines() if "script" in line]
    assert len(rows) == 6
    assert all(row.replace(r"\|", "").count("|") == 8 for row in rows)


def test_thresholds_are_lines_of_it(made: ModuleType) -> None:
    events = made.Story(rate=10.0).events()
    events[2:2] = [journal.Threshold(time=events[1].time, text=text) for text in ("failed == 0", "ok < 1")]
    text = markdown.render(compute(events))
    assert r"| ✅ | failed == 0 | 0 |" in text
    assert r"| ❌ | ok \< 1 |" in text
