from __future__ import annotations

from pathlib import Path

import pytest

from testbed import printing
from testbed.check import rule_page_text, rule_pages
from testbed.check.rule_pages import page_of
from testbed.check.rule_registry import Rule, all_rules

IDLE = next(rule for rule in all_rules() if rule.id == "idle-streams-are-cut")


def text_of(rule: Rule) -> list[str]:
    return ["".join(text for text, _ in spans) for spans in rule_page_text.lines(rule)]


@pytest.mark.parametrize("rule", all_rules(), ids=lambda rule: rule.id)
def test_every_line_but_those_of_an_example_fits_80_columns(
    rule: Rule, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(printing, "columns", lambda: 80)
    code = {line.strip() for line in page_of(rule).example.splitlines()}
    wide = [line for line in text_of(rule) if len(line) > 80 and line.strip() not in code]
    assert [line for line in wide if len(line.split()) > 1] == [], "a name alone stays whole"


def test_a_page_has_its_parts_in_order_without_marks() -> None:
    text = "\n".join(text_of(IDLE))
    parts = ["idle-streams-are-cut (warning)", IDLE.title[:30], "\nExample\n    # testbed check web.yaml\n",
             "  web.yaml:13: warning: streams", "\nWhat to do\n", "\nSource\n"]  # fmt: skip
    assert sorted(map(text.find, parts)) == [text.find(part) for part in parts]
    assert -1 not in map(text.find, parts)
    assert "`" not in text


def test_rules_are_listed_with_the_errors_first() -> None:
    lines = ["".join(text for text, _ in spans) for spans in rule_page_text.listed(all_rules())]
    assert [line for line in lines if not line.startswith(" ")] == ["errors", "warnings", "notes"]
    assert {line.strip() for line in lines if line.startswith("  ") and line[2] != " "} == {
        rule.id for rule in all_rules()
    }


def test_a_rule_without_a_page_is_described_by_its_title(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rule_pages, "FOLDER", tmp_path)
    assert text_of(IDLE)[0] == "idle-streams-are-cut (warning)"
    assert text_of(IDLE)[-1] == "This rule has no page here; its findings say what to do."
