from __future__ import annotations

import pytest

from testbed.external_dns.core.endpoint import same_targets
from testbed.external_dns.core.facts import release_of


@pytest.mark.parametrize(
    ("one", "other", "tag", "same"),
    [
        (["A.example.com"], ["a.example.com"], "v0.8.0", True),
        (["A.example.com"], ["a.example.com"], "v0.7.6", False),
        (["2001:0db8:0:0:0:0:0:1"], ["2001:db8::1"], "v0.15.1", True),
        (["2001:0db8:0:0:0:0:0:1"], ["2001:db8::1"], "v0.15.0", False),
        (["2001:db8::1"], ["2001:db8::2"], "v0.22.0", False),
        (["no:address"], ["NO:address"], "v0.22.0", True),
        (["a", "b"], ["b", "a"], "v0.7.4", True),
    ],
)
def test_targets_are_the_same_in_any_order_and_later_in_any_spelling(
    one: list[str], other: list[str], tag: str, *, same: bool
) -> None:
    assert same_targets(one, other, release_of(tag)) is same
