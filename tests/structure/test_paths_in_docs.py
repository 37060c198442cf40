"""The pages name files that exist."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])
TOP = ("testbed", "tests", "docs", "scenarios", "envoy", "protos", "compose")
WRITTEN_IN_CODE = re.compile(rf"`((?:{'|'.join(TOP)})/[\w./*-]*)`")
LINK = re.compile(r"\]\((?!https?://|mailto:|#)([^)#\s]+)[^)]*\)")
RECORDS_OF_THEIR_DAY = ("CHANGELOG.md", "docs/decisions/")
"""Pages that tell what was true on a date: paths in them may have moved since."""


@pytest.mark.parametrize("page", PAGES, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_path_on_a_page_exists(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    if str(page.relative_to(ROOT)).startswith(RECORDS_OF_THEIR_DAY):
        text = ""
    missing = [name for name in WRITTEN_IN_CODE.findall(text) if not list(ROOT.glob(name.rstrip("/")))]
    missing += [name for name in LINK.findall(page.read_text(encoding="utf-8")) if not is_linked(page, name)]
    assert missing == []


def is_linked(page: Path, name: str) -> bool:
    return (page.parent / name).exists()
