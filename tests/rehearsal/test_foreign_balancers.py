from __future__ import annotations

from pathlib import Path

import pytest

from testbed.errors import BadInput
from testbed.kubernetes.manifests import parse
from testbed.rehearsal.foreign_balancers import ForeignBalancer, at_address, in_status, make, pod_addresses
from tests.rehearsal.still_topology import StillTopology

NLB = "nginx-0123456789abcdef.elb.eu-west-1.amazonaws.com"
ALB = "internal-old-web-1234567890.eu-west-1.elb.amazonaws.com"
INGRESS = """
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {{name: web, namespace: shop}}
spec: {{ingressClassName: nginx, rules: [{{host: api.example.com}}]}}
status: {{loadBalancer: {{ingress: [{entry}]}}}}
"""


@pytest.mark.parametrize(
    ("entry", "foreign"),
    [
        (f"{{hostname: {NLB}}}", ForeignBalancer("ingress/shop/web", NLB, "nlb")),
        (f"{{hostname: {ALB.upper()}}}", ForeignBalancer("ingress/shop/web", ALB, "alb")),
        ("{hostname: www.example.org}", None),
        ("{ip: 192.0.2.1}", None),
        ("", None),
    ],
)
def test_a_manifest_has_the_balancer_in_its_status(entry: str, foreign: ForeignBalancer | None) -> None:
    (manifest,) = parse(INGRESS.format(entry=entry), Path("web.yaml"))
    assert in_status(manifest) == foreign


def test_name_and_scheme_are_read_from_the_dns_name() -> None:
    nlb, alb = ForeignBalancer("o", NLB, "nlb"), ForeignBalancer("o", ALB, "alb")
    assert (nlb.name, nlb.scheme) == ("nginx", "internet-facing")
    assert (alb.name, alb.scheme) == ("old-web", "internal")


def test_the_pods_are_those_with_the_labels() -> None:
    pods = [
        {"metadata": {"namespace": space, "labels": {"app": app, "v": "1"}}, "status": {"podIP": address}}
        for space, app, address in (("a", "x", "1.1.1.1"), ("a", "y", "1.1.1.2"), ("b", "x", "1.1.1.3"))
    ]
    assert pod_addresses(pods, "a", {"app": "x"}) == ["1.1.1.1"]


def test_an_alb_needs_a_certificate(still_topology: StillTopology) -> None:
    with pytest.raises(BadInput, match="the ALB of o needs a certificate; pass certificate=ARN"):
        make(
            ForeignBalancer("o", ALB, "alb"), still_topology.clients, [], port=443, target_port=8080,
            certificate=None,
        )  # type: ignore[arg-type]  # fmt: skip


def test_an_object_without_a_balancer_in_its_status_is_refused(still_topology: StillTopology) -> None:
    with pytest.raises(BadInput, match="no manifest that was applied has a load balancer in the status"):
        still_topology.cutover().foreign_balancer("ingress/web", target_port=8443)


def test_a_balancer_may_have_an_address_that_no_status_has() -> None:
    assert at_address(("Ingress", "shop", "web"), NLB.upper()) == ForeignBalancer(
        "ingress/shop/web", NLB, "nlb"
    )
    with pytest.raises(BadInput, match=r"'172\.20\.138\.183' is no DNS name of a load balancer"):
        at_address(("Ingress", "shop", "web"), "172.20.138.183")


def test_it_forwards_to_pods_that_the_scenario_has(still_topology: StillTopology) -> None:
    cutover = still_topology.cutover()
    with pytest.raises(BadInput, match="the scenario has no targets 'nginx'; write envoy"):
        cutover.foreign_balancer("ingress/web", target_port=1, targets="nginx", address=NLB)
