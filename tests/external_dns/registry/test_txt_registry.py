"""Ownership is written beside each record, read back, and kept apart from that of others."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from testbed.dated_releases import Release
from testbed.external_dns.core.endpoint import OWNER, RESOURCE, Endpoint
from testbed.external_dns.core.facts import Fact, release_of
from testbed.external_dns.core.plan import FORCE_UPDATE, Changes
from testbed.external_dns.registry.txt_encryption import TxtCipher
from testbed.external_dns.registry.txt_names import TxtNames
from testbed.external_dns.registry.txt_registry import TxtRegistry
from tests.external_dns.releases import READ

RECORD = Endpoint("app.example.com", "A", ("192.0.2.1",), labels={RESOURCE: "service/default/web"})
NEW = release_of("v0.22")
versions = st.sampled_from([release_of(name) for name in READ])


def _registry(version: Release, owner: str = "me", prefix: str = "", **more: object) -> TxtRegistry:
    names = TxtNames(prefix, "", "", version)
    return TxtRegistry(owner, names, version, managed=("A",), **more)  # type: ignore[arg-type]


def _made(registry: TxtRegistry, record: Endpoint = RECORD) -> tuple[Endpoint, ...]:
    return registry.applied(Changes(create=(record,)), (), pytest.fail).create


@given(versions, st.sampled_from(["", "txt-", "_owner."]), st.booleans())
def test_what_is_written_is_read_back(version: Release, prefix: str, encrypts: bool) -> None:
    registry = _registry(
        version, prefix=prefix, cipher=TxtCipher(b"k" * 32), encrypts=encrypts and version.has(Fact.TYPED_TXT)
    )
    zone = [one._replace(labels={}) for one in _made(registry)]
    (found,) = registry.records(zone).labelled
    assert (found.labels[OWNER], found.resource) == ("me", "service/default/web")
    assert FORCE_UPDATE not in found.properties
    deleted = registry.applied(Changes(delete=(found,)), (), pytest.fail).delete
    assert [(one.name, one.targets) for one in deleted] == [(one.name, one.targets) for one in zone]


@given(versions)
def test_a_record_of_another_owner_is_neither_changed_nor_deleted(version: Release) -> None:
    (theirs,) = _registry(version, "me").records(_made(_registry(version, "other"))).labelled
    moved = theirs._replace(targets=("192.0.2.2",))
    changes = Changes(update_old=(theirs,), update_new=(moved,), delete=(theirs,))
    sent = _registry(version, "me").applied(changes, (), pytest.fail)
    assert (sent.update_old, sent.update_new, sent.delete) == ((), (), ())


def test_a_txt_that_exists_is_not_made_again_since_v0_19_and_blocks_before() -> None:
    for version, count in (("v0.22", 1), ("v0.7.4", 2)):
        registry = _registry(release_of(version))
        txt = registry.names.of(RECORD.name, RECORD.type)
        sent = registry.applied(Changes(create=(RECORD,)), {(txt, "")}, pytest.fail)
        assert len(sent.create) == count


def test_a_record_whose_txt_name_would_be_too_long_is_made_without_one_and_told() -> None:
    name = "x" * 62 + ".example.com"
    told: list[str] = []
    sent = _registry(NEW).applied(Changes(create=(RECORD._replace(name=name),)), (), told.append)
    assert [one.type for one in sent.create] == ["A"]
    assert told == [f"label a-{'x' * 62} in a-{name} is longer than 63 characters. Cannot create endpoint"]


def test_only_an_own_record_is_written_again_for_its_missing_txt() -> None:
    old = [
        one._replace(name="app.example.com", labels={}) if one.type == "TXT" else one
        for one in _made(_registry(NEW))
    ]
    (mine,) = _registry(NEW, "me").records(old).labelled
    (theirs,) = _registry(NEW, "you").records(old).labelled
    assert mine.properties == {FORCE_UPDATE: "true"}
    assert theirs.properties == {}
