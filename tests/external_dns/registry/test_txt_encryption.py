"""Encrypted TXT values are read back, and written again exactly as they were."""

from __future__ import annotations

import base64
import gzip

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from hypothesis import given
from hypothesis import strategies as st

from testbed.external_dns.registry.txt_encryption import TxtCipher, key_of

KEY = b"k" * 32


@given(st.text(max_size=300))
def test_what_is_encrypted_decrypts(text: str) -> None:
    value = TxtCipher(KEY).encrypted(text)
    assert (TxtCipher(KEY).decrypted(value) or ("",))[0] == text


def test_a_value_that_another_gzip_packed_is_written_as_it_was() -> None:
    """Route 53 deletes a TXT by its exact value, so packing it anew could leave it there for ever."""
    nonce = b"n" * 12
    packed = gzip.compress(b"heritage=external-dns" * 9, compresslevel=1, mtime=7)
    value = base64.b64encode(nonce + AESGCM(KEY).encrypt(nonce, packed, None)).decode()
    cipher = TxtCipher(KEY)
    found = cipher.decrypted(value)
    assert found is not None
    assert cipher.encrypted(*found) == value


@pytest.mark.parametrize(
    "value",
    ["", "heritage=external-dns", "aGVyaXRhZ2U=", TxtCipher(b"x" * 32).encrypted("a")],
    ids=["nothing", "plain", "base64", "other key"],  # the last is another one in each process
)
def test_what_is_not_encrypted_with_the_key_does_not_decrypt(value: str) -> None:
    assert TxtCipher(KEY).decrypted(value) is None


def test_a_key_is_32_bytes_or_their_base64() -> None:
    assert key_of("k" * 32) == key_of(base64.b64encode(KEY).decode()) == KEY
    for text in ("short", "!" * 44, base64.b64encode(b"short").decode()):
        with pytest.raises(ValueError, match="32 bytes long"):
            key_of(text)
