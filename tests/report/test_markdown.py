from __future__ import annotations

import dataclasses
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

from testbed import journal
from testbed.report import html, markdown, summary
from testbed.report.terminal import print_verdict
from testbed.verdict.verdict import compute, compute_file
from tests.report.consoles import console, written


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


def test_a_run_without_external_dns_names_no_release_of_it(made: ModuleType) -> None:
    first, *others = made.Story(rate=10.0).events()
    verdict = compute([dataclasses.replace(first, external_dns=""), *others])
    assert ", no ExternalDNS, 10 requests per second" in markdown.render(verdict)
    page = html.render(verdict).decode()
    assert "· no ExternalDNS ·" in page
    assert "v0.7.4" not in page


def test_three_balancers_have_columns_and_their_types_beside_the_names(made: ModuleType) -> None:
    text = markdown.render(
        compute(made.Story(rate=10.0, balancers=made.THREE, moves=made.THREE_MOVES).events())
    )
    assert (
        r"| | step | service/shop/envoy | p99 | service/shop/envoy\-internal | p99 | ALB | p99 | lost |"
        in text
    )
    assert r"- **service/shop/envoy\-internal**: NLB, internal" in text
    rows = [line for line in text.splitlines() if line.startswith(("| 1", "|--"))]
    assert [row.count("|") for row in rows] == [10, 10]
    assert text.count(" may go: ") == 2


def test_what_the_run_did_not_play_is_in_every_report(made: ModuleType) -> None:
    first, *others = made.Story(rate=10.0).events()
    left_out = journal.LeftOut(time=first.time, owner="Ingress group app", text="not modelled: x_y")
    verdict = compute([first, left_out, *others])
    out, file = console(120)
    print_verdict(verdict, out)
    assert r"- Ingress group app: not modelled: x\_y." in markdown.render(verdict)
    assert "Ingress group app: not modelled: x_y." in html.render(verdict).decode()
    assert "Ingress group app: not modelled: x_y." in written(file)
    assert summary.as_dict(verdict)["left_out"] == [
        {"owner": "Ingress group app", "text": "not modelled: x_y"}
    ]
