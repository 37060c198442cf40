"""The certificates that the balancers serve: those of ACM, or spoilt ones while a fault lasts."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from testbed.aws.certificate_store import CertificateStore, serial
from testbed.faults.spoilt_certificates import Spoilt


class ServedCertificates:
    """Gives the balancers their certificates.

    Attributes:
        spoilt: the serial numbers of the spoilt ones that they got.
    """

    def __init__(self, store: CertificateStore) -> None:
        self._store = store
        self._how: Spoilt | None = None
        self.spoilt: set[str] = set()

    def get(self, arn: str) -> tuple[bytes, bytes]:
        """Return chain and key of an ACM certificate, PEM.

        Raises:
            KeyError: there is no such certificate.
        """
        if self._how is None:
            return self._store.get(arn)
        pair = self._store.spoilt(arn, self._how)
        self.spoilt.add(serial(pair[0]))
        return pair

    @contextmanager
    def spoiling(self, how: Spoilt) -> Iterator[None]:
        """Give spoilt certificates while the block lasts."""
        self._how = how
        try:
            yield
        finally:
            self._how = None
