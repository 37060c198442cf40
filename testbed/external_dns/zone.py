"""A hosted zone in memory that speaks as much of boto3's Route 53 client as the AWS provider uses.

It refuses what the zone of the recorded histories refused: CREATE of what exists, DELETE of what is absent or
differs, a CNAME beside other types. A batch is all or nothing. Names of alias targets come back in lower case
with a dot, as Route 53 stores them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from botocore.exceptions import ClientError

Key = tuple[str, str, str]
Record = Mapping[str, Any]


class MemoryZone:
    """One hosted zone.

    Attributes:
        batches: the changes of each call since `batches` was last emptied, and the text of a refusal or "".
        fail_next: how many of the next calls fail, as an outage of Route 53 would make them.
    """

    def __init__(self, name: str, zone_id: str, records: Iterable[Record] = ()) -> None:
        self.name, self.id = name.rstrip("."), zone_id
        self.batches: list[tuple[Sequence[Mapping[str, Any]], str]] = []
        self.fail_next = 0
        self._records = {key_of(record): _stored(record) for record in records}

    @property
    def records(self) -> list[Record]:
        """All record sets, in Route 53's order: by reversed labels, then type and set identifier."""
        return [self._records[key] for key in sorted(self._records, key=_listing)]

    def get_paginator(self, operation: str) -> _Pages:
        """A paginator with one page for `list_hosted_zones` or `list_resource_record_sets`."""
        if operation == "list_hosted_zones":
            return _Pages({"HostedZones": [{"Id": self.id, "Name": f"{self.name}."}]})
        return _Pages({"ResourceRecordSets": self.records})

    def change_resource_record_sets(
        self,
        HostedZoneId: str,  # noqa: ARG002, N803 as boto3 names it
        ChangeBatch: Mapping[str, Any],  # noqa: N803
    ) -> None:
        """Apply a batch or nothing of it.

        Raises:
            ClientError: the batch is refused.
        """
        changes = ChangeBatch["Changes"]
        is_throttled = self.fail_next > 0
        refusal = "Rate exceeded" if is_throttled else self.apply(changes)
        self.fail_next = max(0, self.fail_next - 1)
        self.batches.append((changes, refusal))
        if refusal:
            code = "Throttling" if is_throttled else "InvalidChangeBatch"
            text = refusal if is_throttled else f"[{refusal}]"
            raise ClientError({"Error": {"Code": code, "Message": text}}, "ChangeResourceRecordSets")

    def apply(self, changes: Sequence[Mapping[str, Any]]) -> str:
        """Apply changes; the text of the refusal, or "" if they were taken."""
        state = dict(self._records)
        for change in changes:
            action, record = change["Action"], change["ResourceRecordSet"]
            key = key_of(record)
            told = f"[name='{key[0]}', type='{key[1]}']"
            if action == "CREATE" and key in state:
                return f"Tried to create resource record set {told} but it already exists"
            if action == "DELETE":
                if key not in state:
                    return f"Tried to delete resource record set {told} but it was not found"
                if state[key] != _stored(record):
                    return (
                        f"Tried to delete resource record set {told} "
                        "but the values provided do not match the current values"
                    )
                del state[key]
            else:
                state[key] = _stored(record)
        refused = []
        for name in dict.fromkeys(key_of(change["ResourceRecordSet"])[0] for change in changes):
            types = {kind for other, kind, _ in state if other == name}
            if "CNAME" in types and len(types) > 1:
                refused.append(
                    f"RRSet of type CNAME with DNS name {name} is not permitted as it conflicts with other "
                    f"records with the same DNS name in zone {self.name}."
                )
        if refused:
            return ", ".join(refused)
        self._records = state
        return ""


class _Pages:
    def __init__(self, page: Mapping[str, Any]) -> None:
        self._page = page

    def paginate(self, **_: str) -> list[Mapping[str, Any]]:
        return [self._page]


def key_of(record: Record) -> Key:
    """What makes a record set one of its own: name with its dot, type, set identifier."""
    return record["Name"].rstrip(".") + ".", record["Type"], record.get("SetIdentifier", "")


def _listing(key: Key) -> tuple[str, str, str]:
    return ".".join(reversed(key[0].rstrip(".").split("."))) + ".", key[1], key[2]


def _stored(record: Record) -> dict[str, Any]:
    kept = dict(record)
    kept["Name"] = record["Name"].rstrip(".") + "."
    alias = record.get("AliasTarget")
    if alias:
        kept["AliasTarget"] = {**alias, "DNSName": alias["DNSName"].rstrip(".").lower() + "."}
    return kept
