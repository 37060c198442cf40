"""The refusals of the hosted zone in the recorded histories.

It refuses CREATE of what exists, DELETE of what is absent or differs, and a CNAME beside other types; it
reports the first change that does not fit, and knows none of Route 53's other rules. Those are in
`testbed.aws.route53_refusals`, whose function `judged` takes and leaves the same state.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from testbed.aws.answers import Refusal
from testbed.aws.route53_names import stored_name
from testbed.aws.route53_refusals import Key, Record, State, Zone, key_of


def judged(zone: Zone, state: State, changes: Sequence[Mapping[str, Any]]) -> Refusal | None:
    """Apply changes to the state, in their order.

    Args:
        zone: the hosted zone.
        state: the record sets of the changes' names; of no use after a refusal.
        changes: `Action` and `ResourceRecordSet` as the API has them.

    Returns:
        what is refused, or None.
    """
    for change in changes:
        action, record = change["Action"], change["ResourceRecordSet"]
        key = key_of(record)
        records = state.setdefault(key[0], {})
        if message := _refused(action, record, key, records):
            return Refusal("InvalidChangeBatch", f"[{message}]")
        if action == "DELETE":
            del records[key]
        else:
            records[key] = record
    names = dict.fromkeys(key_of(change["ResourceRecordSet"])[0] for change in changes)
    conflicts = [
        f"RRSet of type CNAME with DNS name {name} is not permitted as it conflicts with other "
        f"records with the same DNS name in zone {zone.name}"
        for name in names
        if len(types := {kind for _, kind, _ in state[name]}) > 1 and "CNAME" in types
    ]
    return Refusal("InvalidChangeBatch", f"[{', '.join(conflicts)}]") if conflicts else None


def _refused(action: str, record: Record, key: Key, records: Mapping[Key, Record]) -> str:
    titled = f"[name='{key[0]}', type='{key[1]}']"
    if action == "CREATE" and key in records:
        return f"Tried to create resource record set {titled} but it already exists"
    if action == "DELETE" and key not in records:
        return f"Tried to delete resource record set {titled} but it was not found"
    if action == "DELETE" and _content(records[key]) != _content(record):
        return (
            f"Tried to delete resource record set {titled} "
            "but the values provided do not match the current values"
        )
    return ""


def _content(record: Record) -> dict[str, Any]:
    content = {field: value for field, value in record.items() if field != "Name"}
    if alias := record.get("AliasTarget"):
        content["AliasTarget"] = {**alias, "DNSName": stored_name(alias["DNSName"])}
    return content
