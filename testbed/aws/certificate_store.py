"""The certificates of a run, issued by two authorities that the run creates.

Envoy's own certificate comes from a public authority, ACM's come from Amazon. Clients trust both, as devices
do. A client that pins the first authority fails at the ALB, which is one of the traps of such a move. Keys
never leave the run's folder and have mode 0600.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import trustme


class CertificateStore:
    """The authorities and certificates of a run, in a folder of their own."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        folder.mkdir(mode=0o700, exist_ok=True)
        self._public = trustme.CA(organization_name="Testbed Public CA")
        self._amazon = trustme.CA(organization_name="Testbed Amazon CA")
        self._acm: dict[str, tuple[bytes, bytes]] = {}
        self.bundle = folder / "ca.pem"
        self.bundle.write_bytes(self._public.cert_pem.bytes() + self._amazon.cert_pem.bytes())

    def target_certificate(self, *names: str) -> tuple[Path, Path]:
        """Issue the certificate of the targets' TLS listener by the public authority.

        Returns:
            The files of its chain and its key, PEM.
        """
        chain, key = _issue(self._public, names)
        chain_file, key_file = self._folder / "target.pem", self._folder / "target.key"
        chain_file.write_bytes(chain)
        # touch() keeps the mode of a file that exists, so an old one must go first.
        key_file.unlink(missing_ok=True)
        key_file.touch(mode=0o600)
        key_file.write_bytes(key)
        return chain_file, key_file

    def issue(self, arn: str, names: Sequence[str]) -> None:
        """Issue a certificate for these names under an ACM ARN."""
        self._acm[arn] = _issue(self._amazon, names)

    def put(self, arn: str, chain: bytes, key: bytes) -> None:
        """Store an imported certificate; chain and key are PEM."""
        self._acm[arn] = (chain, key)

    def drop(self, arn: str) -> None:
        """Forget a deleted certificate."""
        self._acm.pop(arn, None)

    def has(self, arn: str) -> bool:
        """Return True if there is a certificate of this ARN."""
        return arn in self._acm

    def get(self, arn: str) -> tuple[bytes, bytes]:
        """Return chain and key of an ACM certificate, PEM.

        Raises:
            KeyError: there is no such certificate.
        """
        return self._acm[arn]


def _issue(authority: trustme.CA, names: Sequence[str]) -> tuple[bytes, bytes]:
    issued = authority.issue_cert(*names)
    return b"".join(blob.bytes() for blob in issued.cert_chain_pems), issued.private_key_pem.bytes()
