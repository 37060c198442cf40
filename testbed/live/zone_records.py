"""The records that a cutover is about: where names lead, and who owns them by ExternalDNS's TXTs."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from testbed import journal
from testbed.balancer_identity import plain_dns_name
from testbed.live.frame import Record

_ADDRESS_TYPES = ("A", "AAAA")
_RESOURCE = re.compile(r"external-dns/resource=([^,\"]+)")
_OWNER = re.compile(r"external-dns/owner=([^,\"]+)")


class _Key(NamedTuple):
    name: str
    type: str
    identifier: str


class ZoneRecords:
    """The records as the accepted changes have left them, and the last answers of the name servers."""

    def __init__(self) -> None:
        self._sets: dict[_Key, Mapping[str, Any]] = {}
        self._answers: dict[tuple[str, str], str] = {}

    def change(self, event: journal.DnsChange) -> None:
        """Take a change of the zone; one that Route 53 refused changes nothing."""
        if event.refused:
            return
        for change in event.changes:
            record: Mapping[str, Any] = change.get("ResourceRecordSet") or {}
            kind = str(record.get("Type", ""))
            if kind not in _ADDRESS_TYPES and not _is_ownership(record):
                continue
            key = _Key(
                plain_dns_name(str(record.get("Name", ""))), kind, str(record.get("SetIdentifier", ""))
            )
            if change.get("Action") == "DELETE":
                self._sets.pop(key, None)
            else:
                self._sets[key] = record

    def answer(self, event: journal.DnsAnswer) -> None:
        """Take a change of what the name servers answer."""
        answers = ", ".join(event.answers) or ("no address" if event.rcode == "NOERROR" else event.rcode)
        self._answers[plain_dns_name(event.name), event.type] = f"{answers} (TTL {event.ttl})"

    def targets(self, host: str) -> Mapping[str, str]:
        """Return the DNS names that a host's aliases lead to, each with record types and weights."""
        notes: dict[str, list[str]] = {}
        for key, record in self._sets.items():
            if key.name == plain_dns_name(host) and (target := _target(record)):
                weight = f" {record['Weight']}" if "Weight" in record else ""
                notes.setdefault(target, []).append(f"{key.type}{weight}")
        return {target: ", ".join(sorted(set(words))) for target, words in notes.items()}

    def leads(self, host: str, name_of: Callable[[str], str]) -> str:
        """Return where a host's aliases lead, in a few words."""
        targets = self.targets(host)
        if not targets:
            return "no alias"
        return "; ".join(f"{note} → {name_of(target)}" for target, note in targets.items())

    def shown(self, name_of: Callable[[str], str]) -> Mapping[str, Record]:
        """Return the records by name, type and identifier."""
        shown: dict[str, Record] = {}
        for key, record in sorted(self._sets.items()):
            if key.type == "TXT":
                value, detail = _owner(record)
            elif target := _target(record):
                value, detail = f"→ {name_of(target)}", target
            else:
                value, detail = ", ".join(_values(record)), ""
            if key.type in _ADDRESS_TYPES and (answers := self._answers.get((key.name, key.type))):
                detail = "; ".join(filter(None, (detail, f"answered: {answers}")))
            if "Weight" in record:
                value = f"{value}, weight {record['Weight']}"
            shown[" ".join(filter(None, key))] = Record(key.name, key.type, value, detail)
        return shown


def _target(record: Mapping[str, Any]) -> str:
    return plain_dns_name(str((record.get("AliasTarget") or {}).get("DNSName", "")))


def _values(record: Mapping[str, Any]) -> list[str]:
    return [str(one.get("Value", "")) for one in record.get("ResourceRecords") or ()]


def _is_ownership(record: Mapping[str, Any]) -> bool:
    return record.get("Type") == "TXT" and any("heritage=external-dns" in one for one in _values(record))


def _owner(record: Mapping[str, Any]) -> tuple[str, str]:
    """Return the resource that a TXT of ExternalDNS names, and its owner id."""
    text = " ".join(_values(record))
    resource, owner = _RESOURCE.search(text), _OWNER.search(text)
    return (
        resource[1] if resource else "no resource",
        f"owner {owner[1]}" if owner else "",
    )
