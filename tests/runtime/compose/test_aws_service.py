"""The service `aws`: an account that is empty at the beginning of each run."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from testbed.errors import BadInput, Missing
from testbed.rehearsal import certificates
from testbed.runtime.compose.aws_service import AwsService
from testbed.runtime.upkeep import Upkeep
from tests.made_setups import PLAIN
from tests.runtime.compose.conftest import Begin, Services


def test_a_new_run_has_its_zone_and_nothing_of_the_run_before(begin: Begin) -> None:
    before = begin(PLAIN)
    first = before.clients
    subnets = [one["SubnetId"] for one in first.ec2.describe_subnets()["Subnets"][:2]]
    first.elbv2.create_load_balancer(Name="old", Type="network", Subnets=subnets)
    first.acm.request_certificate(DomainName="old.example.com")
    before.close()
    second = begin(replace(PLAIN, zone="example.org", host="api.example.org")).clients
    assert second.elbv2.describe_load_balancers()["LoadBalancers"] == []
    assert second.acm.list_certificates()["CertificateSummaryList"] == []
    zones = [zone["Name"] for zone in second.route53.list_hosted_zones()["HostedZones"]]
    assert "example.org." in zones


def test_a_certificate_of_acm_is_given_to_control_with_its_key(services: Services, begin: Begin) -> None:
    arn = certificates.issued(begin(PLAIN), ["api.example.com"])
    issued = services.aws.get("/certificate", arn=arn)
    assert "BEGIN CERTIFICATE" in issued["chain"]
    assert "PRIVATE KEY" in issued["key"]
    with pytest.raises(BadInput, match="no such certificate"):
        services.aws.get("/certificate", arn="arn:aws:acm:nowhere")


def test_a_change_is_noticed_at_once_by_who_waits_for_it(services: Services, begin: Begin) -> None:
    clients = begin(PLAIN).clients
    known = services.aws.get("/changes", acm=-1)["acm"]
    clients.acm.request_certificate(DomainName="api.example.com")
    assert services.aws.get("/changes", acm=known)["acm"] > known


def test_it_cannot_start_where_another_one_listens(services: Services, tmp_path: Path) -> None:
    upkeep = Upkeep()
    try:
        with pytest.raises(Missing, match="moto"):
            AwsService(services.network, tmp_path / "aws", upkeep, 1.0).start()
    finally:
        upkeep.close()
