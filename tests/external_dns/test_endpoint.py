from __future__ import annotations

import pytest

from testbed.external_dns.endpoint import same_targets


@pytest.mark.parametrize(
    ("one", "other", "typed", "same"),
    [
        (["A.example.com"], ["a.example.com"], True, True),
        (["A.example.com"], ["a.example.com"], False, False),
        (["2001:0db8:0:0:0:0:0:1"], ["2001:db8::1"], True, True),
        (["2001:db8::1"], ["2001:db8::2"], True, False),
        (["no:address"], ["NO:address"], True, True),
        (["a", "b"], ["b", "a"], False, True),
    ],
)
def test_targets_are_the_same_in_any_order_and_since_v0_8_in_any_spelling(
    one: list[str], other: list[str], *, typed: bool, same: bool
) -> None:
    assert same_targets(one, other, typed=typed) is same
