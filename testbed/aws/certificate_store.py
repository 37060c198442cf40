"""The certificates of a run, issued by two authorities that the run creates.

Envoy's own certificate comes from a public authority, ACM's come from Amazon. Clients trust both, as devices
do. A client that pins the first authority fails at the ALB, which is one of the traps of such a move. Keys
never leave the run's folder and have mode 0600.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import trustme
from cryptography import x509

from testbed.faults.spoilt_certificates import Spoilt

_A_DAY = timedelta(days=1)
_ANOTHER_NAME = "another-name.invalid"


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
        return self._written("target", *_issue(self._public, names))

    def _written(self, name: str, chain: bytes, key: bytes) -> tuple[Path, Path]:
        chain_file, key_file = self._folder / f"{name}.pem", self._folder / f"{name}.key"
        chain_file.write_bytes(chain)
        # touch() keeps the mode of a file that exists, so an old one must go first.
        key_file.unlink(missing_ok=True)
        key_file.touch(mode=0o600)
        key_file.write_bytes(key)
        return chain_file, key_file

    def spoilt_target_certificate(self, how: Spoilt, *names: str) -> tuple[Path, Path]:
        """Issue a certificate of the targets that no client takes.

        Returns:
            The files of its chain and its key, PEM.
        """
        return self._written("spoilt-target", *_spoilt(self._public, how, names))

    def spoilt(self, arn: str, how: Spoilt) -> tuple[bytes, bytes]:
        """Issue a certificate like an ACM one, but spoilt, and return chain and key, PEM.

        Raises:
            KeyError: there is no such certificate.
        """
        own = x509.load_pem_x509_certificate(self.get(arn)[0])
        names = own.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        return _spoilt(self._amazon, how, names.get_values_for_type(x509.DNSName))

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


def _spoilt(authority: trustme.CA, how: Spoilt, names: Sequence[str]) -> tuple[bytes, bytes]:
    if how is Spoilt.EXPIRED:
        return _issue(authority, names, datetime.now(UTC) - _A_DAY)
    return _issue(authority, [_ANOTHER_NAME])


def serial(chain: bytes) -> str:
    """Return the serial number of a certificate (PEM) as Envoy shows it."""
    return f"{x509.load_pem_x509_certificate(chain).serial_number:x}"


def _issue(authority: trustme.CA, names: Sequence[str], ends: datetime | None = None) -> tuple[bytes, bytes]:
    issued = authority.issue_cert(*names, not_after=ends)
    return b"".join(blob.bytes() for blob in issued.cert_chain_pems), issued.private_key_pem.bytes()
