"""What the TXT records of a hosted zone say of one name: the claims on its records. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from testbed.external_dns.flags import Flags
from testbed.external_dns.profile import Profile
from testbed.external_dns.txt_cipher import TxtCipher
from testbed.external_dns.txt_names import TxtNames
from testbed.external_dns.txt_registry import parse

Record = Mapping[str, Any]
"""A ResourceRecordSet as boto3 gives it."""


@dataclass(frozen=True, slots=True)
class Label:
    """What a TXT says: of which record type ("" in the old format), and its labels, such as `owner`."""

    name: str
    type: str
    labels: Mapping[str, str]


def labels_of(name: str, records: Iterable[Record], flags: Flags, profile: Profile) -> list[Label]:
    """What an ExternalDNS with these flags reads of a name, in the order of the records.

    Args:
        name: in lower case without its last dot; `*` as it is.
        records: of the name's zone.
        flags: where its TXT records lie, and the key of encrypted ones.
        profile: the version, which decides the format.
    """
    names = TxtNames(flags.txt_prefix, flags.txt_suffix, flags.txt_wildcard, profile)
    found = []
    for record in records:
        labels = labels_in(record, flags, profile)
        if labels is None:
            continue
        owned, kind = names.owned_by(plain_name(record["Name"]))
        if owned == names.replaced(name):
            found.append(Label(plain_name(record["Name"]), kind, labels))
    return found


def labels_in(record: Record, flags: Flags, profile: Profile) -> dict[str, str] | None:
    """The labels in a record; None if it is no TXT of a registry, or encrypted with another key."""
    if record["Type"] != "TXT" or not record.get("ResourceRecords"):
        return None
    value = record["ResourceRecords"][0]["Value"]
    clear = TxtCipher(flags.txt_key).decrypted(value.strip('"')) if flags.txt_key else None
    return parse(clear[0] if clear else value, profile)


def plain_name(name: str) -> str:
    """A record's name in lower case without its last dot; Route 53 writes `*` in octal."""
    return name.replace("\\052", "*").rstrip(".").lower()
