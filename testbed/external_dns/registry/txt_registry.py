"""The TXT registry: reads and writes who owns a record.

```
"heritage=external-dns,external-dns/owner=me,external-dns/resource=service/default/web"
v0.7.4    app.example.com TXT
v0.12.0   app.example.com TXT, cname-app.example.com TXT
v0.18.0   cname-app.example.com TXT, aaaa-app.example.com TXT
v0.22.0   a-app.example.com TXT, aaaa-app.example.com TXT
```

Source: external-dns, registry/txt/registry.go, registry/mapper/mapper.go, endpoint/labels.go.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

from testbed.dated_releases import Release
from testbed.external_dns.core.endpoint import OWNED_RECORD, OWNER, RESOURCE, Endpoint, is_name, too_long
from testbed.external_dns.core.facts import Fact
from testbed.external_dns.core.plan import FORCE_UPDATE, Changes
from testbed.external_dns.registry.txt_encryption import TxtCipher
from testbed.external_dns.registry.txt_names import TxtNames
from testbed.external_dns.registry.txt_options import TxtOptions

HERITAGE = "heritage=external-dns"
_LABEL = "external-dns/"
_NONCE = "txt-encryption-nonce"
_Key = tuple[str, str, str]


class Records(NamedTuple):
    """The records of a zone as the registry reads them.

    Attributes:
        labelled: all but the TXTs of a registry, with the labels of their TXTs.
        txts: name and set identifier of the TXTs of a registry.
        lacking: the TXTs that own records lack, where they are created apart (v0.12.2 to v0.13.5).
    """

    labelled: list[Endpoint]
    txts: Collection[tuple[str, str]]
    lacking: Sequence[Endpoint] = ()


@dataclass(frozen=True, slots=True)
class TxtRegistry:
    """Reads owners from TXT records, and writes TXT records for owners.

    Attributes:
        old_owner: of `--migrate-from-txt-owner`; its records are read as this owner's.
        managed: record types that get missing TXTs.
        cipher: reads encrypted TXTs, if there is a key; they are written encrypted if `encrypts` is set.
        typed_only: of `--txt-new-format-only`.
    """

    owner: str
    names: TxtNames
    release: Release
    old_owner: str = ""
    managed: tuple[str, ...] = ()
    cipher: TxtCipher | None = None
    encrypts: bool = False
    typed_only: bool = False

    @classmethod
    def of(cls, options: TxtOptions, release: Release) -> TxtRegistry:
        """Return the registry that the flags ask for."""
        names = TxtNames(options.txt_prefix, options.txt_suffix, options.txt_wildcard, release)
        cipher = TxtCipher(options.txt_key) if options.txt_key else None
        return cls(
            options.owner,
            names,
            release,
            options.migrate_from_owner,
            options.managed,
            cipher,
            options.encrypts_txt,
            options.writes_typed_only,
        )

    def records(self, endpoints: Iterable[Endpoint]) -> Records:
        """Return the records of a zone with the labels from their TXTs, and without the registry's TXTs."""
        labels: dict[_Key, Mapping[str, str]] = {}
        records: list[Endpoint] = []
        found = set()
        passes_over_empty = self.release.has(Fact.TXT_WITHOUT_TARGETS)
        for endpoint in endpoints:
            if endpoint.type != "TXT":
                records.append(endpoint)
                continue
            if not endpoint.targets and passes_over_empty:
                continue
            owner_labels = self._labels(endpoint)
            if owner_labels is None:
                records.append(endpoint)
                continue
            if self.old_owner and owner_labels.get(OWNER) == self.old_owner:
                owner_labels[OWNER] = self.owner
            name, kind = self.names.owned_by(endpoint.name)
            labels[name, kind, endpoint.set_identifier] = owner_labels
            found.add((endpoint.name, endpoint.set_identifier))
        labelled = [self._labelled(record, labels) for record in records]
        names = {name for name, _ in found}
        if names and self.release.has(Fact.MISSING_TXT_CREATED):
            return Records(
                labelled, found, [one for record in labelled for one in self._lacking(record, names)]
            )
        if names and self.release.has(Fact.MISSING_TXT_FORCES_UPDATE):
            labelled = [self._marked(record, names) for record in labelled]
        return Records(labelled, found)

    def _is_kept_up(self, record: Endpoint) -> bool:
        """True if the TXTs of a record are looked after: it is our own, and its type is planned."""
        return record.labels.get(OWNER) == self.owner and record.type in self.managed

    def _lacking(self, record: Endpoint, names: Collection[str]) -> list[Endpoint]:
        """Return the TXTs that a record lacks, if it has one of them."""
        if not self._is_kept_up(record):
            return []
        wanted = self._txts([record], quiet)
        lacking = [one for one in wanted if one.name not in names]
        return lacking if len(lacking) < len(wanted) else []

    def _marked(self, record: Endpoint, names: Collection[str]) -> Endpoint:
        """Mark a record that lacks a TXT, so that the plan writes both again."""
        if not self._is_kept_up(record):
            return record
        if all(name in names or self._is_refused(name) for name in self.txt_names(record)):
            return record
        return record.with_properties({**record.properties, FORCE_UPDATE: "true"})

    def _labelled(self, record: Endpoint, labels: Mapping[_Key, Mapping[str, str]]) -> Endpoint:
        name = self.names.replaced(record.name)
        for kind in self._told_types(record):
            owner_labels = labels.get((name, kind, record.set_identifier))
            if owner_labels is not None:
                return record.with_labels(
                    {**record.labels, **owner_labels} if record.labels else owner_labels
                )
        return record

    def _told_types(self, record: Endpoint) -> list[str]:
        """Return the types that the TXT of a record may tell, the one that counts first; "" for none."""
        if not self.release.has(Fact.TXT_TYPE_IN_LABELS):
            is_aaaa = record.type == "AAAA" and self.release.has(Fact.AAAA_TXT)
            return ["AAAA" if is_aaaa else ""]
        kinds = [record.type]
        if record.type == "A" and _is_alias(record):
            kinds = ["A", "CNAME"] if self.release.has(Fact.A_TXT_OF_ALIAS) else ["CNAME"]
        # The TXT without a type is older than AAAA records, and never about one.
        return kinds if record.type == "AAAA" else [*kinds, ""]

    def txt_names(self, record: Endpoint) -> list[str]:
        """Return the names of a record's TXTs."""
        has, kind = self.release.has, record.type
        if not has(Fact.TYPED_TXT):
            return [self.names.untyped(record.name)]
        # An alias of a source's CNAME is an A by now.
        if kind == "A" and not has(Fact.A_TXT_OF_ALIAS) and _is_alias(record):
            kind = "CNAME"
        typed = self.names.of(record.name, kind)
        if has(Fact.UNTYPED_TXT) and not self._is_typed_only(record):
            return [self.names.untyped(record.name), typed]
        return [typed]

    def owner_txts(
        self, record: Endpoint, resource: str, standing: Collection[tuple[str, str]]
    ) -> tuple[Endpoint, ...]:
        """Return the TXTs that make a record this owner's: those that stand, else those that it lacks.

        Without one that this release reads there are none: v0.12 and v0.13 with the type in the prefix.

        Args:
            record: as the provider reads it.
            resource: the object that it is to belong to, or "".
            standing: name and set identifier of every TXT of a registry.
        """
        labels = {OWNER: self.owner} | ({RESOURCE: resource} if resource else {})
        name, kinds = record.name, self._told_types(record)
        typed = [self.names.of(name, kind) if kind else self.names.untyped(name) for kind in kinds]
        written = self.txt_names(record)
        found = [one for one in dict.fromkeys([*typed, *written]) if (one, record.set_identifier) in standing]
        about = [(self.names.replaced(name), kind) for kind in kinds]
        if not any(self.names.owned_by(one) in about for one in found or written):
            return ()
        return tuple(
            # Readable in any case: a value that does not decrypt counts as plain text.
            Endpoint(one, "TXT", (f'"{serialized(labels)}"',), set_identifier=record.set_identifier)
            for one in found or written
        )

    def _is_typed_only(self, record: Endpoint) -> bool:
        has = self.release.has
        return (
            self.typed_only
            or (record.type == "AAAA" and has(Fact.AAAA_TXT))
            or (self.names.is_type_in_affix and has(Fact.NO_UNTYPED_TXT_WITH_TEMPLATE))
            or (self.encrypts and has(Fact.NO_UNTYPED_TXT_ENCRYPTED))
        )

    def obsolete(self, endpoints: Sequence[Endpoint]) -> str | None:
        """Return the warning about the first alias that has a TXT of an older release, `cname-` (v0.22)."""
        if not self.release.has(Fact.A_TXT_OF_ALIAS):
            return None
        txts = {one.name.lower(): one for one in endpoints if one.type == "TXT"}
        of = self.names.of
        for one in endpoints:
            if one.type != "A" or one.properties.get("alias") != "true":
                continue
            old = of(one.name, "CNAME")
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
            return parse(value, self.release)
        text, nonce = clear
        labels = parse(text, self.release)
        return None if labels is None else labels | {_NONCE: nonce}

    def applied(
        self, changes: Changes, txts: Collection[tuple[str, str]], refuse: Callable[[str], None]
    ) -> Changes:
        """Return the changes for the provider: new records claimed, records of others left out, TXTs added.

        Args:
            changes: of the plan.
            txts: name and set identifier of every TXT of a registry; v0.19 and later create no second one.
            refuse: logs the error about a TXT whose name would be too long.
        """
        create = list(self._claimed(changes.create))
        old = [one for one in changes.update_old if one.labels.get(OWNER) == self.owner]
        new = [_plain(one) for one in changes.update_new if one.labels.get(OWNER) == self.owner]
        delete = [one for one in changes.delete if one.labels.get(OWNER) == self.owner]
        txts_of_new = self._txts(create, refuse)
        if self.release.has(Fact.EXISTING_TXT_KEPT):
            # Before, a TXT that was left behind makes Route 53 refuse the batch at
            # every sync (docs/traps.md, 8).
            txts_of_new = [one for one in txts_of_new if (one.name, one.set_identifier) not in txts]
        return replace(
            changes,
            create=(*create, *txts_of_new),
            # A name that is too long is logged once, for the new TXT.
            update_old=(*old, *self._txts(old, quiet)),
            update_new=(*new, *self._txts(new, refuse)),
            delete=(*delete, *self._txts(delete, refuse)),
        )

    def _claimed(self, endpoints: Iterable[Endpoint]) -> Iterator[Endpoint]:
        """Yield the endpoints as our own; neighbours with one mapping of labels, A and AAAA, keep one."""
        before: Mapping[str, str] | None = None
        claimed: Mapping[str, str] = {}
        for one in endpoints:
            if one.labels is not before:
                before, claimed = one.labels, {**one.labels, OWNER: self.owner}
            yield one.with_labels(claimed)

    def is_made(self, endpoint: Endpoint) -> bool:
        """True if `applied` added this TXT."""
        return endpoint.type == "TXT" and (
            OWNED_RECORD in endpoint.labels or not self.release.has(Fact.TYPED_TXT)
        )

    def _is_refused(self, name: str) -> bool:
        return not is_name(name) and self.release.has(Fact.LONG_TXT_NAMES_SKIPPED)

    def _txts(self, endpoints: Iterable[Endpoint], refuse: Callable[[str], None]) -> list[Endpoint]:
        txts, has_label = [], self.release.has(Fact.TYPED_TXT)
        last_labels: Mapping[str, str] | None = None
        value: tuple[str, ...] = ()
        for endpoint in endpoints:
            # The provider sends a record and its TXTs in one batch, and finds them by this label.
            labels = {OWNED_RECORD: endpoint.name} if has_label else {}
            if endpoint.labels is not last_labels or self.encrypts:  # A and AAAA of a claim share them
                last_labels, value = endpoint.labels, (f'"{self._value(endpoint.labels)}"',)
            for name in self.txt_names(endpoint):
                if self._is_refused(name):
                    refuse(too_long(name))
                    continue
                txts.append(
                    Endpoint(name, "TXT", value, 0, endpoint.set_identifier, labels, endpoint.properties)
                )
        return txts

    def _value(self, labels: Mapping[str, str]) -> str:
        text = serialized({key: value for key, value in labels.items() if key != _NONCE})
        return self.cipher.encrypted(text, labels.get(_NONCE, "")) if self.cipher and self.encrypts else text


def quiet(_: str) -> None:
    """Log nothing: the names that are too long are logged where their TXTs are sent."""


def _is_alias(record: Endpoint) -> bool:
    return record.properties.get("alias") == "true"


def _plain(endpoint: Endpoint) -> Endpoint:
    if FORCE_UPDATE not in endpoint.properties:
        return endpoint
    return endpoint.with_properties(
        {name: value for name, value in endpoint.properties.items() if name != FORCE_UPDATE}
    )


def serialized(labels: Mapping[str, str]) -> str:
    """Return labels as a TXT carries them, without its quotes."""
    return ",".join([HERITAGE, *[f"{_LABEL}{key}={value}" for key, value in sorted(labels.items())]])


def parse(value: str, release: Release) -> dict[str, str] | None:
    """Return the labels of a TXT value, or None if ExternalDNS did not write it."""
    labels: dict[str, str] = {}
    has_heritage = False
    for pair in value.strip('"').split(","):
        key, equals, text = pair.partition("=")
        if not equals or ("=" in text and not release.has(Fact.EQUALS_SIGN_IN_LABEL)):
            continue
        if key == "heritage":
            if text != "external-dns":
                return None
            has_heritage = True
        elif key.startswith(_LABEL):
            labels[key.removeprefix(_LABEL)] = text
    return labels if has_heritage else None
