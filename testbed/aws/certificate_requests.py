"""Certificates that were requested of ACM: pending until their validation records stand (pure).

Each domain has one record, the same for all certificates of the account; a wildcard shares that of its domain
[ACM guide, "DNS validation"]. A certificate is issued some time after all of its records stand.
"""

from __future__ import annotations

import hashlib
import string
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from testbed.settings import PRODUCTION

DNS = "DNS"
PENDING, ISSUED = "PENDING_VALIDATION", "ISSUED"

_PENDING_HAS_NOT = ("Serial", "NotBefore", "NotAfter", "IssuedAt")
_VALUE_ZONE_LETTERS = 10


@dataclass(frozen=True, slots=True)
class ValidationRecord:
    """The CNAME by which a domain shows that it is the account's, as ACM names it: with last dots."""

    name: str
    value: str


@dataclass(slots=True)
class CertificateRequest:
    """A requested certificate.

    Attributes:
        names: its domain first, then the further names, each once.
        method: `DNS`, `EMAIL` or `HTTP`.
        stood: production time since which all records stand; None while one is missing.
        issued_at: wall time of its issue, seconds since the epoch; None while it is pending.
    """

    names: Sequence[str]
    method: str
    stood: float | None = None
    issued_at: float | None = None

    @property
    def status(self) -> str:
        """Its status."""
        return PENDING if self.issued_at is None else ISSUED

    @property
    def records(self) -> list[ValidationRecord]:
        """The records that must stand, each once; none if it is not validated by DNS."""
        return list(dict.fromkeys(map(validation_record, self.names))) if self.method == DNS else []

    def look(self, *, all_stand: bool, now: float) -> bool:
        """Note whether all records stand; return True once it is to be issued.

        Args:
            all_stand: True if all records stand; of no account without DNS validation.
            now: production time.
        """
        if self.method != DNS or not all_stand:
            self.stood = None
            return False
        if self.stood is None:
            self.stood = now
        return now - self.stood >= PRODUCTION.certificate_validation

    def detail(self, described: dict[str, Any], users: Sequence[str]) -> dict[str, Any]:
        """Return the CertificateDetail of AWS from that of the backend."""
        is_pending = self.issued_at is None
        kept = {
            key: value for key, value in described.items() if not (is_pending and key in _PENDING_HAS_NOT)
        }
        options = [
            {
                "DomainName": name,
                "ValidationDomain": name,
                "ValidationStatus": "PENDING_VALIDATION" if is_pending else "SUCCESS",
                "ValidationMethod": self.method,
                **self._resource_record(name),
            }
            for name in self.names
        ]
        issued = {} if is_pending else {"IssuedAt": self.issued_at}
        return {
            **kept,
            "Status": self.status,
            "InUseBy": list(users),
            "DomainValidationOptions": options,
            **issued,
        }

    def _resource_record(self, name: str) -> dict[str, Any]:
        if self.method != DNS:
            return {}
        record = validation_record(name)
        return {"ResourceRecord": {"Name": record.name, "Type": "CNAME", "Value": record.value}}


def validation_record(name: str) -> ValidationRecord:
    """Return the validation record of a domain; it depends on the domain alone."""
    domain = name.removeprefix("*.").rstrip(".").lower()
    digest = hashlib.sha256(domain.encode()).hexdigest()
    zone = "".join(string.ascii_lowercase[int(digest[64 - n - 1], 16)] for n in range(_VALUE_ZONE_LETTERS))
    return ValidationRecord(f"_{digest[:32]}.{domain}.", f"_{digest[16:48]}.{zone}.acm-validations.aws.")
