"""What a version does not know for a load balancer's name becomes a plain CNAME there."""

from __future__ import annotations

import pytest

from testbed.aws.balancer_names import CANONICAL_ZONES
from testbed.dated_releases import EXTERNAL_DNS_RELEASES
from testbed.external_dns.core.facts import release_of
from testbed.external_dns.provider.canonical_zones import canonical_zone


@pytest.mark.parametrize("region", CANONICAL_ZONES)
def test_v0_22_and_aws_agree_on_every_region(region: str) -> None:
    end = "amazonaws.com.cn" if region.startswith("cn-") else "amazonaws.com"
    names = (f"web-1.{region}.elb.{end}", f"web-1.elb.{region}.{end}")
    assert tuple(canonical_zone(name, release_of("v0.22")) for name in names) == CANONICAL_ZONES[region]


@pytest.mark.parametrize(
    ("name", "since"),
    [
        ("web-1.elb.ap-northeast-1.amazonaws.com", "v0.7.4"),
        ("a1.awsglobalaccelerator.com", "v0.7.4"),
        ("web-1.elb.af-south-1.amazonaws.com", "v0.7.5"),
        ("web-1.elb.ap-northeast-3.amazonaws.com", "v0.13.5"),
        ("d1.cloudfront.net", "v0.11.1"),
    ],
)
def test_a_suffix_is_known_from_its_release_on(name: str, since: str) -> None:
    known = [release for release in EXTERNAL_DNS_RELEASES.values() if canonical_zone(name, release)]
    assert known[0].tag == since
    assert known == list(EXTERNAL_DNS_RELEASES.values())[known[0].place :]


def test_v0_7_matches_any_string_suffix_and_v0_22_whole_labels() -> None:
    name = "myus-east-1.elb.amazonaws.com"
    assert canonical_zone(name, release_of("v0.7.5")) == CANONICAL_ZONES["us-east-1"][0]
    assert canonical_zone(name, release_of("v0.22")) is None
