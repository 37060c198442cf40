"""TXT values encrypted with AES-GCM (v0.13.5 and later): base64 of nonce, gzipped text and tag.

Source: external-dns, endpoint/crypto.go, endpoint/labels.go. A value that does not decrypt counts as plain
text, so a zone may hold both.
"""

from __future__ import annotations

import base64
import binascii
import gzip
import os
import zlib
from dataclasses import dataclass, field

KEY_BYTES = 32
_NONCE_BYTES = 12


@dataclass(frozen=True, slots=True)
class TxtCipher:
    """Encrypts and decrypts the values of one registry.

    It remembers what it decrypted: Route 53 deletes a TXT only by its exact value, and another gzip than the
    one that wrote the value may compress the same text differently.
    """

    key: bytes
    _seen: dict[tuple[str, str], str] = field(default_factory=dict)

    def decrypted(self, value: str) -> tuple[str, str] | None:
        """Return text and nonce of a value without its quotes; None if it is not encrypted with this key."""
        from cryptography.exceptions import InvalidTag
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM

        try:
            data = base64.b64decode(value, validate=True)
            nonce, sealed = data[:_NONCE_BYTES], data[_NONCE_BYTES:]
            text = gzip.decompress(AESGCM(self.key).decrypt(nonce, sealed, None)).decode()
        except (binascii.Error, ValueError, InvalidTag, OSError, EOFError, zlib.error):
            return None
        encoded = base64.b64encode(nonce).decode()
        self._seen[text, encoded] = value
        return text, encoded

    def encrypted(self, text: str, nonce: str = "") -> str:
        """Return the value of a text, with the nonce with which it was read, or a new one."""
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM

        if (text, nonce) in self._seen:
            return self._seen[text, nonce]
        number = base64.b64decode(nonce) if nonce else os.urandom(_NONCE_BYTES)
        # mtime=0: Go's gzip writes no time either, and the same text keeps the same value.
        sealed = AESGCM(self.key).encrypt(number, gzip.compress(text.encode(), mtime=0), None)
        return base64.b64encode(number + sealed).decode()


def key_of(text: str) -> bytes:
    """Return the key of `--txt-encrypt-aes-key`: 32 bytes, as they are or in base64.

    Raises:
        ValueError: the text is neither.
    """
    key = text.encode()
    if len(key) != KEY_BYTES:
        try:
            key = base64.b64decode(key, validate=True)
        except binascii.Error:
            key = b""
    if len(key) != KEY_BYTES:
        raise ValueError(
            "the AES Encryption key must be 32 bytes long, in either plain text or base64-encoded format"
        )
    return key
