from __future__ import annotations

import pytest

from testbed.aws.certificate_requests import ISSUED, PENDING, CertificateRequest, validation_record
from testbed.settings import PRODUCTION


def test_a_record_belongs_to_the_domain_alone_and_a_wildcard_shares_it() -> None:
    record = validation_record("Example.com.")
    assert record == validation_record("example.com") == validation_record("*.example.com")
    assert record.name.startswith("_")
    assert record.name.endswith(".example.com.")
    assert record.value.endswith(".acm-validations.aws.")
    assert record.name != validation_record("www.example.com").name
    assert record.value != validation_record("www.example.com").value


def test_each_record_is_asked_for_once_and_only_by_dns() -> None:
    names = ["example.com", "*.example.com", "www.example.com"]
    assert len(CertificateRequest(names, "DNS").records) == 2
    assert CertificateRequest(names, "EMAIL").records == []


def test_it_is_issued_some_time_after_all_records_stand_without_a_break() -> None:
    request = CertificateRequest(["example.com"], "DNS")
    later = PRODUCTION.certificate_validation
    assert not request.look(all_stand=False, now=0)
    assert not request.look(all_stand=True, now=10)
    assert not request.look(all_stand=False, now=11)
    assert not request.look(all_stand=True, now=12)
    assert not request.look(all_stand=True, now=11 + later)
    assert request.look(all_stand=True, now=12 + later)


def test_without_dns_nobody_validates() -> None:
    request = CertificateRequest(["example.com"], "EMAIL")
    request.look(all_stand=True, now=0)
    assert not request.look(all_stand=True, now=1e9)


@pytest.mark.parametrize(("issued_at", "status"), [(None, PENDING), (5.0, ISSUED)])
def test_only_an_issued_certificate_has_a_validity(issued_at: float | None, status: str) -> None:
    request = CertificateRequest(["example.com"], "DNS", issued_at=issued_at)
    detail = request.detail({"DomainName": "example.com", "NotAfter": 9, "Status": "?"}, ["lb"])
    assert (detail["Status"], "NotAfter" in detail) == (status, issued_at is not None)
    assert detail["InUseBy"] == ["lb"]
    assert detail["DomainValidationOptions"][0]["ResourceRecord"]["Type"] == "CNAME"
