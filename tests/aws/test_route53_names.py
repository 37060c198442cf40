from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from testbed.aws.route53_names import decimal_escapes, plain_name, stored_name, unescaped


def test_names_are_kept_in_lower_case_with_a_dot_and_wildcards_in_octal() -> None:
    assert stored_name("*.API.example.com") == "\\052.api.example.com."
    assert stored_name("\\052.api.example.com.") == "\\052.api.example.com."


def test_names_are_compared_in_lower_case_without_dot_and_escapes() -> None:
    assert plain_name("\\052.App.Test.") == "*.app.test"


def test_only_what_route_53_writes_counts_as_an_escape() -> None:
    assert unescaped("a\\100b.example.com") == "a@b.example.com"
    assert unescaped("\\999.example.com") == "\\999.example.com"
    assert decimal_escapes("\\052 \\999") == "\\042 \\999"


@given(st.text("aB1-_*@ .", max_size=20))
def test_a_stored_name_is_stored_as_it_is_and_has_the_plain_name_of_the_original(name: str) -> None:
    stored = stored_name(name)
    assert stored_name(stored) == stored
    assert plain_name(stored) == plain_name(name)
