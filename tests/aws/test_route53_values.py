from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from testbed.aws.route53_values import name_problem, problems


@pytest.mark.parametrize(
    ("kind", "values"),
    [
        ("A", ["192.0.2.1", "192.0.2.2"]),
        ("AAAA", ["2001:db8::1"]),
        ("CNAME", ["other.example.com"]),
        ("TXT", ['"heritage=external-dns,external-dns/owner=me"']),
        ("TXT", ['"one" "two"', '"with \\"quotes\\""', '""']),
        ("TXT", ['"a"', '"A"']),
        ("MX", ["10 mail.example.com"]),
    ],
)
def test_right_values_are_taken(kind: str, values: list[str]) -> None:
    assert not list(problems(kind, values))


@pytest.mark.parametrize(
    ("kind", "values", "words"),
    [
        ("TXT", ["bare"], "InvalidCharacterString (Value should be enclosed in quotation marks)"),
        ("TXT", ['"open'], "InvalidCharacterString"),
        ("TXT", ['"'], "InvalidCharacterString"),
        ("TXT", ['""twice""'], "InvalidCharacterString"),
        ("TXT", ['"ends in a backslash\\"'], "InvalidCharacterString"),
        ("TXT", ['"' + "x" * 256 + '"'], "CharacterStringTooLong"),
        ("A", ["lb.elb.ap-northeast-1.amazonaws.com"], "ARRDATAIllegalIPv4Address"),
        ("A", ["::1"], "ARRDATAIllegalIPv4Address"),
        ("AAAA", ["192.0.2.1"], "AAAARRDATAIllegalIPv6Address"),
        ("CNAME", ["a.example.com", "b.example.com"], "Expected 1 value"),
        ("CNAME", [""], "DomainNameEmpty"),
        ("A", ["192.0.2.1", "192.0.2.1"], "Duplicate Resource Record: '192.0.2.1'"),
    ],
)
def test_wrong_values_are_refused_in_route_53s_words(kind: str, values: list[str], words: str) -> None:
    assert words in " ".join(problems(kind, values))


@given(st.text(st.characters(codec="ascii", exclude_categories=["Cc"]), max_size=255))
def test_quoted_text_is_always_taken(text: str) -> None:
    quoted = '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'
    assert not list(problems("TXT", [quoted]))


@pytest.mark.parametrize(
    "name", ["a..example.com", "." * 3, "x" * 64 + ".example.com", ".".join(["x"] * 200)]
)
def test_names_that_dns_cannot_carry_are_refused(name: str) -> None:
    assert name_problem(name)
