from __future__ import annotations

import pytest
from cryptography import x509

from testbed.aws import standing_certificates
from tests.aws.conftest import Account

USERS = "arn:aws:acm:eu-west-1:111122223333:certificate/00000000-0000-0000-0000-000000000001"
OF_IAM = "arn:aws:iam::111122223333:server-certificate/edge"


def listeners(account: Account, arn: str) -> list[str]:
    balancer = account.balancer()
    made = account.clients.elbv2.create_listener(
        LoadBalancerArn=balancer["LoadBalancerArn"],
        Protocol="HTTPS",
        Port=443,
        Certificates=[{"CertificateArn": arn}],
        DefaultActions=[{"Type": "fixed-response", "FixedResponseConfig": {"StatusCode": "404"}}],
    )
    return [one["CertificateArn"] for one in made["Listeners"][0]["Certificates"]]


def test_a_certificate_of_the_users_account_is_listed_described_and_served_under_its_own_arn(
    account: Account,
) -> None:
    acm = account.clients.acm
    with pytest.raises(account.clients.elbv2.exceptions.CertificateNotFoundException):
        listeners(account, USERS)
    standing_certificates.stand_in(
        {USERS: ["api.example.com", "*.example.com"]}, account.certificates, account.behind.acm
    )
    listed = acm.list_certificates(CertificateStatuses=["ISSUED"])["CertificateSummaryList"]
    assert (USERS, "api.example.com") in [(one["CertificateArn"], one["DomainName"]) for one in listed]
    described = acm.describe_certificate(CertificateArn=USERS)["Certificate"]
    assert described["SubjectAlternativeNames"] == ["api.example.com", "*.example.com"]
    assert listeners(account, USERS) == [USERS]
    served = x509.load_pem_x509_certificate(account.certificates.get(USERS)[0])
    extension = served.extensions.get_extension_for_class(x509.SubjectAlternativeName)
    assert extension.value.get_values_for_type(x509.DNSName) == ["api.example.com", "*.example.com"]


def test_a_certificate_of_iam_is_served_and_not_listed_by_acm(account: Account) -> None:
    standing_certificates.stand_in({OF_IAM: ["api.example.com"]}, account.certificates, account.behind.acm)
    assert listeners(account, OF_IAM) == [OF_IAM]
    assert account.certificates.has(OF_IAM)
    listed = account.clients.acm.list_certificates()["CertificateSummaryList"]
    assert OF_IAM not in [one["CertificateArn"] for one in listed]


def test_nobody_else_imports_under_an_arn_that_the_account_lacks(account: Account) -> None:
    account.certificates.issue("x", ["api.example.com"])
    chain, key = account.certificates.get("x")
    acm = account.clients.acm
    with pytest.raises(acm.exceptions.ResourceNotFoundException, match="Could not find certificate"):
        acm.import_certificate(CertificateArn=f"{USERS[:-1]}9", Certificate=chain, PrivateKey=key)
