"""The page of a rule on a terminal: the Markdown that pages use, as lines that fit."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from testbed.check import findings_text
from testbed.check.findings import Severity
from testbed.check.rule_pages import page_of, without_links
from testbed.check.rule_registry import Rule
from testbed.printing import Span, wrapped

_FENCE = "```"
_ITEM = re.compile(r"- |\d+\. ")
_BOLD = {"bold": True}


def lines(rule: Rule) -> Iterator[list[Span]]:
    """Yield the lines of a rule's page with their styles; without a page, those of the rule alone."""
    head: list[Span] = [(rule.id, _BOLD), (f" ({rule.severity})", {})]
    yield head
    yield from _plain(wrapped(rule.title))
    yield []
    page = page_of(rule)
    if page is None:
        yield from _plain(wrapped("This rule has no page here; its findings say what to do."))
        return
    yield from _plain(_prose(page.meaning))
    for title, text in (("Example", page.example), ("What to do", page.remedy), ("Source", page.source)):
        yield []
        yield [(title, _BOLD)]
        yield from _plain(_prose(text, 2))
        if text is page.example:
            yield []
            yield from findings_text.on_terminal(page.findings(), 2)


def listed(rules: Iterable[Rule]) -> Iterator[list[Span]]:
    """Yield each rule with its title, the errors first."""
    rules = list(rules)
    for severity in Severity:
        yield [(f"{severity}s", _BOLD)]
        for rule in sorted((one for one in rules if one.severity is severity), key=lambda one: one.id):
            yield [(f"  {rule.id}", {})]
            yield from _plain(wrapped(rule.title, 6))


def _plain(of: list[str]) -> Iterator[list[Span]]:
    for line in of:
        yield [(line, {})]


def _prose(markdown: str, indent: int = 0) -> list[str]:
    """Paragraphs and lists wrapped, blocks of code as they are."""
    found: list[str] = []
    is_code = False
    paragraph: list[str] = []

    def end() -> None:
        if paragraph:
            text = without_links(" ".join(paragraph)).replace("`", "")
            mark = _ITEM.match(text)
            found.extend(wrapped(text, indent, indent + (len(mark[0]) if mark else 0)))
            paragraph.clear()

    for line in markdown.splitlines():
        if line.startswith(_FENCE):
            end()
            is_code = not is_code
        elif is_code:
            found.append(" " * (indent + 2) + line)
        elif not line.strip():
            end()
            found.append("")
        else:
            if _ITEM.match(line):
                end()
            paragraph.append(line.strip())
    end()
    return found
