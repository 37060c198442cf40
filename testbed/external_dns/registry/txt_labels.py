"""The labels of one name: what the TXT records of its hosted zone say about its records. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from testbed.aws.route53_names import plain_name
from testbed.dated_releases import Release
from testbed.external_dns.registry.txt_encryption import TxtCipher
from testbed.external_dns.registry.txt_names import TxtNames
from testbed.external_dns.registry.txt_options import TxtOptions
from testbed.external_dns.registry.txt_registry import parse

Record = Mapping[str, Any]
"""A ResourceRecordSet as boto3 gives it."""


@dataclass(frozen=True, slots=True)
class Label:
    """The content of a TXT: its record type ("" in the old format), and its labels, such as `owner`."""

    name: str
    type: str
    labels: Mapping[str, str]


def labels_of(name: str, records: Iterable[Record], options: TxtOptions, release: Release) -> list[Label]:
    """Return the labels that an ExternalDNS with these options reads for a name, in the order of the records.

    Args:
        name: in lower case without its last dot; `*` not escaped.
        records: of the name's zone.
        options: the affix of the TXT names, and the key of encrypted TXTs.
        release: the version, which decides the format.
    """
    names = TxtNames(options.txt_prefix, options.txt_suffix, options.txt_wildcard, release)
    labels_found = []
    for record in records:
        labels = labels_in(record, options, release)
        if labels is None:
            continue
        owned, kind = names.owned_by(plain_name(record["Name"]))
        if owned == names.replaced(name):
            labels_found.append(Label(plain_name(record["Name"]), kind, labels))
    return labels_found


def labels_in(record: Record, options: TxtOptions, release: Release) -> dict[str, str] | None:
    """Return the labels in a record; None if it is not a TXT of a registry, or has another key."""
    if record["Type"] != "TXT" or not record.get("ResourceRecords"):
        return None
    value = record["ResourceRecords"][0]["Value"]
    clear = TxtCipher(options.txt_key).decrypted(value.strip('"')) if options.txt_key else None
    return parse(clear[0] if clear else value, release)
