from __future__ import annotations

from typing import Any, cast

import pytest
from moto import settings

from testbed.errors import BadInput
from testbed.rehearsal.certificates import issued
from tests.rehearsal.still_topology import StillTopology

pytestmark = pytest.mark.usefixtures("at_once")


@pytest.fixture
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """moto issues without looking for a record; the endpoint's own tests show that AWS's does not."""
    monkeypatch.setattr(settings, "ACM_VALIDATION_WAIT", 0)


def zone(topology: StillTopology, name: str) -> str:
    made = topology.clients.route53.create_hosted_zone(Name=name, CallerReference=name)
    return str(made["HostedZone"]["Id"])


def records(topology: StillTopology, hosted: str) -> list[dict[str, Any]]:
    listed = topology.clients.route53.list_resource_record_sets(HostedZoneId=hosted)["ResourceRecordSets"]
    return [record for record in listed if record["Type"] == "CNAME"]


def test_the_validation_records_are_written_into_the_zone_that_is_nearest(
    still_topology: StillTopology,
) -> None:
    parent, child = zone(still_topology, "example.com"), zone(still_topology, "eu.example.com")
    arn = issued(cast(Any, still_topology), ["api.eu.example.com"])
    described = still_topology.clients.acm.describe_certificate(CertificateArn=arn)["Certificate"]
    (option,) = described["DomainValidationOptions"]
    (written,) = records(still_topology, child)
    assert written["ResourceRecords"] == [{"Value": option["ResourceRecord"]["Value"]}]
    assert records(still_topology, parent) == []
    assert described["Status"] == "ISSUED"


def test_a_name_that_no_zone_holds_is_refused_before_anything_is_requested(
    still_topology: StillTopology,
) -> None:
    zone(still_topology, "example.com")
    with pytest.raises(BadInput, match=r"no hosted zone holds www\.example\.org") as refused:
        issued(cast(Any, still_topology), ["api.example.com", "www.example.org"])
    assert "example.com" in str(refused.value.do)
    assert still_topology.clients.acm.list_certificates()["CertificateSummaryList"] == []
