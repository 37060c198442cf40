"""The Deployment of the AWS Load Balancer Controller among manifests."""

from __future__ import annotations

from pathlib import Path

import pytest

from testbed.kubernetes.deployed_controller import DeployedController
from testbed.kubernetes.manifests import parse
from testbed.lb_controller.offline.deployment import lb_controller
from testbed.releases import Match

DEPLOYMENT = """\
apiVersion: apps/v1
kind: Deployment
metadata: {{name: aws-load-balancer-controller, namespace: kube-system}}
spec:
  template:
    spec:
      containers:
        - name: controller
          image: {image}
"""


def read(image: str) -> DeployedController | None:
    return lb_controller(parse(DEPLOYMENT.format(image=image), Path("lbc.yaml")))


@pytest.mark.parametrize(
    ("image", "release", "played", "is_emulated"),
    [
        ("public.ecr.aws/eks/aws-load-balancer-controller:v3.5.0", "v3.5.0", "v3.5.0", True),
        ("602401143452.dkr.ecr.eu-west-1.amazonaws.com/amazon/aws-load-balancer-controller:v2.4.1", "v2.4.1",
         "v2.4.1", True),
        ("docker.io/amazon/aws-alb-ingress-controller:v2.1.3", "v2.1.3", "v2.1.3", True),
    ],
)  # fmt: skip
def test_the_tag_of_its_image_names_the_release(
    image: str, release: str, played: str, is_emulated: bool
) -> None:
    deployed = read(image)
    assert deployed
    assert deployed.named
    assert deployed.choice
    assert (deployed.named.tag, deployed.choice.played, deployed.choice.is_emulated) == (
        release,
        played,
        is_emulated,
    )
    assert deployed.named.by == "Deployment kube-system/aws-load-balancer-controller, lbc.yaml:9"


@pytest.mark.parametrize(
    "image",
    [
        "docker.io/amazon/aws-alb-ingress-controller:v1.1.9",
        "acme/aws-load-balancer-controller-exporter:v2.0.0",
        "acme/shop:1.0",
    ],
)
def test_other_images_are_not_the_controller(image: str) -> None:
    assert read(image) is None


def test_a_digest_alone_names_no_release() -> None:
    deployed = read("public.ecr.aws/eks/aws-load-balancer-controller@sha256:0123")
    assert deployed
    assert (deployed.release, deployed.choice.match) == (None, Match.UNTOLD)
