"""An endpoint: a name, a type and targets that a source wants or a zone has.

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

OWNER = "owner"
RESOURCE = "resource"
OWNED_RECORD = "ownedRecord"
DUALSTACK = "dualstack"
_LONGEST_LABEL = 63


class Endpoint(NamedTuple):
    """Source: external-dns, endpoint/endpoint.go. `ttl` 0 means not set.

    A tuple, since a sync of many hosts makes more of these than of anything else.
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
        """The object that it comes from, as its TXT names it: `service/default/web`."""
        return self.labels.get(RESOURCE, "")

    def with_labels(self, labels: Mapping[str, str]) -> Endpoint:
        """The same with other labels; quicker than `_replace`."""
        return Endpoint(
            self.name, self.type, self.targets, self.ttl, self.set_identifier, labels, self.properties
        )

    def with_properties(self, properties: Mapping[str, str]) -> Endpoint:
        """The same with other properties."""
        return Endpoint(
            self.name, self.type, self.targets, self.ttl, self.set_identifier, self.labels, properties
        )

    def __str__(self) -> str:
        properties = " ".join(f"{{{name} {value}}}" for name, value in self.properties.items())
        targets = ";".join(self.targets)
        return f"{self.name} {self.ttl} IN {self.type} {self.set_identifier} {targets} [{properties}]"


def address_type(target: str, *, typed: bool) -> str:
    """The record type of a target. Before AAAA was known, each IP made an A."""
    if _is_no_address(target):
        return "CNAME"
    try:
        address = ipaddress.ip_address(target)
    except ValueError:
        return "CNAME"
    return "AAAA" if typed and address.version == 6 else "A"


def _is_no_address(target: str) -> bool:
    """Quick and for most targets, which are names: an IPv4 address ends with a digit, an IPv6 has a colon."""
    return ":" not in target and not target[-1:].isdigit()


def by_type(targets: Iterable[str], *, typed: bool) -> dict[str, list[str]]:
    """Targets by the record type that each needs: A, AAAA, CNAME, those that occur."""
    found: dict[str, list[str]] = {"A": [], "AAAA": [], "CNAME": []}
    for target in targets:
        found[address_type(target, typed=typed)].append(target)
    return {kind: one for kind, one in found.items() if one}


def is_name(name: str) -> bool:
    """Whether every label of a name is short enough for DNS."""
    return len(name) <= _LONGEST_LABEL or all(len(label) <= _LONGEST_LABEL for label in name.split("."))


def too_long(name: str) -> str:
    """The line that v0.13 and later log of a name for which they make no endpoint."""
    label = next(label for label in name.split(".") if len(label) > _LONGEST_LABEL)
    return f"label {label} in {name} is longer than {_LONGEST_LABEL} characters. Cannot create endpoint"


def same_targets(one: Iterable[str], other: Iterable[str], *, typed: bool) -> bool:
    """Whether two target lists mean the same; v0.8 and later ignore case, and how an IPv6 is spelled."""
    if one == other:
        return True
    fold = _folded if typed else str
    return sorted(map(fold, one)) == sorted(map(fold, other))


def _folded(target: str) -> str:
    if ":" in target:
        with suppress(ValueError):
            return str(ipaddress.ip_address(target))
    return target.lower()


def order(targets: Iterable[str], *, typed: bool) -> tuple[object, ...]:
    """Sort key of a target list: shorter first, then the first difference; since v0.12.1 IPs first."""
    found = sorted(targets)
    return (len(found), *(_key(target, typed) for target in found))


def _key(target: str, typed: bool) -> tuple[int, int, str]:
    if typed and not _is_no_address(target):
        try:
            return (0, int(ipaddress.ip_address(target)), "")
        except ValueError:
            pass
    return (1, 0, target)
