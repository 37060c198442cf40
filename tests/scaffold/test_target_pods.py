from __future__ import annotations

from pathlib import Path

import pytest

from testbed.check import manifest_reading
from testbed.check.manifest_reading import Reading
from testbed.errors import BadInput
from testbed.rehearsal.scenario import Targets
from testbed.releases import Named
from testbed.scaffold.target_pods import PodsOfMove, Reached, pods_of_move
from tests.check.manifests_of_traps import folder

WORKLOAD = """\
apiVersion: apps/v1
kind: {kind}
metadata: {{name: {name}, namespace: shop}}
spec:
  selector: {{matchLabels: {{app: {name}}}}}
  template:
    metadata: {{labels: {{app: {name}, tier: web}}}}
    spec: {{containers: [{{name: a, image: a, ports: [{{name: http, containerPort: {port}}}]}}]}}
"""
SERVICE = """\
apiVersion: v1
kind: Service
metadata: {{name: {name}, namespace: {namespace}}}
spec: {{selector: {selector}, ports: [{{port: 80, targetPort: http}}]}}
"""
ISTIO = """\
apiVersion: networking.istio.io/v1
kind: Gateway
metadata: {name: edge, namespace: shop}
spec:
  selector: {app: HERE}
  servers:
    - {hosts: [shop/api.example.com, "*.example.org"], port: {number: 443}, tls: {mode: SIMPLE}}
    - {hosts: ["*"], port: {number: 80}}
"""


def service(name: str, selector: str = "", namespace: str = "shop") -> str:
    return SERVICE.format(name=name, namespace=namespace, selector=selector or f"{{app: {name}}}")


def pods(path: Path, *manifests: str, tls: str = "") -> PodsOfMove:
    """The pods of all Services among the manifests, which one balancer reaches; one Service with TLS."""
    reading = Reading.of(manifest_reading.load([folder(path, *manifests)]), None, Named("v3", "a test"))
    reached = [
        Reached(one, "http", one.key[2] == tls, "the ALB", by_alb=one.key[2] == tls)
        for one in reading.of_kind("Service")
    ]
    return pods_of_move(reading, reached)


def test_each_service_has_the_pods_that_it_selects_with_their_own_port_names(tmp_path: Path) -> None:
    foreign = WORKLOAD.format(kind="Deployment", name="foreign", port=1111)
    catalog = WORKLOAD.format(kind="Deployment", name="catalog", port=3000)
    orders = WORKLOAD.format(kind="StatefulSet", name="orders", port=4000)
    found = pods(tmp_path, foreign, catalog, orders, service("catalog"), service("orders"))
    assert [(one.name, one.plain_ports, one.port_names) for one in found.targets] == [
        ("catalog", (3000,), {"http": 3000}),
        ("orders", (4000,), {"http": 4000}),
    ]
    assert [one.labels["tier"] for one in found.targets] == ["web", "web"]
    assert found.guessed == ()


def test_a_service_may_select_the_pods_of_two_workloads_and_of_a_rollout(tmp_path: Path) -> None:
    blue = WORKLOAD.format(kind="Deployment", name="blue", port=1)
    green = WORKLOAD.format(kind="Rollout", name="green", port=2).replace("apps/v1", "argoproj.io/v1alpha1")
    found = pods(tmp_path, blue, green, service("web", "{tier: web}"))
    assert [(one.name, one.plain_ports) for one in found.targets] == [("blue", (1,)), ("green", (2,))]


def test_services_without_a_workload_share_pods_if_they_share_a_label(tmp_path: Path) -> None:
    found = pods(
        tmp_path,
        service("a", "{app: web, tier: edge}"),
        service("b", "{app: web}"),
        service("c", "{app: other}"),
        service("d", "{app: web}", "elsewhere"),
    )
    assert [(one.name, one.labels, one.namespace) for one in found.targets] == [
        ("a", {"app": "web", "tier": "edge"}, "shop"),
        ("c", {"app": "other"}, "shop"),
        ("d", {"app": "web"}, "elsewhere"),
    ]
    assert found.guessed[0].startswith(
        "no workload among the manifests has the port http that Service shop/a"
    )


def test_pods_never_have_the_name_of_the_testbeds_own_backends(tmp_path: Path) -> None:
    found = pods(tmp_path, service("backend"), service("b", "{app: backend}", "other"))
    assert [one.name for one in found.targets] == ["backend-shop", "b"]


def test_a_gateway_of_istio_makes_its_pods_choose_by_the_name(tmp_path: Path) -> None:
    found = pods(tmp_path, service("web"), service("api"), ISTIO.replace("HERE", "web"), tls="web")
    assert {one.name: one.server_names for one in found.targets} == {
        "web": ("api.example.com", "*.example.org"),
        "api": (),
    }
    assert found.by_alb == ("web",)


def test_a_gateway_for_any_name_takes_each_connection(tmp_path: Path) -> None:
    any_name = ISTIO.replace("HERE", "web").replace("shop/api.example.com", '"*"')
    assert pods(tmp_path, service("web"), any_name, tls="web").targets[0].server_names == ()


def test_a_port_cannot_take_both(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="the ALB passes TLS to target port 8443") as error:
        pods(
            tmp_path,
            service("a").replace("targetPort: http", "targetPort: 8443"),
            service("b", "{app: a}").replace("targetPort: http", "targetPort: 8443"),
            tls="a",
        )
    assert "backend-protocol: HTTPS" in str(error.value)


def test_pods_have_a_port_of_each_kind(tmp_path: Path) -> None:
    (only,) = pods(tmp_path, service("web")).targets
    assert only == Targets(
        name="web", labels={"app": "web"}, namespace="shop", tls_ports=(8443,), plain_ports=(8080,),
        port_names={"http": 8080},
    )  # fmt: skip


def test_more_kinds_than_the_testbed_has_addresses_for_are_refused(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="the Services of this move select 13 kinds of pods"):
        pods(tmp_path, *(service(f"s{number}") for number in range(13)))


def test_a_service_without_selector_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="Service shop/web has no selector, so no manifest says which pods"):
        pods(tmp_path, service("web", "{}"))
