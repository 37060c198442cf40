"""Changes of a zone in batches that Route 53 takes, in the order in which each is sent.

Source: external-dns, provider/aws/aws.go (batchChangeSet, sortChangesByActionNameType).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

Change = Mapping[str, Any]
"""A change as the API takes it: `Action` and `ResourceRecordSet`."""
LeaveOut = Callable[[str, Sequence[Change]], None]
"""Gets the warning about changes that are too large for any batch, and the changes."""
Size = tuple[int, int, int]
"""The size of changes: their number, the bytes of their values, the number of their values."""
# The real one sorts by the action, descending. Route 53 checks in this order, so a DELETE makes room for the
# CREATE of the same name.
_ORDER = {"UPSERT": 0, "DELETE": 1, "CREATE": 2}


@dataclass(frozen=True, slots=True)
class BatchLimits:
    """`--aws-batch-change-size` and, since v0.14.1, `-size-bytes` and `-size-values`."""

    changes: int = 1000
    bytes: int = 32000
    values: int = 1000

    def excess(self, changes: Sequence[Change]) -> tuple[str, int, int] | None:
        """Return the first limit that changes exceed, as the warning has it: unit, limit and count."""
        return self.broken_by(_size(changes))

    def broken_by(self, size: Size) -> tuple[str, int, int] | None:
        """Return the first limit that a size exceeds; see `excess`."""
        limits = (self.changes, self.bytes, self.values)
        for unit, limit, count in zip(("", " bytes", " values"), limits, size, strict=True):
            if count > limit:
                return unit, limit, count
        return None


def position(change: Change) -> tuple[int, str, str]:
    """Return the sort key of a change in its batch."""
    record = change["ResourceRecordSet"]
    return _ORDER[change["Action"]], record["Name"], record["Type"]


def split(
    changes: Sequence[Change],
    limits: BatchLimits,
    group: Callable[[Change], str],
    leave_out: LeaveOut,
) -> list[list[Change]]:
    """Fill one batch after the other with groups, in the order of their names (v0.14.1 and later).

    A group, which is a record with its TXTs, is never divided; a group that is too large is left out with a
    warning. The warning counts groups instead of naming them, as the real one does.
    """
    if len(changes) <= limits.changes and limits.excess(changes) is None:
        return [sorted(changes, key=position)]
    batches: list[list[Change]] = []
    current: list[Change] = []
    filled: Size = (0, 0, 0)
    for index, (_, members) in enumerate(_grouped(changes, group)):
        size = _size(members)
        excess = limits.broken_by(size)
        if excess:
            unit, limit, count = excess
            leave_out(
                f"Total changes for {index} exceeds max batch size{unit} of {limit}, "
                f"total changes{unit}: {count}; changes will not be performed",
                members,
            )
            continue
        together = filled[0] + size[0], filled[1] + size[1], filled[2] + size[2]
        if limits.broken_by(together):
            batches.append(current)
            current, together = [], size
        current += members
        filled = together
    return [sorted(batch, key=position) for batch in (*batches, current) if batch]


def split_by_name(changes: Sequence[Change], size: int, leave_out: LeaveOut) -> list[list[Change]]:
    """Put each name's changes into the first batch with room (v0.7.x); a TXT may part from its record."""
    if len(changes) <= size:
        return [sorted(changes, key=position)]
    batches: list[list[Change]] = []
    # By the name of the change itself: with --txt-prefix a TXT may land in another batch than its record.
    for name, members in _grouped(changes, lambda change: str(change["ResourceRecordSet"]["Name"])):
        if len(members) > size:
            text = f"Total changes for {name} exceeds max batch size of {size}, total changes: {len(members)}"
            leave_out(text, members)
            continue
        room = next((batch for batch in batches if len(batch) + len(members) <= size), None)
        if room is None:
            batches.append(members)
        else:
            room += members
    return [sorted(batch, key=position) for batch in batches]


def _grouped(changes: Sequence[Change], group: Callable[[Change], str]) -> list[tuple[str, list[Change]]]:
    groups: dict[str, list[Change]] = {}
    for change in changes:
        groups.setdefault(group(change), []).append(change)
    return sorted(groups.items())


def _size(changes: Sequence[Change]) -> Size:
    """Return the size of changes; Route 53 counts the values of an UPSERT twice."""
    length, count = 0, 0
    for change in changes:
        record = change["ResourceRecordSet"]
        alias = record.get("AliasTarget")
        times = 2 if change["Action"] == "UPSERT" else 1
        if alias:
            length += times * _bytes(alias["DNSName"])
            count += times
            continue
        for one in record.get("ResourceRecords", ()):
            length += times * _bytes(one["Value"])
            count += times
    return len(changes), length, count


def _bytes(text: str) -> int:
    return len(text) if text.isascii() else len(text.encode())
