from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from testbed.errors import BadInput
from testbed.kubernetes.manifests import Manifest, parse
from testbed.lb_controller.core.build_inputs import ControllerOptions
from testbed.lb_controller.offline.live_cluster import LiveCluster

SERVICE = """
apiVersion: v1
kind: Service
metadata: {name: web, namespace: shop}
spec:
  selector: {app: web}
  ports: [{name: http, port: 80, targetPort: 8080}]
"""
INGRESS = """
---
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata:
  name: web
  namespace: shop
  annotations:
    alb.ingress.kubernetes.io/target-type: ip
    alb.ingress.kubernetes.io/KEY: "VALUE"
spec:
  ingressClassName: alb
  rules: [{http: {paths: [{path: /, pathType: Prefix, backend: {service: {name: web, port: {number: 80}}}}]}}]
"""


def manifests(key: str = "scheme", value: str = "internal") -> list[Manifest]:
    return parse(SERVICE + INGRESS.replace("KEY", key).replace("VALUE", value), Path("shop.yaml"))


@contextmanager
def cluster(*all_of_them: Manifest) -> Iterator[LiveCluster]:
    made = LiveCluster(ControllerOptions(), all_of_them)
    try:
        yield made
    finally:
        made.close()


def actions(written: object) -> list[str]:
    return [one.action for one in written]  # type: ignore[attr-defined]


def test_what_stands_has_been_made_and_the_same_again_writes_nothing() -> None:
    old = manifests()
    with cluster(*old) as live:
        assert actions(live.stand(old))[-2:] == ["AuthorizeSecurityGroupIngress", "RegisterTargets"]
        assert live.apply(old) == ()


def test_an_object_that_is_in_the_files_no_more_is_deleted() -> None:
    old = manifests()
    with cluster(*old) as live:
        live.stand(old)
        assert actions(live.apply(old[:1]))[0] == "DeleteLoadBalancer"
        assert live.store.get("Ingress", "shop", "web") is None


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("subnets", "subnet-0123456789abcdef0,subnet-0123456789abcdef1"),
        ("subnets", "one, two"),
        ("subnets", "subnet-00000001,subnet-00000002,subnet-00000003,four"),
        ("security-groups", "sg-0123456789abcdef0, by-name"),
        ("certificate-arn", "arn:aws:acm:eu-west-1:1:certificate/12345678-1234-1234-1234-123456789012"),
        ("certificate-arn", "arn:aws:iam::1:server-certificate/mine"),
    ],
)
def test_what_manifests_name_is_there(key: str, value: str) -> None:
    new = manifests(key, value)
    with cluster(*new) as live:
        live.stand(new)
        events = [(one["type"], one["message"]) for one in live.store.list("Event")]
        assert events == [("Normal", "Successfully reconciled")]


def test_an_edit_that_the_api_refuses_is_named_with_its_place() -> None:
    old, new = manifests(), manifests("conditions.web", "[]")
    broken = manifests("conditions.web", "[{'field': 'no-such-field'}]")
    with cluster(*old, *new) as live:
        live.stand(old)
        with pytest.raises(BadInput, match=r"shop.yaml:\d+: admission webhook .* denied the request"):
            live.apply(broken)


def test_two_runs_write_the_same() -> None:
    old, new = manifests(), manifests("scheme", "internet-facing")
    written = []
    for _ in range(2):
        with cluster(*old, *new) as live:
            live.stand(old)
            written.append(live.apply(new))
    assert written[0] == written[1] != ()


def test_a_placeholder_stands_for_a_certificate_that_exists() -> None:
    placed = manifests("certificate-arn", "${CERTIFICATE_ARN}")
    with cluster(*placed) as live:
        listeners = [one for one in live.stand(placed) if one.action == "CreateListener"]
    assert [one.refusal for one in listeners] == [""]
    assert listeners[0].parameters["Certificates.member.1.CertificateArn"] == "${CERTIFICATE_ARN}"
