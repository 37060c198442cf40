from __future__ import annotations

import stat
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from testbed.aws.certificate_store import CertificateStore

ARN = "arn:aws:acm:ap-northeast-1:123456789012:certificate/1"


@pytest.fixture
def store(tmp_path: Path) -> CertificateStore:
    return CertificateStore(tmp_path / "tls")


def names(certificate: x509.Certificate) -> list[str]:
    extension = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName)
    return extension.value.get_values_for_type(x509.DNSName)


def authority(certificate: x509.Certificate, store: CertificateStore) -> str:
    for candidate in x509.load_pem_x509_certificates(store.bundle.read_bytes()):
        if candidate.subject == certificate.issuer:
            certificate.verify_directly_issued_by(candidate)
            return candidate.subject.rfc4514_string()
    raise AssertionError("issued by nobody whom clients trust")


def test_clients_trust_the_authorities_of_acm_and_of_the_targets(
    store: CertificateStore,
) -> None:
    chain_file, _ = store.target_certificate("api.example.com")
    store.issue(ARN, ["api.example.com"])
    target = x509.load_pem_x509_certificate(chain_file.read_bytes())
    issued = x509.load_pem_x509_certificate(store.get(ARN)[0])
    assert authority(target, store) != authority(issued, store)


def test_a_certificate_names_what_was_asked_for_and_fits_its_key(store: CertificateStore) -> None:
    store.issue(ARN, ["api.example.com", "*.example.com"])
    chain, key_text = store.get(ARN)
    certificate, key = x509.load_pem_x509_certificate(chain), load_pem_private_key(key_text, None)
    assert names(certificate) == ["api.example.com", "*.example.com"]
    assert isinstance(key, ec.EllipticCurvePrivateKey)
    assert certificate.public_key() == key.public_key()


def test_keys_are_readable_by_their_owner_only(store: CertificateStore) -> None:
    _, key_file = store.target_certificate("api.example.com")
    assert stat.S_IMODE(key_file.stat().st_mode) == 0o600
    assert stat.S_IMODE(key_file.parent.stat().st_mode) == 0o700


def test_an_older_key_file_does_not_lend_its_mode(store: CertificateStore) -> None:
    _, key_file = store.target_certificate("api.example.com")
    key_file.chmod(0o644)
    _, key_file = store.target_certificate("api.example.com")
    assert stat.S_IMODE(key_file.stat().st_mode) == 0o600


def test_a_deleted_certificate_is_gone(store: CertificateStore) -> None:
    store.issue(ARN, ["api.example.com"])
    store.drop(ARN)
    with pytest.raises(KeyError):
        store.get(ARN)
