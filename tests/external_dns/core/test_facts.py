"""A release is found by its tag, and each behaviour by its name; no other place compares releases."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from testbed.dated_releases import EXTERNAL_DNS_RELEASES
from testbed.errors import BadInput
from testbed.external_dns.core.facts import (
    ALPHA_PREFIX,
    PREFIX,
    Fact,
    annotation_prefix,
    managed_types,
    release_of,
)

COMPARISON = re.compile(
    r"[<>]=?\s*\(0, \d+"  # >= (0, 8)
    r"|since=\(\d"
    r"|\b(release|released|tag|place)\)?\s*[<>]=?\s"  # release.place < …
    r"|\s[<>]=?\s*\w*\.?(release|released|place)\b"
    r"|[<>]=?\s*[\"']v?\d+\.\d+"  # >= "v0.8"
    r"|startswith\([\"']v\d"
)
ROOT = Path(__file__).parents[3] / "testbed"


@pytest.mark.parametrize("fact", Fact)
def test_each_fact_names_releases_of_the_table_in_order_and_its_source(fact: Fact) -> None:
    dates = fact.dates
    places = [EXTERNAL_DNS_RELEASES[tag].place for tag in (dates.since, dates.until) if tag]
    assert places
    assert places == sorted(set(places))
    assert dates.source


def test_two_numbers_name_the_newest_release_of_their_line() -> None:
    assert [release_of(tag).tag for tag in ("v0.7", "v0.22", "v0.14.1")] == ["v0.7.6", "v0.22.0", "v0.14.1"]


@pytest.mark.parametrize("tag", ["v0.13.3", "v0.1", "v0.1.0", "", "latest"])
def test_a_tag_that_never_existed_is_refused_with_those_that_there_are(tag: str) -> None:
    with pytest.raises(BadInput) as refusal:
        release_of(tag)
    assert (refusal.value.do or "") == "use one from v0.7.4 to v0.22.0"


def test_the_newest_release_alone_reads_the_stable_prefix() -> None:
    found = {tag: annotation_prefix(release) for tag, release in EXTERNAL_DNS_RELEASES.items()}
    assert found.pop("v0.22.0") == PREFIX
    assert set(found.values()) == {ALPHA_PREFIX}


@pytest.mark.parametrize(
    ("tag", "types"),
    [
        ("v0.7.4", ("A", "CNAME")),
        ("v0.7.5", ("A", "CNAME", "NS")),
        ("v0.7.6", ("A", "CNAME")),
        ("v0.13.5", ("A", "AAAA", "CNAME")),
    ],
)
def test_the_types_that_are_planned_by_default(tag: str, types: tuple[str, ...]) -> None:
    assert managed_types(release_of(tag)) == types


def test_no_code_outside_the_table_compares_releases() -> None:
    """Neither as numbers nor as texts: a release is asked for a fact."""
    found = [
        f"{path.relative_to(ROOT)}:{place}: {line.strip()}"
        for path in sorted(ROOT.rglob("*.py"))
        if path.name != "dated_releases.py"
        for place, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
        if COMPARISON.search(line)
    ]
    assert found == []


@pytest.mark.parametrize(
    "line",
    [
        "if release.release >= (0, 8):",
        "if one.place < other.place:",
        'if version >= "v0.8":',
        "Flag('a', since=(0, 9))",
        'tag.startswith("v0.7")',
    ],
)
def test_the_search_would_find_a_comparison(line: str) -> None:
    assert COMPARISON.search(line)
