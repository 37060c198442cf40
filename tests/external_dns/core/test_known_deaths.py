"""The releases that can end by a fault of their own, and what ends them."""

from __future__ import annotations

import pytest

from testbed.external_dns.core.facts import release_of
from testbed.external_dns.core.known_deaths import known_deaths


@pytest.mark.parametrize(
    ("tag", "words"),
    [
        ("v0.13.4", []),
        ("v0.13.5", ["ends at any error of Route 53"]),
        ("v0.14.0", ["ends at any error of Route 53"]),
        ("v0.14.1", []),
        ("v0.15.1", []),
        ("v0.16.1", ["index panic"]),
        ("v0.18.0", ["index panic"]),
        ("v0.19.0", []),
    ],
)
def test_a_release_has_the_deaths_that_were_seen_of_it(tag: str, words: list[str]) -> None:
    found = list(known_deaths(release_of(tag)))
    assert len(found) == len(words)
    for death, word in zip(found, words, strict=True):
        assert word in death.what
        assert f"ExternalDNS {tag} " in death.what
        assert death.do
