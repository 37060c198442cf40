"""The domain filter takes what the real one takes."""

from __future__ import annotations

import re

import pytest

from testbed.external_dns.provider.domain_filter import DomainFilter


@pytest.mark.parametrize(
    ("include", "exclude", "name", "taken"),
    [
        ([], [], "a.example.com", True),
        (["example.com"], [], "example.com", True),
        (["example.com"], [], "a.example.com.", True),
        (["Example.com."], [], "a.EXAMPLE.com", True),
        (["example.com"], [], "myexample.com", False),
        ([".example.com"], [], "a.example.com", True),
        ([".example.com"], [], "example.com", False),
        (["example.org", "example.com"], [], "a.example.com", True),
        ([""], [], "a.example.com", True),
        ([], ["b.example.com"], "a.b.example.com", False),
        (["example.com"], ["b.example.com"], "b.example.com", False),
        (["example.com"], ["b.example.com"], "a.example.com", True),
        (["example.com"], [""], "a.example.com", True),
    ],
)
def test_lists_of_domains(include: list[str], exclude: list[str], name: str, *, taken: bool) -> None:
    assert DomainFilter(tuple(include), tuple(exclude)).matches(name) is taken


@pytest.mark.parametrize(
    ("pattern", "excluded", "name", "taken"),
    [
        (r"\.example\.com$", None, "a.example.com.", True),
        (r"^a\.", None, "b.example.com", False),
        (r"example", r"^test", "test.example.com", False),
    ],
)
def test_a_pattern_overrides_the_lists(pattern: str, excluded: str | None, name: str, *, taken: bool) -> None:
    no = re.compile(excluded) if excluded else None
    assert DomainFilter(("other.test",), (), re.compile(pattern), no).matches(name) is taken


def test_an_excluded_pattern_alone_takes_all_other_names() -> None:
    found = DomainFilter(exclude_pattern=re.compile(r"^prod\."))
    assert not found.matches("prod.example.com")
    assert found.matches("test.example.com")
    assert str(found) == "--regex-domain-exclusion=^prod\\."


def test_it_tells_the_flags_that_it_stands_for() -> None:
    assert str(DomainFilter(("a.test", "b.test"), ("c.a.test",))) == (
        "--domain-filter=a.test,b.test --exclude-domains=c.a.test"
    )
    assert str(DomainFilter(pattern=re.compile("a$"))) == "--regex-domain-filter=a$"
