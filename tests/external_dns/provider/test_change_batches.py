"""Batches hold what Route 53 takes, and nothing gets lost or divided between them."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from testbed.external_dns.provider.change_batches import BatchLimits, Change, position, split, split_by_name


def _change(action: str, name: str, kind: str, value: str = "192.0.2.1") -> dict[str, Any]:
    record = {"Name": name, "Type": kind, "ResourceRecords": [{"Value": value}]}
    return {"Action": action, "ResourceRecordSet": record}


def _group(change: Change) -> str:
    name: str = change["ResourceRecordSet"]["Name"]
    return name.removeprefix("a-").removeprefix("aaaa-")


changes = st.lists(
    st.builds(
        _change,
        st.sampled_from(["CREATE", "UPSERT", "DELETE"]),
        st.sampled_from(["a-x.test", "x.test", "aaaa-x.test", "y.test", "a-y.test", "z.test"]),
        st.sampled_from(["A", "AAAA", "TXT"]),
        st.text("v", min_size=1, max_size=9),
    ),
    max_size=12,
)
limits = st.builds(BatchLimits, st.integers(1, 6), st.integers(4, 40), st.integers(1, 9))


@given(changes, limits)
def test_a_batch_keeps_the_limits_and_a_group_stays_whole(
    changes: list[dict[str, Any]], limits: BatchLimits
) -> None:
    warnings: list[str] = []
    batches = split(changes, limits, _group, lambda text, _: warnings.append(text))
    groups = {name: [one for one in changes if _group(one) == name] for name in map(_group, changes)}
    dropped = [name for name, members in groups.items() if limits.excess(members)]
    assert len(warnings) == len(dropped)
    if changes:
        assert all(limits.excess(batch) is None for batch in batches)
    for name, members in groups.items():
        homes = [batch for batch in batches if any(_group(one) == name for one in batch)]
        assert len(homes) == (0 if name in dropped else 1)
        assert sum(_group(one) == name for batch in homes for one in batch) == len(members) * len(homes)
    assert all(batch == sorted(batch, key=position) for batch in batches)


@given(changes, st.integers(1, 6))
def test_before_v0_14_a_name_stays_whole_and_too_many_changes_of_one_are_dropped(
    changes: list[dict[str, Any]], size: int
) -> None:
    batches = split_by_name(changes, size, lambda *_: None)
    names = [one["ResourceRecordSet"]["Name"] for one in changes]
    for name in set(names):
        homes = [batch for batch in batches if any(one["ResourceRecordSet"]["Name"] == name for one in batch)]
        assert len(homes) == (1 if names.count(name) <= size else 0)
    assert all(len(batch) <= size for batch in batches)


def test_a_prefixed_txt_may_part_from_its_record_before_v0_14() -> None:
    """The names sort apart, so with a small batch another name's changes stand between the two."""
    changes = [_change("CREATE", name, "A") for name in ("txt-b.test", "b.test", "c.test")]
    batches = split_by_name(changes, 2, lambda *_: None)
    assert [[one["ResourceRecordSet"]["Name"] for one in batch] for batch in batches] == [
        ["b.test", "c.test"],
        ["txt-b.test"],
    ]


@pytest.mark.parametrize(
    ("action", "limits", "told"),
    [
        ("UPSERT", BatchLimits(1000, 10, 1000), "max batch size bytes of 10, total changes bytes: 18"),
        ("CREATE", BatchLimits(0, 100, 1000), "max batch size of 0, total changes: 1"),
        ("UPSERT", BatchLimits(1000, 100, 1), "max batch size values of 1, total changes values: 2"),
    ],
)
def test_what_is_too_large_is_told(action: str, limits: BatchLimits, told: str) -> None:
    warnings: list[tuple[str, list[Change]]] = []
    change = _change(action, "x.test", "A")
    assert split([change], limits, _group, lambda text, left: warnings.append((text, list(left)))) == []
    assert warnings == [(f"Total changes for 0 exceeds {told}; changes will not be performed", [change])]
