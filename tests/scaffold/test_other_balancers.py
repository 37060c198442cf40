from __future__ import annotations

from pathlib import Path

import pytest

from testbed.aws.balancer_names import balancer_type
from testbed.check import manifest_reading
from testbed.check.manifest_reading import Reading
from testbed.errors import BadInput
from testbed.releases import Named
from testbed.scaffold.other_balancers import OtherBalancer, other_balancer
from tests.check.manifests_of_traps import folder

INGRESS = """\
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: web, namespace: shop}
spec: {ingressClassName: nginx, rules: [{host: api.example.com}]}
"""
SERVICE = """\
apiVersion: v1
kind: Service
metadata: {name: web, namespace: shop}
spec: {type: LoadBalancer, selector: {app: web}, ports: [{port: 443, targetPort: 8443}]}
"""
NLB = "nginx-0123456789abcdef.elb.eu-west-1.amazonaws.com"
CLASSIC = "a0123456789abcdef-1234567890.eu-west-1.elb.amazonaws.com"


def found(path: Path, manifest: str, address: str = "") -> OtherBalancer:
    status = f"status: {{loadBalancer: {{ingress: [{address}]}}}}\n" if address else ""
    manifests = manifest_reading.load([folder(path, manifest + status)])
    reading = Reading.of(manifests, None, Named("v3", "a test"))
    return other_balancer(reading, manifests[0])


def test_an_alb_or_nlb_in_the_status_is_the_balancer(tmp_path: Path) -> None:
    nginx = found(tmp_path, INGRESS, f"{{hostname: {NLB}}}")
    assert (nginx.type, nginx.address, nginx.why) == ("nlb", "", "")
    assert nginx.by == "nginx"


@pytest.mark.parametrize(
    ("manifest", "address", "why"),
    [
        (
            INGRESS,
            "{ip: 172.20.138.183}",
            "172.20.138.183, the address of Ingress shop/web, is no ALB or NLB",
        ),
        (
            SERVICE,
            f"{{hostname: {CLASSIC}}}",
            f"{CLASSIC}, the address of Service shop/web, is no ALB or NLB",
        ),
        (INGRESS, "{hostname: web.tail1234.ts.net}", "web.tail1234.ts.net, the address of"),
        (INGRESS, "", "Ingress shop/web has no address in its status"),
    ],
)
def test_an_nlb_stands_for_any_other_address_and_says_so(
    tmp_path: Path, manifest: str, address: str, why: str
) -> None:
    other = found(tmp_path, manifest, address)
    assert balancer_type(other.address) == other.type == "nlb"
    assert other.why.startswith(why)
    assert other.address in other.why
    assert found(tmp_path, manifest, address) == other


def test_an_alb_stands_for_an_ingress_of_auto_mode(tmp_path: Path) -> None:
    ingress_class = (
        "apiVersion: networking.k8s.io/v1\nkind: IngressClass\nmetadata: {name: auto}\n"
        "spec: {controller: eks.amazonaws.com/alb}\n"
    )
    manifests = manifest_reading.load([folder(tmp_path, INGRESS.replace("nginx", "auto"), ingress_class)])
    other = other_balancer(Reading.of(manifests, None, Named("v3", "a test")), manifests[0])
    assert (other.type, balancer_type(other.address)) == ("alb", "alb")
    assert other.by == "EKS Auto Mode"


def test_an_object_that_nobody_takes_is_named_with_the_way_out(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="gets no load balancer: it is not of type LoadBalancer") as error:
        found(tmp_path, SERVICE.replace("type: LoadBalancer", "type: ClusterIP"))
    assert "its status, as `kubectl get -o yaml` prints it" in str(error.value)


def test_an_ingress_without_class_and_address_may_be_of_nobody(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="gets no load balancer: it names no class"):
        found(tmp_path, INGRESS.replace("ingressClassName: nginx, ", ""))
    classless = INGRESS.replace("ingressClassName: nginx, ", "")
    assert found(tmp_path, classless, f"{{hostname: {NLB}}}").by == "another controller"
