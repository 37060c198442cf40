"""The two address families of a name: where A leads its IPv4 clients, and AAAA its IPv6 clients.

ExternalDNS owns and moves A and AAAA apart since v0.13.5, so a name can end up on two balancers at once.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from testbed.balancer_identity import plain_dns_name

_FAMILIES = ("A", "AAAA")


@dataclass(frozen=True, slots=True)
class PartedName:
    """A name whose families lead to different places.

    Attributes:
        name: without its last dot.
        set_identifier: of a weighted or other routing policy; "" for a simple record.
        ipv4, ipv6: the DNS name of a balancer, or addresses.
    """

    name: str
    set_identifier: str
    ipv4: str
    ipv6: str

    def __str__(self) -> str:
        of = f"{self.name} [{self.set_identifier}]" if self.set_identifier else self.name
        return f"{of}: A leads to {self.ipv4}, AAAA to {self.ipv6}"


def parted_names(records: Iterable[Mapping[str, Any]]) -> Iterator[PartedName]:
    """Yield each name whose A and AAAA lead to different balancers, or one of them to none.

    A name with one of the two is not parted, and addresses of both families cannot be compared.

    Args:
        records: record sets in the form of boto3, in any order.
    """
    found: dict[tuple[str, str], dict[str, Mapping[str, Any]]] = {}
    for record in records:
        if record["Type"] in _FAMILIES:
            key = plain_dns_name(record["Name"]).replace("\\052", "*"), record.get("SetIdentifier", "")
            found.setdefault(key, {})[record["Type"]] = record
    for (name, identifier), families in sorted(found.items()):
        if len(families) == len(_FAMILIES) and any("AliasTarget" in one for one in families.values()):
            ipv4, ipv6 = (_target(families[kind]) for kind in _FAMILIES)
            if ipv4 != ipv6:
                yield PartedName(name, identifier, ipv4, ipv6)


def _target(record: Mapping[str, Any]) -> str:
    if alias := record.get("AliasTarget"):
        return plain_dns_name(str(alias.get("DNSName", "")))
    return ", ".join(sorted(str(one.get("Value", "")) for one in record.get("ResourceRecords") or ()))
