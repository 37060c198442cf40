"""Who owns a record, as TXT records beside it say.

```
"heritage=external-dns,external-dns/owner=me,external-dns/resource=service/default/web"
v0.7.x   app.example.com TXT            v0.22   a-app.example.com TXT, aaaa-app.example.com TXT
```

Source: external-dns, registry/txt/registry.go, registry/mapper/mapper.go, endpoint/labels.go.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from testbed.external_dns.endpoint import OWNED_RECORD, OWNER, Endpoint
from testbed.external_dns.plan import FORCE_UPDATE
from testbed.external_dns.profile import Profile
from testbed.external_dns.txt_names import TxtNames

HERITAGE = "heritage=external-dns"
_LABEL = "external-dns/"
_Key = tuple[str, str, str]


@dataclass(frozen=True, slots=True)
class TxtRegistry:
    """Reads owners from TXT records, and writes them."""

    owner: str
    names: TxtNames
    profile: Profile
    old_owner: str = ""
    managed: tuple[str, ...] = ()

    def records(self, endpoints: Iterable[Endpoint]) -> list[Endpoint]:
        """The records of a zone with the labels that their TXTs give them; TXTs of this registry left out."""
        labels: dict[_Key, Mapping[str, str]] = {}
        records = []
        for endpoint in endpoints:
            found = self._labels(endpoint)
            if self.profile.typed and endpoint.type == "TXT" and not endpoint.targets:
                continue
            if found is None:
                records.append(endpoint)
                continue
            if self.old_owner and found.get(OWNER) == self.old_owner:
                found[OWNER] = self.owner
            name, kind = self.names.owned_by(endpoint.name)
            labels[name, kind, endpoint.set_identifier] = found
        return [self._labelled(record, labels) for record in records]

    def _labelled(self, record: Endpoint, labels: Mapping[_Key, Mapping[str, str]]) -> Endpoint:
        name = self.names.replaced(record.name)
        is_alias = record.properties.get("alias") == "true"
        kinds = [""]
        if self.profile.typed:
            kinds = [record.type]
            if record.type == "A" and is_alias:
                kinds.append("CNAME")
            if record.type != "AAAA":
                kinds.append("")
        for index, kind in enumerate(kinds):
            found = labels.get((name, kind, record.set_identifier))
            if found is not None:
                properties = dict(record.properties)
                if self.profile.typed and index > 0 and record.type in self.managed:
                    properties[FORCE_UPDATE] = "true"
                return replace(record, labels={**record.labels, **found}, properties=properties)
        return record

    def obsolete(self, endpoints: Sequence[Endpoint]) -> str | None:
        """v0.22: the warning about the first alias with a TXT of before (`cname-`), which is told once."""
        if not self.profile.typed:
            return None
        txts = {one.name.lower() for one in endpoints if one.type == "TXT" and self._labels(one) is not None}
        for one in endpoints:
            old = self.names.of(one.name, "CNAME")
            if one.type == "A" and one.properties.get("alias") == "true" and old in txts:
                return (
                    f'Obsolete legacy TXT record "{old}" for A ALIAS "{one.name}" can be removed; now using '
                    f'"{self.names.of(one.name, "A")}" (see scripts/aws-cleanup-legacy-txt-records.py).'
                )
        return None

    def _labels(self, endpoint: Endpoint) -> dict[str, str] | None:
        if endpoint.type != "TXT" or not endpoint.targets:
            return None
        return parse(endpoint.targets[0], self.profile)

    def with_txt(self, endpoint: Endpoint) -> tuple[Endpoint, Endpoint]:
        """A record and its TXT."""
        txt = Endpoint(
            self.names.of(endpoint.name, endpoint.type),
            "TXT",
            (f'"{serialized(endpoint.labels)}"',),
            set_identifier=endpoint.set_identifier,
            labels={OWNED_RECORD: endpoint.name},
            properties=endpoint.properties if endpoint.set_identifier else {},
        )
        return endpoint, txt

    def claimed(self, endpoint: Endpoint) -> Endpoint:
        """A new record with the own owner."""
        return replace(endpoint, labels={**endpoint.labels, OWNER: self.owner})


def serialized(labels: Mapping[str, str]) -> str:
    """Labels as a TXT carries them, without its quotes."""
    return ",".join([HERITAGE, *(f"{_LABEL}{key}={value}" for key, value in sorted(labels.items()))])


def parse(value: str, profile: Profile) -> dict[str, str] | None:
    """The labels of a TXT value, or None if it is not ExternalDNS's."""
    found: dict[str, str] = {}
    has_heritage = False
    for pair in value.strip('"').split(","):
        key, equals, text = pair.partition("=")
        if not equals or (not profile.typed and "=" in text):
            continue
        if key == "heritage":
            if text != "external-dns":
                return None
            has_heritage = True
        elif key.startswith(_LABEL):
            found[key.removeprefix(_LABEL)] = text
    return found if has_heritage else None
