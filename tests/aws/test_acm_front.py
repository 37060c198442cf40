from __future__ import annotations

import pytest
import trustme
from cryptography import x509

from testbed import journal
from tests.aws.conftest import Account


def test_a_requested_certificate_is_issued_at_once_and_served(account: Account) -> None:
    acm = account.clients.acm
    arn = acm.request_certificate(
        DomainName="api.example.com", SubjectAlternativeNames=["*.example.com"], ValidationMethod="DNS"
    )["CertificateArn"]
    assert acm.describe_certificate(CertificateArn=arn)["Certificate"]["Status"] == "ISSUED"
    issued = [
        one["CertificateArn"]
        for one in acm.list_certificates(CertificateStatuses=["ISSUED"])["CertificateSummaryList"]
    ]
    assert arn in issued
    chain, _ = account.certificates.get(arn)
    extension = x509.load_pem_x509_certificate(chain).extensions.get_extension_for_class(
        x509.SubjectAlternativeName
    )
    assert extension.value.get_values_for_type(x509.DNSName) == ["api.example.com", "*.example.com"]
    assert acm.get_certificate(CertificateArn=arn)["Certificate"].encode() == chain


def test_an_imported_certificate_is_served_and_may_be_rotated(account: Account) -> None:
    authority, acm = trustme.CA(), account.clients.acm
    first, second = (authority.issue_cert("own.example.com", key_type=trustme.KeyType.RSA) for _ in range(2))

    def parts(issued: trustme.LeafCert) -> dict[str, bytes]:
        return {
            "Certificate": issued.cert_chain_pems[0].bytes(),
            "PrivateKey": issued.private_key_pem.bytes(),
            "CertificateChain": authority.cert_pem.bytes(),
        }

    arn = acm.import_certificate(**parts(first))["CertificateArn"]
    before = account.changes.revision("acm")
    assert acm.import_certificate(CertificateArn=arn, **parts(second))["CertificateArn"] == arn
    chain, key = account.certificates.get(arn)
    assert chain == second.cert_chain_pems[0].bytes() + authority.cert_pem.bytes()
    assert key == second.private_key_pem.bytes()
    assert account.changes.revision("acm") == before + 1


def test_a_deleted_certificate_is_no_longer_served(account: Account) -> None:
    arn = account.clients.acm.request_certificate(DomainName="gone.example.com")["CertificateArn"]
    account.clients.acm.delete_certificate(CertificateArn=arn)
    with pytest.raises(KeyError):
        account.certificates.get(arn)
    with pytest.raises(account.clients.acm.exceptions.ResourceNotFoundException):
        account.clients.acm.delete_certificate(CertificateArn=arn)
    last = [one for one in account.events(journal.ApiCall) if one.service == "acm"][-1]
    assert (last.operation, last.status) == ("DeleteCertificate", 400)
    assert last.summary
