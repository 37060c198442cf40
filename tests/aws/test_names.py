from __future__ import annotations

import pytest

from testbed.aws.names import CANONICAL_ZONES, balancer_dns_name, balancer_type, canonical_zone

ARN = "arn:aws:elasticloadbalancing:{region}:123456789012:loadbalancer/{kind}/Web/0123456789abcdef"


@pytest.mark.parametrize("region", sorted(CANONICAL_ZONES))
def test_names_and_zones_belong_together_in_every_region(region: str) -> None:
    alb_zone, nlb_zone = CANONICAL_ZONES[region]
    nlb = balancer_dns_name(ARN.format(region=region, kind="net"), "internet-facing")
    alb = balancer_dns_name(ARN.format(region=region, kind="app"), "internet-facing")
    assert nlb == f"web-0123456789abcdef.elb.{region}.amazonaws.com"
    assert (balancer_type(nlb), canonical_zone(nlb)) == ("nlb", nlb_zone)
    assert (balancer_type(alb), canonical_zone(f"DUALSTACK.{alb}.")) == ("alb", alb_zone)


def test_an_internal_alb_says_so_in_its_name() -> None:
    assert balancer_dns_name(ARN.format(region="eu-west-1", kind="app"), "internal").startswith(
        "internal-web-"
    )


@pytest.mark.parametrize("name", ["", "example.com", "elb.amazonaws.com", "x.s3.amazonaws.com"])
def test_other_names_belong_to_no_balancer(name: str) -> None:
    assert balancer_type(name) is None
    assert canonical_zone(name) is None
