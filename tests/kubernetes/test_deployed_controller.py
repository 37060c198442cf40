"""A controller as a Deployment runs it: the release that it names, and where."""

from __future__ import annotations

from pathlib import Path

import pytest

from testbed.kubernetes.deployed_controller import DeployedController
from testbed.kubernetes.manifests import parse
from testbed.kubernetes.pod_containers import pod_containers
from testbed.releases import EXTERNAL_DNS, Match

DEPLOYMENT = """\
apiVersion: apps/v1
kind: Deployment
metadata: {{name: dns}}
spec: {{template: {{spec: {{containers: [{{name: dns, image: "{image}"}}]}}}}}}
"""


def deployed(image: str) -> DeployedController:
    [container] = pod_containers(parse(DEPLOYMENT.format(image=image), Path("dns.yaml")))
    return DeployedController(EXTERNAL_DNS, container)


@pytest.mark.parametrize(
    ("image", "tag", "release", "match"),
    [
        ("dns:v0.14.2", "v0.14.2", "v0.14.2", Match.EXACT),
        ("dns:0.15.1-debian-12-r3", "v0.15.1", "v0.15.1", Match.EXACT),
        ("dns:v0.19.0-eksbuild.2@sha256:0123", "v0.19.0", "v0.19.0", Match.EXACT),
        ("dns:v0.13.3", "v0.13.3", "v0.13.2", Match.NEVER),
        ("dns:v0.99.0", "v0.99.0", "v0.22.0", Match.NEWER),
        ("dns:v0.5.0", "v0.5.0", "v0.7.4", Match.OLDER),
        ("dns:latest", "latest", "v0.22.0", Match.UNTOLD),
        ("dns", "latest", "v0.22.0", Match.UNTOLD),
        ("dns:stable", "stable", "v0.22.0", Match.UNTOLD),
        ("dns@sha256:0123", "dns@sha256:0123", "v0.22.0", Match.UNTOLD),
    ],
)
def test_a_deployment_always_has_a_release_that_decides_and_says_where_it_is_written(
    image: str, tag: str, release: str, match: Match
) -> None:
    running = deployed(image)
    assert (running.named.tag, running.named.by) == (tag, "Deployment default/dns, dns.yaml:4")
    assert (running.choice.release.tag, running.choice.match) == (release, match)
