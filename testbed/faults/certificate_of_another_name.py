"""The certificates of targets or balancers are of another name."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from testbed.faults.injected_fault import registered
from testbed.faults.spoilt_certificates import Spoilt, SpoiltCertificates


@registered
@dataclass(frozen=True, slots=True)
class CertificateOfAnotherName(SpoiltCertificates):
    """The certificates of targets or balancers are of another name."""

    name: ClassVar[str] = "certificate-of-another-name"
    numbers: ClassVar[tuple[int, ...]] = (12, 29)
    how: ClassVar[Spoilt] = Spoilt.ANOTHER_NAME
