from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from testbed.aws.balancer_names import CANONICAL_ZONES, balancer_dns_name, balancer_type, canonical_zone

regions = st.sampled_from(sorted(CANONICAL_ZONES))
names = st.from_regex(r"[a-zA-Z0-9]([a-zA-Z0-9-]{0,30}[a-zA-Z0-9])?", fullmatch=True)
numbers = st.integers(0, 16**16 - 1).map("{:016x}".format)


def arn(
    kind: str, name: str = "web", number: str = "50dc6c495c0c9188", region: str = "ap-northeast-1"
) -> str:
    return f"arn:aws:elasticloadbalancing:{region}:123456789012:loadbalancer/{kind}/{name}/{number}"


def test_an_nlb_has_elb_before_the_region() -> None:
    name = balancer_dns_name(arn("net"), "internet-facing")
    assert name == "web-50dc6c495c0c9188.elb.ap-northeast-1.amazonaws.com"


def test_an_alb_has_elb_after_the_region() -> None:
    name = balancer_dns_name(arn("app"), "internet-facing")
    assert name.startswith("web-")
    assert name.endswith(".ap-northeast-1.elb.amazonaws.com")
    assert name.removeprefix("web-").partition(".")[0].isdigit()


def test_an_internal_alb_says_so_in_its_name() -> None:
    assert balancer_dns_name(arn("app"), "internal").startswith("internal-web-")


@pytest.mark.parametrize(
    ("name", "zone"),
    [
        ("web-1.ap-northeast-1.elb.amazonaws.com", "Z14GRHDCWA56QT"),
        ("WEB-1.ap-northeast-1.elb.amazonaws.com.", "Z14GRHDCWA56QT"),
        ("dualstack.web-1.us-east-1.elb.amazonaws.com", "Z35SXDOTRQ7X7K"),
        ("web-1.elb.ap-northeast-1.amazonaws.com", "Z31USIVHYNEOWT"),
        ("web-1.elb.cn-north-1.amazonaws.com.cn", "Z3QFB96KMJ7ED6"),
        ("web-1.cn-north-1.elb.amazonaws.com.cn", "Z1GDH35T77C1KE"),
        ("web.example.com", None),
        ("elb.amazonaws.com.example.com", None),
        ("web-1.moon-base-1.elb.amazonaws.com", None),
    ],
)
def test_the_canonical_zone_follows_from_the_name(name: str, zone: str | None) -> None:
    assert canonical_zone(name) == zone


@given(regions, names, numbers, st.sampled_from(["internal", "internet-facing"]))
def test_every_name_leads_back_to_its_type_and_zone(region: str, name: str, number: str, scheme: str) -> None:
    application = balancer_dns_name(arn("app", name, number, region), scheme)
    network = balancer_dns_name(arn("net", name, number, region), scheme)
    assert (balancer_type(application), balancer_type(network)) == ("alb", "nlb")
    assert (canonical_zone(application), canonical_zone(network)) == CANONICAL_ZONES[region]
