"""The certificates of targets or balancers have expired."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from testbed.faults.injected_fault import registered
from testbed.faults.spoilt_certificates import Spoilt, SpoiltCertificates


@registered
@dataclass(frozen=True, slots=True)
class CertificateExpired(SpoiltCertificates):
    """The certificates of targets or balancers have expired."""

    name: ClassVar[str] = "certificate-expired"
    numbers: ClassVar[tuple[int, ...]] = (29,)
    how: ClassVar[Spoilt] = Spoilt.EXPIRED
