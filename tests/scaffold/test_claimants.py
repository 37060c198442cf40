from __future__ import annotations

from pathlib import Path

import pytest

from testbed.check import manifest_reading
from testbed.check.manifest_reading import Reading
from testbed.errors import BadInput
from testbed.releases import Named
from testbed.scaffold.claimants import claimants, moving
from tests.check.manifests_of_traps import INGRESS, PLAIN, SERVICE, folder
from tests.scaffold.manifests_of_other_controllers import AUTO_MODE, CLASSIC_TO_NLB, NGINX_TO_ALB
from tests.scaffold.manifests_of_pairs import ALB_TO_ALB, ALONE, BEHIND, NLB_TO_NLB, THIRD

AUTO = "EKS Auto Mode"


def reading(path: Path, *manifests: str) -> Reading:
    return Reading.of(manifest_reading.load([folder(path, *manifests)]), None, Named("v3", "a test"))


@pytest.mark.parametrize(
    ("manifests", "types", "owners"),
    [
        # The cloud provider's NLB is the old one, though the file of the other comes first.
        (NLB_TO_NLB, ("nlb", "nlb"), ("service/default/web", "service/default/a-web")),
        (ALB_TO_ALB, ("alb", "alb"), ("ingress/default/first", "ingress-group/shop")),
        ((INGRESS, PLAIN, SERVICE), ("nlb", "alb"), ("service/default/web", "ingress-group/web")),
    ],
)
def test_a_host_has_two_claimants_of_any_types(
    tmp_path: Path, manifests: tuple[str, ...], types: tuple[str, str], owners: tuple[str, str]
) -> None:
    read = reading(tmp_path, *manifests)
    host, old, new = claimants(read, "")
    assert (host, moving(read)) == ("api.example.com", ("api.example.com",))
    assert ((old.type, new.type), (old.owner, new.owner)) == (types, owners)


def test_three_balancers_of_one_host_are_no_move(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match=r"3 load balancers claim api\.example\.com: Ingress default/"):
        claimants(reading(tmp_path, *ALB_TO_ALB, THIRD), "")


def test_one_claimant_is_no_move(tmp_path: Path) -> None:
    with pytest.raises(
        BadInput, match=r"only Ingress default/first has the host api\.example\.com: nothing moves"
    ):
        claimants(reading(tmp_path, BEHIND, ALONE), "")


def test_a_claimant_without_a_balancer_is_named_with_the_reason(tmp_path: Path) -> None:
    broken = THIRD.replace("target-type: ip", "target-type: none")
    with pytest.raises(BadInput, match=r"3\.yaml:1: Ingress default/third gets no ALB: "):
        claimants(reading(tmp_path, BEHIND, ALONE, broken), "")


@pytest.mark.parametrize(
    ("manifests", "sides"),
    [
        (NGINX_TO_ALB, [("nlb", "ingress/shop/web", "nginx"), ("alb", "ingress/shop/web-alb", "")]),
        (
            AUTO_MODE,
            [("nlb", "service/edge/gw", "EKS Auto Mode"), ("alb", "ingress/edge/gw", "EKS Auto Mode")],
        ),
        (
            CLASSIC_TO_NLB,
            [("nlb", "service/default/old", "the cloud provider"), ("nlb", "service/default/new", "")],
        ),
    ],
    ids=["nginx", "auto mode", "classic"],
)
def test_objects_of_other_controllers_are_claimants(
    tmp_path: Path, manifests: str, sides: list[tuple[str, str, str]]
) -> None:
    _, old, new = claimants(reading(tmp_path, manifests), "")
    assert [(one.type, one.owner, one.other.by if one.other else "") for one in (old, new)] == sides
