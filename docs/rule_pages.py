"""A hook of MkDocs: the pages of the rules of `testbed check`, from the files beside the rules."""

from __future__ import annotations

import re

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

from testbed.check import rule_pages
from testbed.check.findings import Severity
from testbed.check.rule_registry import all_rules

INDEX = "troubleshooting.md"
RULES = {rule.id: rule for rule in sorted(all_rules(), key=lambda one: one.id)}
_FENCE, _ID = re.compile(r"^\s*```"), re.compile(r"(?<!\[)`(" + "|".join(RULES) + ")`")


def _place(rule_id: str) -> str:
    return f"troubleshooting/{rule_id}.md"


def on_config(config: MkDocsConfig) -> MkDocsConfig:
    """Put the pages into the navigation, below their index, by severity."""
    for section in config.nav or ():
        if section.get("Troubleshooting") == [INDEX]:
            section["Troubleshooting"] += [
                {f"{severity.value.capitalize()}s": [{one.id: _place(one.id)} for one in _of(severity)]}
                for severity in Severity
            ]
    return config


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the page of each rule."""
    for rule in RULES.values():
        page = rule_pages.page_of(rule)
        assert page is not None, f"{rule.id} has no page"
        text = f"# {rule.id}\n\n{page.markdown()}"
        files.append(File.generated(config, _place(rule.id), content=text))
    return files


def on_page_markdown(markdown: str, page: Page, config: MkDocsConfig, files: Files) -> str:  # noqa: ARG001
    """List the rules in their index, and link each id that a page names."""
    if page.file.src_uri == INDEX:
        markdown = markdown.replace("<!-- the rules -->", _listed())
    depth = page.file.src_uri.count("/")
    lines, is_code = [], False
    for line in markdown.split("\n"):
        is_code ^= bool(_FENCE.match(line))
        lines.append(line if is_code or line.startswith(">") else _linked(line, depth, page.title))
    return "\n".join(lines)


def _of(severity: Severity) -> list[rule_pages.Rule]:
    return [one for one in RULES.values() if one.severity is severity]


def _listed() -> str:
    tables = []
    for severity in Severity:
        rows = "".join(f"| `{one.id}` | {one.title} |\n" for one in _of(severity))
        tables.append(f"### {severity.value.capitalize()}s\n\n| rule | |\n|---|---|\n{rows}")
    return "\n".join(tables)


def _linked(line: str, depth: int, own: str | None) -> str:
    def link(match: re.Match[str]) -> str:
        return match[0] if match[1] == own else f"[{match[0]}]({'../' * depth}{_place(match[1])})"

    return _ID.sub(link, line)
