"""Releases by tag and date, and facts that hold from one release to another."""

from __future__ import annotations

import itertools

import pytest

from testbed.dated_releases import EXTERNAL_DNS_RELEASES, LB_CONTROLLER_RELEASES, Dates, Fact, Releases


class Sample(Fact):
    ALWAYS = Dates(source="sample")
    SINCE = Dates(since="v0.13.5", source="sample")
    UNTIL = Dates(until="v0.16.0", source="sample")
    BETWEEN = Dates("v0.13.5", "v0.16.0", "sample")


@pytest.mark.parametrize("releases", [EXTERNAL_DNS_RELEASES, LB_CONTROLLER_RELEASES], ids=["dns", "lb"])
def test_releases_stand_in_the_order_of_their_days_and_places(releases: Releases) -> None:
    rows = list(releases.values())
    assert all(one.released <= other.released for one, other in itertools.pairwise(rows))
    assert [row.place for row in rows] == list(range(len(releases)))
    assert (releases.oldest, releases.newest) == (rows[0], rows[-1])


@pytest.mark.parametrize(
    ("tag", "facts"),
    [
        ("v0.7.4", {Sample.ALWAYS, Sample.UNTIL}),
        ("v0.13.4", {Sample.ALWAYS, Sample.UNTIL}),
        ("v0.13.5", set(Sample)),
        ("v0.15.1", set(Sample)),
        ("v0.16.0", {Sample.ALWAYS, Sample.SINCE}),
        ("v0.22.0", {Sample.ALWAYS, Sample.SINCE}),
    ],
)
def test_a_fact_holds_from_the_release_that_brought_it_to_the_one_that_took_it_away(
    tag: str, facts: set[Fact]
) -> None:
    assert EXTERNAL_DNS_RELEASES[tag].facts(Sample) == facts


def test_a_tag_that_never_existed_is_not_in_the_table() -> None:
    assert "v0.13.3" not in EXTERNAL_DNS_RELEASES


def test_two_facts_of_one_release_stay_two() -> None:
    class Twins(Fact):
        ONE = Dates("v0.18.0", source="sample")
        OTHER = Dates("v0.18.0", source="sample")

    assert len(EXTERNAL_DNS_RELEASES["v0.18.0"].facts(Twins)) == 2


@pytest.mark.parametrize(
    ("name", "tag"), [("v2.1", "v2.1.3"), ("v2.1.0", "v2.1.0"), ("v2", "v2.17.1"), ("v3", "v3.5.0")]
)
def test_a_short_name_is_the_newest_release_that_begins_so(name: str, tag: str) -> None:
    assert LB_CONTROLLER_RELEASES.line(name).tag == tag


@pytest.mark.parametrize("name", ["v2.18", "v", "3", ""])
def test_a_name_of_no_release_is_none(name: str) -> None:
    with pytest.raises(KeyError):
        LB_CONTROLLER_RELEASES.line(name)


@pytest.mark.parametrize(
    ("numbers", "before"),
    [
        ((0, 14), "v0.13.6"),
        ((0, 14, 1), "v0.14.0"),
        ((0, 13, 3), "v0.13.2"),
        ((1,), "v0.22.0"),
        ((0, 7, 4), None),
    ],
)
def test_numbers_of_no_release_have_one_before_them(numbers: tuple[int, ...], before: str | None) -> None:
    found = EXTERNAL_DNS_RELEASES.before(numbers)
    assert (found.tag if found else None) == before


def test_the_next_release_of_the_newest_is_none() -> None:
    table = EXTERNAL_DNS_RELEASES
    assert [table.after(table[tag]) for tag in ("v0.13.2", "v0.22.0")] == [table["v0.13.4"], None]
