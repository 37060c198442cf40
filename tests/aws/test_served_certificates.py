"""What the balancers serve while a fault spoils it, and afterwards."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest
from cryptography import x509

from testbed.aws.certificate_store import CertificateStore, serial
from testbed.aws.served_certificates import ServedCertificates
from testbed.faults.spoilt_certificates import Spoilt

ARN = "arn:aws:acm:ap-northeast-1:123456789012:certificate/1"
NAMES = ["api.example.com", "*.example.com"]


@pytest.fixture
def store(tmp_path: Path) -> CertificateStore:
    made = CertificateStore(tmp_path / "tls")
    made.issue(ARN, NAMES)
    return made


def names(certificate: x509.Certificate) -> list[str]:
    extension = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName)
    return extension.value.get_values_for_type(x509.DNSName)


@pytest.mark.parametrize("how", Spoilt)
def test_a_spoilt_certificate_is_like_its_own_but_for_what_is_wrong(
    store: CertificateStore, how: Spoilt
) -> None:
    served = ServedCertificates(store)
    with served.spoiling(how):
        chain, _ = served.get(ARN)
        shown = x509.load_pem_x509_certificate(chain)
        assert serial(chain) in served.spoilt
        assert (shown.not_valid_after_utc < datetime.now(UTC)) == (how is Spoilt.EXPIRED)
        assert (names(shown) == NAMES) == (how is Spoilt.EXPIRED)
        assert store.get(ARN)[0] != chain  # ACM itself still has its own
    assert served.get(ARN) == store.get(ARN)


def test_a_certificate_that_is_not_there_stays_so(store: CertificateStore) -> None:
    served = ServedCertificates(store)
    with pytest.raises(KeyError), served.spoiling(Spoilt.EXPIRED):
        served.get(ARN + "0")
