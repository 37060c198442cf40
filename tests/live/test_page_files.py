"""The page's own files."""

from __future__ import annotations

import re

import pytest

from testbed.live.page_files import page_file


def test_the_live_page_has_the_stage_that_the_report_has() -> None:
    assert page_file("stage.html") in page_file("live.html")


@pytest.mark.parametrize("name", ["live.html", "page.css", "page.js"])
def test_nothing_comes_from_another_host(name: str) -> None:
    found = set(re.findall(r"https?://[^\s\"')]+", page_file(name)))
    assert found <= {"http://www.w3.org/2000/svg"}  # the name of SVG, which nothing fetches
    assert "@import" not in page_file(name)


def test_every_place_that_the_script_fills_is_in_the_page() -> None:
    wanted = set(re.findall(r"byId\(\"([a-z-]+)\"\)", page_file("page.js"))) - {"replay"}
    there = set(re.findall(r" id=\"([a-z-]+)\"", page_file("live.html")))
    assert wanted <= there
