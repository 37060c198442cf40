"""A TXT's name leads back to its record."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from testbed.external_dns.core.facts import Fact, release_of
from testbed.external_dns.registry.txt_names import TxtNames
from tests.external_dns.releases import READ

AFFIXES = (("", ""), ("txt-", ""), ("_owner.", ""), ("", "-txt"), ("%{record_type}.", ""))


@given(
    st.sampled_from(AFFIXES),
    st.sampled_from(["app.example.com", "x.y.example.com"]),
    st.sampled_from(["A", "AAAA"]),
)
def test_every_name_is_read_back(affixes: tuple[str, str], name: str, kind: str) -> None:
    for version in map(release_of, READ):
        names = TxtNames(*affixes, "", version)
        assert names.owned_by(names.of(name, kind)) == (name, kind if version.has(Fact.TYPED_TXT) else "")


@pytest.mark.parametrize(("version", "name"), [("v0.7.5", "app"), ("v0.22", "a-app")])
def test_a_prefix_with_a_dot_stands_before_the_whole_name(version: str, name: str) -> None:
    names = TxtNames("_owner.", "", "", release_of(version))
    assert names.of("app.example.com", "A") == f"_owner.{name}.example.com"


def test_a_name_without_the_prefix_speaks_of_no_record() -> None:
    assert TxtNames("txt-", "", "", release_of("v0.22")).owned_by("a-app.example.com") == ("", "")
