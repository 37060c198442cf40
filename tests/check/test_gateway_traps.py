"""Traps of Gateways and routes."""

from __future__ import annotations

from pathlib import Path

import pytest

from testbed.check import gateway_traps, manifest_reading, rule_registry
from testbed.check.findings import Finding
from testbed.releases import Named
from tests.check.manifests_of_traps import folder
from tests.check.traps import rules_of

RULES = rules_of(gateway_traps)
SERVICE = """
apiVersion: v1
kind: Service
metadata: {name: web}
spec: {type: NodePort, ports: [{port: 80}]}
"""
EDGE = """
apiVersion: gateway.networking.k8s.io/v1
kind: GatewayClass
metadata: {name: alb}
spec: {controllerName: gateway.k8s.aws/alb}
---
apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: {name: edge}
spec:
  gatewayClassName: alb
  listeners: [{name: web, port: 443, protocol: HTTPS}]
"""
ROUTE = """
apiVersion: gateway.networking.k8s.io/v1
kind: KIND
metadata: {name: web}
spec:
  hostnames: [shop.example.com]
  parentRefs: [{name: edge}]
  rules:
    - filters: [FILTERS]
      backendRefs: [{name: web, port: 80}]
"""
EXTERNAL_DNS = """
apiVersion: apps/v1
kind: Deployment
metadata: {name: external-dns}
spec:
  selector: {matchLabels: {app: external-dns}}
  template:
    metadata: {labels: {app: external-dns}}
    spec:
      containers:
        - name: external-dns
          image: registry.k8s.io/external-dns/external-dns:VERSION
          args: [SOURCES, --provider=aws, --policy=sync, --txt-owner-id=prod]
"""


def route(kind: str = "HTTPRoute", filters: str = "") -> str:
    return ROUTE.replace("KIND", kind).replace("FILTERS", filters)


def external_dns(*sources: str, version: str = "v0.22.0") -> str:
    flags = ", ".join(f"--source={one}" for one in sources)
    return EXTERNAL_DNS.replace("VERSION", version).replace("SOURCES", flags)


def found(tmp_path: Path, *manifests: str, controller: str = "v3.5") -> dict[str, list[Finding]]:
    loaded = manifest_reading.load([folder(tmp_path / "look", *manifests)])
    reading = manifest_reading.Reading.of(loaded, None, Named(controller, "--lb-controller"))
    by_rule: dict[str, list[Finding]] = {}
    for one in rule_registry.check(reading):
        if one.rule in RULES:
            by_rule.setdefault(one.rule, []).append(one)
    return by_rule


def test_a_gateway_whose_routes_are_read_and_taken_has_no_trap(tmp_path: Path) -> None:
    dns = external_dns("gateway-httproute", "gateway-grpcroute")
    assert found(tmp_path, SERVICE, EDGE, route(), route("GRPCRoute"), dns) == {}


def test_a_grpc_route_on_an_http_listener_never_attaches(tmp_path: Path) -> None:
    plain = EDGE.replace("protocol: HTTPS", "protocol: HTTP")
    [one] = found(tmp_path, SERVICE, plain, route("GRPCRoute"))["route-never-attaches"]
    assert "kind does not match" in one.what
    assert "HTTPS listener" in one.do


def test_a_route_of_another_host_never_attaches(tmp_path: Path) -> None:
    other = EDGE.replace("protocol: HTTPS", "protocol: HTTPS, hostname: other.example.com")
    [one] = found(tmp_path, SERVICE, other, route())["route-never-attaches"]
    assert "NoMatchingListenerHostname" in one.what


@pytest.mark.parametrize("kind", ["RequestRedirect", "URLRewrite", "ExtensionRef"])
def test_a_filter_that_can_be_built_refuses_nothing(tmp_path: Path, kind: str) -> None:
    filters = f"{{type: {kind}, requestRedirect: {{}}, urlRewrite: {{}}, extensionRef: {{}}}}"
    assert "route-filter-refuses-gateway" not in found(tmp_path, SERVICE, EDGE, route(filters=filters))


def test_a_header_filter_refuses_the_gateway_only_where_it_attaches(tmp_path: Path) -> None:
    headers = route(filters="{type: ResponseHeaderModifier, responseHeaderModifier: {}}")
    [one] = found(tmp_path / "a", SERVICE, EDGE, headers)["route-filter-refuses-gateway"]
    assert "ResponseHeaderModifier" in one.what
    elsewhere = headers.replace("name: edge", "name: mesh")
    assert found(tmp_path / "b", SERVICE, EDGE, elsewhere) == {}


def test_a_route_whose_kind_external_dns_does_not_read_is_an_error_unless_it_names_no_host(
    tmp_path: Path,
) -> None:
    [one] = found(tmp_path / "a", SERVICE, EDGE, route(), external_dns("ingress"))["route-is-not-read"]
    assert "--source=gateway-httproute" in one.do
    silent = route().replace("  hostnames: [shop.example.com]\n", "")
    assert found(tmp_path / "b", SERVICE, EDGE, silent, external_dns("ingress")) == {}
    assert found(tmp_path / "c", SERVICE, EDGE, route()) == {}, "no Deployment tells the flags"


@pytest.mark.parametrize(
    ("version", "source", "is_served"),
    [
        ("v0.22.0", "gateway-tcproute", False),
        ("v0.21.0", "gateway-tlsroute", False),
        ("v0.22.0", "gateway-tlsroute", True),
        ("v0.14.2", "gateway-grpcroute", False),
        ("v0.15.1", "gateway-httproute", True),
    ],
)
def test_a_release_ends_where_the_crds_do_not_serve_what_it_reads(
    tmp_path: Path, version: str, source: str, is_served: bool
) -> None:
    traps = found(tmp_path, external_dns(source, version=version))
    assert ("route-version-not-served" in traps) is not is_served


def test_definitions_among_the_manifests_say_what_is_served(tmp_path: Path) -> None:
    crd = """
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: NAMES.gateway.networking.k8s.io}
spec:
  group: gateway.networking.k8s.io
  scope: Namespaced
  names: {plural: NAMES, kind: KIND}
  versions: [{name: VERSION, served: true, storage: true}]
"""

    def definition(kind: str, version: str) -> str:
        plural = f"{kind.lower()}s"
        return crd.replace("NAMES", plural).replace("KIND", kind).replace("VERSION", version)

    tcp = external_dns("gateway-tcproute")
    gateways = definition("Gateway", "v1")
    assert found(tmp_path / "a", tcp, gateways, definition("TCPRoute", "v1alpha2")) == {}
    traps = found(tmp_path / "b", tcp, gateways, definition("TCPRoute", "v1"))
    assert "the CRDs among the manifests" in traps["route-version-not-served"][0].what


def test_an_older_controller_does_not_read_the_newer_versions(tmp_path: Path) -> None:
    tcp = EDGE.replace("gateway.k8s.aws/alb", "gateway.k8s.aws/nlb").replace("HTTPS", "TCP")
    manifests = SERVICE, tcp, route("TCPRoute")
    [one] = found(tmp_path / "a", *manifests, controller="v3.4")["gateway-version-not-read"]
    assert "v3.5.0 is the first" in one.what
    assert "gateway-version-not-read" not in found(tmp_path / "b", *manifests)


def test_annotations_count_on_the_side_where_external_dns_reads_them(tmp_path: Path) -> None:
    notes = "{name: web, annotations: {external-dns.kubernetes.io/NAME: a.example.com}}"

    def noted(manifest: str, name: str, annotation: str) -> str:
        return manifest.replace(
            f"{{name: {name}}}", notes.replace("web", name).replace("NAME", annotation), 1
        )

    def traps(where: str, gateway: str, of_route: str) -> int:
        edge = EDGE.replace("metadata: {name: edge}", f"metadata: {notes}".replace("web", "edge"))
        return len(
            found(
                tmp_path / where,
                SERVICE,
                edge.replace("NAME", gateway),
                noted(route(), "web", of_route),
            ).get("annotation-on-gateway", [])
        )

    assert traps("a", "hostname", "target") == 2
    assert traps("b", "target", "hostname") == 0
