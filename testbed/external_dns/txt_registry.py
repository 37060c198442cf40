"""Who owns a record, as TXT records beside it say.

```
"heritage=external-dns,external-dns/owner=me,external-dns/resource=service/default/web"
v0.7.x   app.example.com TXT            v0.22   a-app.example.com TXT, aaaa-app.example.com TXT
```

Source: external-dns, registry/txt/registry.go, registry/mapper/mapper.go, endpoint/labels.go.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from testbed.external_dns.endpoint import OWNED_RECORD, OWNER, Endpoint, is_name, too_long
from testbed.external_dns.plan import FORCE_UPDATE, Changes
from testbed.external_dns.profile import Profile
from testbed.external_dns.txt_cipher import TxtCipher
from testbed.external_dns.txt_names import TxtNames

HERITAGE = "heritage=external-dns"
_LABEL = "external-dns/"
_NONCE = "txt-encryption-nonce"
_Key = tuple[str, str, str]


@dataclass(frozen=True, slots=True)
class TxtRegistry:
    """Reads owners from TXT records, and writes them.

    Attributes:
        old_owner: of `--migrate-from-txt-owner`; its records are read as this owner's.
        managed: record types that get missing TXTs.
        cipher: reads encrypted TXTs, if there is a key; `encrypts` says whether they are written so.
    """

    owner: str
    names: TxtNames
    profile: Profile
    old_owner: str = ""
    managed: tuple[str, ...] = ()
    cipher: TxtCipher | None = None
    encrypts: bool = False

    def records(self, endpoints: Iterable[Endpoint]) -> list[Endpoint]:
        """The records of a zone with the labels that their TXTs give them; TXTs of this registry left out."""
        labels: dict[_Key, Mapping[str, str]] = {}
        records: list[Endpoint] = []
        txt_names = set()
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
            txt_names.add(endpoint.name)
        labelled = [self._labelled(record, labels) for record in records]
        if not self.profile.typed or not txt_names:
            return labelled
        return [self._marked(record, txt_names) for record in labelled]

    def _marked(self, record: Endpoint, txt_names: Collection[str]) -> Endpoint:
        """v0.12.2+: an own record that lacks its typed TXT is marked, so that the plan writes both again."""
        if record.labels.get(OWNER) != self.owner or record.type not in self.managed:
            return record
        name = self.names.of(record.name, record.type)
        if name in txt_names or not is_name(name):
            return record
        return record.with_properties({**record.properties, FORCE_UPDATE: "true"})

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
        for kind in kinds:
            found = labels.get((name, kind, record.set_identifier))
            if found is not None:
                return record.with_labels({**record.labels, **found})
        return record

    def obsolete(self, endpoints: Sequence[Endpoint]) -> str | None:
        """v0.22: the warning about the first alias with a TXT of before (`cname-`), which is told once."""
        if not self.profile.typed:
            return None
        txts = {one.name.lower(): one for one in endpoints if one.type == "TXT"}
        for one in endpoints:
            if one.type != "A" or one.properties.get("alias") != "true":
                continue
            old = self.names.of(one.name, "CNAME")
            if old in txts and self._labels(txts[old]) is not None:
                return (
                    f'Obsolete legacy TXT record "{old}" for A ALIAS "{one.name}" can be removed; now using '
                    f'"{self.names.of(one.name, "A")}" (see scripts/aws-cleanup-legacy-txt-records.py).'
                )
        return None

    def _labels(self, endpoint: Endpoint) -> dict[str, str] | None:
        if endpoint.type != "TXT" or not endpoint.targets:
            return None
        value = endpoint.targets[0]
        clear = self.cipher.decrypted(value.strip('"')) if self.cipher else None
        if clear is None:
            return parse(value, self.profile)
        text, nonce = clear
        found = parse(text, self.profile)
        return None if found is None else found | {_NONCE: nonce}

    def applied(
        self, changes: Changes, txts: Collection[tuple[str, str]], refuse: Callable[[str], None]
    ) -> Changes:
        """What the provider is asked to do: new records claimed, records of others left out, TXTs added.

        Args:
            changes: of the plan.
            txts: name and set identifier of every TXT of the zones. v0.19 and later make none of them again.
            refuse: hears of each TXT whose name would be too long.
        """
        create = [one.with_labels({**one.labels, OWNER: self.owner}) for one in changes.create]
        pairs = [
            (old, _plain(new))
            for old, new in zip(changes.update_old, changes.update_new, strict=True)
            if old.labels.get(OWNER) == self.owner
        ]
        delete = [one for one in changes.delete if one.labels.get(OWNER) == self.owner]
        made = self._txts(create, refuse)
        if self.profile.typed:
            made = [one for one in made if (one.name, one.set_identifier) not in txts]
        old, new = [old for old, _ in pairs], [new for _, new in pairs]
        return replace(
            changes,
            create=(*create, *made),
            update_old=(*old, *self._txts(old, lambda _: None)),
            update_new=(*new, *self._txts(new, refuse)),
            delete=(*delete, *self._txts(delete, refuse)),
        )

    def is_made(self, endpoint: Endpoint) -> bool:
        """Whether `applied` added this TXT."""
        return endpoint.type == "TXT" and (not self.profile.typed or OWNED_RECORD in endpoint.labels)

    def _txts(self, endpoints: Iterable[Endpoint], refuse: Callable[[str], None]) -> list[Endpoint]:
        found = []
        for endpoint in endpoints:
            name = self.names.of(endpoint.name, endpoint.type)
            if self.profile.typed and not is_name(name):
                refuse(too_long(name))
                continue
            labels = {OWNED_RECORD: endpoint.name} if self.profile.typed else {}
            found.append(
                Endpoint(
                    name,
                    "TXT",
                    (f'"{self._value(endpoint.labels)}"',),
                    set_identifier=endpoint.set_identifier,
                    labels=labels,
                    properties=endpoint.properties,
                )
            )
        return found

    def _value(self, labels: Mapping[str, str]) -> str:
        text = serialized({key: value for key, value in labels.items() if key != _NONCE})
        return self.cipher.encrypted(text, labels.get(_NONCE, "")) if self.cipher and self.encrypts else text


def _plain(endpoint: Endpoint) -> Endpoint:
    if FORCE_UPDATE not in endpoint.properties:
        return endpoint
    return endpoint.with_properties(
        {name: value for name, value in endpoint.properties.items() if name != FORCE_UPDATE}
    )


def serialized(labels: Mapping[str, str]) -> str:
    """Labels as a TXT carries them, without its quotes."""
    return ",".join([HERITAGE, *[f"{_LABEL}{key}={value}" for key, value in sorted(labels.items())]])


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
