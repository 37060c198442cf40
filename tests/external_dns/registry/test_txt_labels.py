"""The TXT records of a zone tell an operator whose a name is, as the version reads them."""

from __future__ import annotations

import base64
from typing import Any

import pytest

from testbed.external_dns.core.facts import release_of
from testbed.external_dns.process.flags import parse
from testbed.external_dns.registry.txt_encryption import TxtCipher
from testbed.external_dns.registry.txt_labels import labels_in, labels_of

VALUE = "heritage=external-dns,external-dns/owner=me,external-dns/resource=service/default/web"
KEY = "k" * 32


def txt(name: str, value: str = VALUE) -> dict[str, Any]:
    return {"Name": f"{name}.", "Type": "TXT", "TTL": 300, "ResourceRecords": [{"Value": f'"{value}"'}]}


@pytest.mark.parametrize(
    ("version", "name", "kind"), [("v0.7.4", "app.test", ""), ("v0.22", "a-app.test", "A")]
)
def test_a_version_finds_the_txt_where_it_would_write_it(version: str, name: str, kind: str) -> None:
    chosen = release_of(version)
    options = parse(["--source=service", "--policy=sync"], chosen, {})
    other = {"Name": "app.test.", "Type": "A", "TTL": 60, "ResourceRecords": [{"Value": "192.0.2.1"}]}
    records = [txt(name), txt("a-api.test"), txt("note.test", "v=spf1 -all"), other]
    [label] = labels_of("app.test", records, options, chosen)
    assert (label.name, label.type) == (name, kind)
    assert label.labels == {"owner": "me", "resource": "service/default/web"}


def test_an_encrypted_txt_is_read_with_its_key_only() -> None:
    chosen = release_of("v0.22")
    sealed = txt("a-app.test", TxtCipher(KEY.encode()).encrypted(VALUE))
    with_key, with_another, without = (
        parse(["--source=service", "--policy=sync", *more], chosen, {})
        for more in (
            [f"--txt-encrypt-aes-key={KEY}"],
            [f"--txt-encrypt-aes-key={base64.b64encode(b'x' * 32).decode()}"],
            [],
        )
    )
    assert labels_in(sealed, with_key, chosen) == {"owner": "me", "resource": "service/default/web"}
    assert labels_in(sealed, with_another, chosen) is None
    assert labels_in(sealed, without, chosen) is None
