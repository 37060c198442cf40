"""Each rule has a page, whose example ends in that finding and whose links lead somewhere."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from testbed.check import rule_pages
from testbed.check.rule_pages import FOLDER, page_of, uri_of, without_links
from testbed.check.rule_registry import Rule, all_rules

DOCS = Path(__file__).resolve().parents[2] / "docs"
RULES = pytest.mark.parametrize("rule", all_rules(), ids=lambda rule: rule.id)


def test_each_rule_has_a_page_and_each_page_a_rule() -> None:
    assert {path.stem for path in FOLDER.glob("*.md")} == {rule.id for rule in all_rules()}


@RULES
def test_the_example_of_a_page_ends_in_its_finding(rule: Rule) -> None:
    page = page_of(rule)
    found = page.findings()
    assert {one.rule for one in found} == {rule.id}
    assert all(one.where.line or page.options["--zone"] for one in found)


@RULES
def test_a_page_says_what_it_means_what_to_do_and_where_that_is_known_from(rule: Rule) -> None:
    page = page_of(rule)
    for text in (page.meaning, page.remedy, page.source):
        assert text.endswith((".", ")", "`"))
        assert len(text) > 20
    assert rule.title not in page.path.read_text(), "the title stands beside the rule"


@RULES
def test_the_links_of_a_page_lead_to_pages_and_heads_that_exist(rule: Rule) -> None:
    for name, _, anchor in (link.partition("#") for link in links(page_of(rule).path.read_text())):
        text = (DOCS / "troubleshooting" / name).resolve().read_text()
        assert not anchor or anchor in anchors(text), f"{name}#{anchor}"


def links(text: str) -> list[str]:
    return re.findall(r"\]\(([^)]+)\)", text)


def anchors(text: str) -> set[str]:
    heads = re.findall(r"^#+ (.+)$", text, re.MULTILINE)
    return {re.sub(r"[-\s]+", "-", re.sub(r"[^\w\s-]", "", head).strip().lower()) for head in heads}


def test_the_options_of_an_example_are_those_of_its_command() -> None:
    page = page_of(next(rule for rule in all_rules() if rule.id == "one-name-two-balancers"))
    assert page.options == {"--zone": "zone.json"}


def test_a_page_has_its_title_and_the_finding_of_its_example() -> None:
    rule = next(rule for rule in all_rules() if rule.id == "idle-streams-are-cut")
    text = page_of(rule).markdown()
    assert text.startswith(f"**Warning.** {rule.title}\n")
    assert '!!! warning "web.yaml:13: warning"\n    streams to the GRPC target group' in text


def test_a_finding_on_a_page_is_read_as_it_is() -> None:
    assert rule_pages._escaped("a<uid> of /*, `x_y` [z]") == r"a&lt;uid> of /\*, \`x\_y\` \[z\]"


def test_the_address_of_a_page_is_its_file_or_its_place_on_a_site() -> None:
    rule = all_rules()[0]
    assert uri_of(rule) == (rule_pages.FOLDER / f"{rule.id}.md").as_uri()
    assert uri_of(rule, "https://docs.example.com/x/") == (
        f"https://docs.example.com/x/troubleshooting/{rule.id}/"
    )


def test_a_link_into_the_documentation_becomes_words() -> None:
    assert without_links("[Trap 1](../traps.md#1-a) and [x](https://y)") == (
        "Trap 1 (docs/traps.md) and [x](https://y)"
    )
