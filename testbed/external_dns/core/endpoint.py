"""An endpoint: a name, a type and targets that a source asks for or a zone has.

```
app.example.com 0 IN CNAME  k8s-app-1.eu-west-1.elb.amazonaws.com []
name           ttl   type  ^ targets joined by ;                   properties
                           set identifier
```
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Mapping
from contextlib import suppress
from types import MappingProxyType
from typing import NamedTuple

from testbed.dated_releases import Release
from testbed.external_dns.core.facts import Fact

OWNER = "owner"
RESOURCE = "resource"
OWNED_RECORD = "ownedRecord"
DUALSTACK = "dualstack"
_LONGEST_LABEL = 63


class Endpoint(NamedTuple):
    """A record as ExternalDNS has it between its stages. `ttl` is in seconds; 0 means not set.

    A tuple, since a sync of many hosts makes more of these than of anything else. Source: external-dns,
    endpoint/endpoint.go.
    """

    name: str
    type: str
    targets: tuple[str, ...]
    ttl: int = 0
    set_identifier: str = ""
    labels: Mapping[str, str] = MappingProxyType({})
    properties: Mapping[str, str] = MappingProxyType({})

    @property
    def resource(self) -> str:
        """The object that the endpoint comes from, as its TXT names it: `service/default/web`."""
        return self.labels.get(RESOURCE, "")

    def with_labels(self, labels: Mapping[str, str]) -> Endpoint:
        """Return the endpoint with other labels; quicker than `_replace`."""
        return Endpoint(
            self.name, self.type, self.targets, self.ttl, self.set_identifier, labels, self.properties
        )

    def with_properties(self, properties: Mapping[str, str]) -> Endpoint:
        """Return the endpoint with other properties."""
        return Endpoint(
            self.name, self.type, self.targets, self.ttl, self.set_identifier, self.labels, properties
        )

    def with_type(self, record_type: str) -> Endpoint:
        """Return the endpoint with another type."""
        return Endpoint(
            self.name, record_type, self.targets, self.ttl, self.set_identifier, self.labels, self.properties
        )

    def __str__(self) -> str:
        properties = " ".join(f"{{{name} {value}}}" for name, value in self.properties.items())
        targets = ";".join(self.targets)
        return f"{self.name} {self.ttl} IN {self.type} {self.set_identifier} {targets} [{properties}]"


def address_type(target: str, release: Release) -> str:
    """Return the record type of a target. Releases that know no AAAA make an A of every IP address."""
    if _is_no_address(target):
        return "CNAME"
    try:
        address = ipaddress.ip_address(target)
    except ValueError:
        return "CNAME"
    return "AAAA" if address.version == 6 and release.has(Fact.AAAA_OF_IPV6) else "A"


def _is_no_address(target: str) -> bool:
    """True for most names, and quick: an IPv4 address ends with a digit, an IPv6 address has a colon."""
    return ":" not in target and not target[-1:].isdigit()


def by_type(targets: Iterable[str], release: Release) -> dict[str, list[str]]:
    """Return targets by the record type that each needs: A, AAAA, CNAME, as far as they occur."""
    by_type: dict[str, list[str]] = {"A": [], "AAAA": [], "CNAME": []}
    for target in targets:
        by_type[address_type(target, release)].append(target)
    return {record_type: values for record_type, values in by_type.items() if values}


def is_name(name: str) -> bool:
    """True if every label of a name is short enough for DNS: 63 characters."""
    return len(name) <= _LONGEST_LABEL or all(len(label) <= _LONGEST_LABEL for label in name.split("."))


def too_long(name: str) -> str:
    """Return the line that is logged for a name of which they make no endpoint."""
    label = next(label for label in name.split(".") if len(label) > _LONGEST_LABEL)
    return f"label {label} in {name} is longer than {_LONGEST_LABEL} characters. Cannot create endpoint"


def same_targets(one: Iterable[str], other: Iterable[str], release: Release) -> bool:
    """True if two target lists mean the same; later releases ignore case and the spelling of IPv6."""
    if one == other:
        return True
    if not release.has(Fact.TARGETS_WITHOUT_CASE):
        # Route 53 returns lower case, so an alias to a name with capitals is sent at every sync
        # (docs/traps.md, 11).
        return sorted(one) == sorted(other)
    by_value = release.has(Fact.ADDRESSES_IN_ANY_SPELLING)
    return sorted(_folded(each, by_value) for each in one) == sorted(
        _folded(each, by_value) for each in other
    )


def _folded(target: str, by_value: bool) -> str:
    if by_value and ":" in target:
        with suppress(ValueError):
            return str(ipaddress.ip_address(target))
    return target.lower()


def order(targets: Iterable[str], release: Release) -> tuple[object, ...]:
    """Return the sort key of a target list: shorter first, then by value; since v0.12.1 IPs first."""
    ordered = sorted(targets)
    by_value = release.has(Fact.ADDRESSES_BY_VALUE)
    return (len(ordered), *(_key(target, by_value) for target in ordered))


def _key(target: str, by_value: bool) -> tuple[int, int, str]:
    if by_value and not _is_no_address(target):
        try:
            return (0, int(ipaddress.ip_address(target)), "")
        except ValueError:
            pass
    return (1, 0, target)
