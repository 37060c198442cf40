"""Names whose A and AAAA lead to different balancers when a run ends: one family of clients did not move.

The changes that Route 53 accepted show it, and the requests of the last step, if any client had IPv6.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from testbed.address_families import PartedName, parted_names
from testbed.balancer_identity import phrase, plain_dns_name
from testbed.verdict.history import History
from testbed.verdict.phases import Tally


def parted_at_the_end(history: History) -> list[PartedName]:
    """Return these names, from all changes of records that were accepted."""
    records: dict[tuple[str, str, str], Mapping[str, Any]] = {}
    for event in sorted(history.dns_changes, key=lambda one: one.time):
        for change in () if event.refused else event.changes:
            record = change.get("ResourceRecordSet")
            if not isinstance(record, dict) or not isinstance(record.get("Type"), str):
                continue
            name, identifier = (
                plain_dns_name(str(record.get("Name", ""))),
                str(record.get("SetIdentifier", "")),
            )
            key = name, record["Type"], identifier
            records.pop(key, None)
            if change.get("Action") != "DELETE" and _is_readable(record):
                own = {"SetIdentifier": identifier} if "SetIdentifier" in record else {}
                records[key] = {**record, "Name": name, **own}
    return list(parted_names(records.values()))


def parted_texts(history: History, counted: Tally) -> Iterator[str]:
    """Yield a sentence for each of these names: where its families lead, and where the last requests went."""
    balancers = history.named_balancers()

    def shown(target: str) -> str:
        return phrase(balancers.name_of(target)) if target in balancers.by_dns_name() else target

    for parted in parted_at_the_end(history):
        named = replace(parted, ipv4=shown(parted.ipv4), ipv6=shown(parted.ipv6))
        yield f"{named} at the end, {_seen(counted)}"


def _seen(counted: Tally) -> str:
    last = counted.phases[-1].by_family if counted.phases else {}
    if not any(family == "ipv6" for _, family in last):
        return "and no request of the last step came by IPv6 to show it"
    words = []
    for kind, label in (("ipv4", "IPv4"), ("ipv6", "IPv6")):
        served = [
            f"{one.total:,} to {phrase(name)}" for (name, family), one in last.items() if family == kind
        ]
        words.append(f"{' and '.join(served) or 'none'} by {label}")
    return f"and of the requests of the last step went {', '.join(words)}"


def _is_readable(record: Mapping[str, Any]) -> bool:
    """True for a record in the API's shape; a journal is a file that anything may have written."""
    alias, values = record.get("AliasTarget"), record.get("ResourceRecords")
    if alias is not None:
        return isinstance(alias, dict)
    return isinstance(values, list) and all(isinstance(one, dict) for one in values)
