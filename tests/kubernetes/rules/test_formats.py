# ruff: noqa: E501 the cases read best one a line
from __future__ import annotations

import ipaddress
from collections.abc import Callable, Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from testbed.kubernetes.rules import formats

Format = Callable[[str], Iterator[str]]


# The cases of apimachinery's validation_test.go, abridged.
@pytest.mark.parametrize(
    ("check", "right", "wrong"),
    [
        (formats.subdomain, ["a", "0.0.0.0", "ab.a-1.1"], ["", "A", "a_b", "-a", "a.", ".a", "a..b", "a\n", "*.a"]),
        (formats.label, ["a", "1", "a-1", "a" * 63], ["", "a.b", "a-", "A", "a" * 64]),
        (formats.dns_1035, ["a", "a-1"], ["1", "1-a", "a.b", ""]),
        (formats.wildcard, ["*.example.com", "*.a"], ["*", "*.", "a.*.com", "*.*.com", "example.com"]),
        (formats.label_value, ["", "A_b.c-1", "1"], ["a b", "-a", "a/b", "a" * 64]),
        (
            formats.qualified_name,
            ["simple", "a.b/C_d", "1.2.3.4/5678", "a" * 63],
            ["", "a/", "/a", "A/b", "a/b/c", "a b", "a/" + "b" * 64],
        ),
        (formats.path_segment, ["system:node", "a b"], [".", "..", "a/b", "a%b"]),
        (formats.domain_prefixed_path, ["a.b/c", "ingress.k8s.aws/alb"], ["", "a", "a/", "/a", "A.b/c", "a.b/c d"]),
        (formats.port_name, ["http", "1-a", "use-annotation"], ["", "a" * 16, "80", "A", "a--b", "-a", "a-", "a_b"]),
        (formats.ip_address, ["10.0.0.1", "010.0.0.1", "::1", "2001:db8::ffff"], ["", "10.0.0", "10.0.0.256", "a", "fe80::1%0"]),
        (
            formats.cidr,
            ["10.0.0.0/8", "010.0.0.0/8", "10.0.0.5/32", "::/0", "2001:db8::/64"],
            ["10.0.0.0", "10.0.0.0/33", "10.0.0.0/99", "10.0.0.0/255.0.0.0", "::/129", "/8", "a/8", "10.0.0.0/-1"],
        ),
    ],
)  # fmt: skip
def test_a_format_takes_what_the_api_server_takes(check: Format, right: list[str], wrong: list[str]) -> None:
    assert {text: list(check(text)) for text in right} == {text: [] for text in right}
    assert [text for text in wrong if not list(check(text))] == []


def test_the_words_are_those_of_the_api_server() -> None:
    assert list(formats.port_name("name-of-17-letters")) == ["must be no more than 15 characters"]
    assert list(formats.port_name("")) == [
        "must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-)",
        "must contain at least one letter (a-z)",
    ]
    assert list(formats.port_number(0)) == ["must be between 1 and 65535, inclusive"]
    assert list(formats.qualified_name("/a")) == ["prefix part must be non-empty"]
    assert list(formats.label("a.b")) == ["must not contain dots"]
    (three_parts,) = formats.qualified_name("a/b/c")
    assert three_parts.startswith("a qualified name must consist of alphanumeric characters")
    assert three_parts.endswith(") with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')")


@given(st.ip_addresses(), st.integers(0, 140))
def test_a_range_has_as_many_bits_as_its_address_allows(
    address: ipaddress.IPv4Address | ipaddress.IPv6Address, bits: int
) -> None:
    is_refused = bool(list(formats.cidr(f"{address}/{bits}")))
    assert is_refused == (bits > address.max_prefixlen)


@given(st.text(max_size=70))
def test_any_text_is_judged(text: str) -> None:
    for check in (
        formats.subdomain,
        formats.qualified_name,
        formats.cidr,
        formats.port_name,
        formats.wildcard,
    ):
        assert all("must" in words or "may" in words for words in check(text))
