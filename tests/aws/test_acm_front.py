from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import trustme
from cryptography import x509

from testbed import journal
from testbed.aws.acm_front import AcmFront
from testbed.aws.api_calls import Call
from testbed.aws.certificate_store import CertificateStore
from testbed.aws.upstream import Upstream
from testbed.clock import Clock
from tests.aws.conftest import Account


def detail(account: Account, arn: str) -> dict[str, Any]:
    return dict(account.clients.acm.describe_certificate(CertificateArn=arn)["Certificate"])


def listed(account: Account, *statuses: Any) -> list[str]:
    answer = account.clients.acm.list_certificates(CertificateStatuses=list(statuses))
    return [one["CertificateArn"] for one in answer["CertificateSummaryList"]]


def test_a_requested_certificate_is_pending_until_its_records_stand_and_then_issued_and_served(
    account: Account,
) -> None:
    acm = account.clients.acm
    arn = acm.request_certificate(
        DomainName="api.example.com", SubjectAlternativeNames=["*.example.com"], ValidationMethod="DNS"
    )["CertificateArn"]
    pending = detail(account, arn)
    assert pending["Status"] == "PENDING_VALIDATION"
    assert "NotAfter" not in pending
    options = pending["DomainValidationOptions"]
    assert [one["DomainName"] for one in options] == ["api.example.com", "*.example.com"]
    assert {one["ValidationStatus"] for one in options} == {"PENDING_VALIDATION"}
    assert arn in listed(account, "PENDING_VALIDATION")
    assert arn not in listed(account, "ISSUED")
    with pytest.raises(acm.exceptions.RequestInProgressException):
        acm.get_certificate(CertificateArn=arn)
    account.validate(arn)
    assert arn in listed(account, "ISSUED")
    assert {one["ValidationStatus"] for one in detail(account, arn)["DomainValidationOptions"]} == {"SUCCESS"}
    chain, _ = account.certificates.get(arn)
    extension = x509.load_pem_x509_certificate(chain).extensions.get_extension_for_class(
        x509.SubjectAlternativeName
    )
    assert extension.value.get_values_for_type(x509.DNSName) == ["api.example.com", "*.example.com"]
    assert acm.get_certificate(CertificateArn=arn)["Certificate"].encode() == chain


def test_the_missing_record_of_each_name_is_named_once_in_the_journal(account: Account) -> None:
    arn = account.clients.acm.request_certificate(DomainName="warned.example.com", ValidationMethod="DNS")[
        "CertificateArn"
    ]
    record = detail(account, arn)["DomainValidationOptions"][0]["ResourceRecord"]
    warned = [one.message for one in account.events(journal.Log) if one.line == arn]
    assert warned == [
        f"the certificate of warned.example.com waits for {record['Name']} CNAME {record['Value']}"
    ]


def test_a_certificate_that_is_not_validated_by_dns_stays_pending_and_the_journal_says_why(
    account: Account,
) -> None:
    arn = account.clients.acm.request_certificate(DomainName="mail.example.com")["CertificateArn"]
    assert detail(account, arn)["Status"] == "PENDING_VALIDATION"
    (warned,) = [one.message for one in account.events(journal.Log) if one.line == arn]
    assert "EMAIL validation, which nobody does here: ask for DNS validation" in warned


def test_a_second_certificate_of_a_name_has_the_record_that_stands(account: Account) -> None:
    account.certificate("twice.example.com")
    again = account.clients.acm.request_certificate(DomainName="twice.example.com", ValidationMethod="DNS")
    assert not [one for one in account.events(journal.Log) if one.line == again["CertificateArn"]]


def test_the_same_idempotency_token_asks_for_the_same_certificate(account: Account) -> None:
    arns = [
        account.clients.acm.request_certificate(DomainName="once.example.com", IdempotencyToken="once")
        for _ in range(2)
    ]
    assert arns[0]["CertificateArn"] == arns[1]["CertificateArn"]


def test_pages_of_certificates_hold_each_once(account: Account) -> None:
    made = {
        account.clients.acm.request_certificate(DomainName=f"page{n}.example.com")["CertificateArn"]
        for n in range(3)
    }
    pages = account.clients.acm.get_paginator("list_certificates").paginate(PaginationConfig={"PageSize": 1})
    found = [one["CertificateArn"] for page in pages for one in page["CertificateSummaryList"]]
    assert made <= set(found)
    assert len(found) == len(set(found))


def test_a_certificate_in_use_is_not_deleted(account: Account) -> None:
    balancer = account.balancer()["LoadBalancerArn"]
    arn = account.certificate("used.example.com")
    listener = account.listener(balancer, "HTTP", 80)
    secured: Any = {"Protocol": "HTTPS", "Port": 443, "Certificates": [{"CertificateArn": arn}]}
    account.clients.elbv2.modify_listener(ListenerArn=listener, **secured)
    assert detail(account, arn)["InUseBy"] == [balancer]
    with pytest.raises(account.clients.acm.exceptions.ResourceInUseException):
        account.clients.acm.delete_certificate(CertificateArn=arn)
    account.clients.elbv2.delete_listener(ListenerArn=listener)
    account.clients.acm.delete_certificate(CertificateArn=arn)


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


@pytest.mark.parametrize("body", [b"{", b"[]", b"\xff"])
async def test_a_body_that_is_no_json_object_is_refused_before_the_backend(
    body: bytes, tmp_path: Path
) -> None:
    upstream = Upstream("http://127.0.0.1:1")

    async def nothing(*_: str) -> Any:
        return ()

    with journal.Journal(tmp_path / "journal") as written:
        store = CertificateStore(tmp_path / "tls")
        front = AcmFront(upstream, store, Clock(60), written, nothing, nothing)
        answer, summary = await front.answer(Call("acm", "RequestCertificate", "", "", "POST", "/", {}, body))
    await upstream.close()
    assert (answer.status, summary) == (400, "")
    assert b"SerializationException" in answer.body
