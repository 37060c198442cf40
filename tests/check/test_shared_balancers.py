"""Which claims of one name lead to one load balancer, and which become one record."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from testbed.check.manifest_reading import Reading
from testbed.check.shared_balancers import are_one_record
from testbed.external_dns.core.facts import release_of
from testbed.kubernetes import manifests
from testbed.releases import Named
from tests.check.test_other_controllers import ADDRESSES, HOST, WEB, ingress, service


def reading(*items: dict[str, Any], version: str = "v0.22") -> Reading:
    loaded = manifests.parse(yaml.safe_dump_all([WEB, *items]), Path("all.yaml"))
    return Reading.of(loaded, Named(version, "--external-dns"))


def balancers(*items: dict[str, Any]) -> list[str]:
    of = reading(*items)
    return [of.balancer_of(claim) for claim in of.claims[HOST]]


@pytest.mark.parametrize(
    ("items", "is_one"),
    [
        ([ingress("a", "nginx"), ingress("b", "nginx")], True),
        ([ingress("a", "nginx"), ingress("b", "traefik")], False),
        ([ingress("a", "alb"), ingress("b", "alb")], False),
        ([service("a", "tailscale"), service("b", "tailscale")], False),
        ([service("a", kind="nlb", address=ADDRESSES[0]), ingress("b", "nginx", address=ADDRESSES[0])], True),
        (
            [service("a", kind="nlb", address=ADDRESSES[0]), ingress("b", "nginx", address=ADDRESSES[1])],
            False,
        ),
    ],
)
def test_claims_share_a_balancer_by_their_controller_their_group_or_their_address(
    items: list[dict[str, Any]], is_one: bool
) -> None:
    assert (len(set(balancers(*items))) == 1) is is_one


@pytest.mark.parametrize(
    ("release", "addresses", "is_one"),
    [
        ("v0.22.0", ({"ip": "10.0.0.5"}, {"ip": "10.0.0.6"}), True),
        ("v0.20.0", ({"ip": "10.0.0.5"}, {"ip": "10.0.0.6"}), False),
        ("v0.22.0", ({"ip": "10.0.0.5"}, ADDRESSES[0]), False),
        ("v0.22.0", ({"ip": "10.0.0.5"}, None), False),
    ],
)
def test_ip_addresses_of_two_ingresses_become_one_record_from_v0_21_on(
    release: str, addresses: tuple[Any, Any], is_one: bool
) -> None:
    items = [ingress(name, "nginx", address=one) for name, one in zip("ab", addresses, strict=True)]
    one, other = (claim.manifest for claim in reading(*items).claims[HOST])
    assert are_one_record(release_of(release), one, other) is is_one
