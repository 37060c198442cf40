from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from testbed.aws import route53_listing
from testbed.aws.route53_listing import BadStart, Key, Page, asked, listed, order

LABEL = st.text("ab1-_", min_size=1, max_size=3)
KEYS = st.lists(
    st.tuples(
        st.lists(LABEL, min_size=1, max_size=3).map(lambda labels: ".".join([*labels, "x", ""])),
        st.sampled_from(["A", "AAAA", "TXT"]),
        st.sampled_from(["", "a", "b"]),
    ),
    unique=True,
    max_size=20,
)


def test_names_are_in_ascii_order_of_their_reversed_labels_with_the_trailing_dot() -> None:
    names = ["a.x.", "a-b.x.", "z.a.x.", "\\052.x.", "1.x.", "x."]
    keys: list[Key] = [(name, "A", "") for name in names]
    assert [name for name, *_ in sorted(keys, key=order)] == [
        "x.",
        "1.x.",
        "\\052.x.",
        "a-b.x.",
        "a.x.",
        "z.a.x.",
    ]


@given(KEYS, st.integers(1, 4))
def test_pages_hold_each_record_set_once_and_in_order(keys: list[Key], most: int) -> None:
    seen: list[Key] = []
    start: Key | None = None
    while True:
        page, following = listed(keys, Page(order(start) if start else ("", "", ""), most))
        assert len(page) <= most
        seen += page
        if following is None:
            break
        start = following
    assert seen == sorted(keys, key=order)


def test_a_call_asks_for_a_page_of_at_most_300() -> None:
    path = "/2013-04-01/hostedzone/Z1/rrset"
    assert asked(path) == Page(("", "", ""), route53_listing.MOST_ITEMS)
    assert asked(f"{path}?name=*.X&type=A&identifier=old&maxitems=5") == Page(("x.\\052.", "A", "old"), 5)
    assert asked(f"{path}?maxitems=500").most == route53_listing.MOST_ITEMS


@pytest.mark.parametrize(
    "query", ["type=A", "name=a&identifier=x", "maxitems=0", "maxitems=-1", "maxitems=x"]
)
def test_a_call_that_names_no_place_is_refused(query: str) -> None:
    with pytest.raises(BadStart, match="Invalid request"):
        asked(f"/2013-04-01/hostedzone/Z1/rrset?{query}")
