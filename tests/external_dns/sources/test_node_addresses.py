"""NodePort Services get the nodes' addresses, headless ones their pods'."""

from __future__ import annotations

from typing import Any

import pytest

from testbed.external_dns.core.facts import Fact, annotation_prefix, release_of
from testbed.external_dns.process.flags import parse
from testbed.external_dns.sources.node_addresses import Cluster, services_of_ports
from testbed.external_dns.sources.service import ServiceSource
from testbed.external_dns.sources.source import SourceContext
from tests.external_dns.releases import NEWEST, READ

HOST = "app.example.com"


def _node(name: str, **addresses: str) -> dict[str, Any]:
    listed = [{"type": kind, "address": address} for kind, address in addresses.items()]
    return {"metadata": {"name": name}, "status": {"addresses": listed}}


def _pod(name: str, node: str, phase: str = "Running", **spec: str) -> dict[str, Any]:
    return {
        "metadata": {"namespace": "shop", "name": name, "labels": {"app": "web"}},
        "spec": {"nodeName": node, **spec},
        "status": {"phase": phase, "hostIP": f"10.9.9.{len(node)}"},
    }


def _address(ip: str, pod: str) -> dict[str, Any]:
    return {"ip": ip, "targetRef": {"kind": "Pod", "name": pod}}


OBJECTS: dict[str, list[dict[str, Any]]] = {
    "Node": [
        _node("a", InternalIP="10.0.0.1", ExternalIP="192.0.2.1"),
        _node("bb", InternalIP="10.0.0.2", ExternalIP="192.0.2.2"),
    ],
    "Pod": [_pod("web-0", "a", hostname="zero"), _pod("web-1", "bb", "Pending")],
    "Endpoints": [
        {
            "metadata": {"namespace": "shop", "name": "web"},
            "subsets": [
                {
                    "addresses": [_address("10.1.0.1", "web-0"), _address("10.1.0.9", "gone")],
                    "notReadyAddresses": [_address("10.1.0.2", "web-1")],
                }
            ],
        }
    ],
}


def _read(
    version: str, spec: dict[str, Any], *arguments: str, access: str = ""
) -> dict[str, tuple[str, ...]]:
    chosen = release_of(version)
    prefix = annotation_prefix(chosen)
    annotations = {f"{prefix}hostname": HOST} | ({f"{prefix}access": access} if access else {})
    service = {
        "kind": "Service",
        "metadata": {"namespace": "shop", "name": "web", "annotations": annotations},
        "spec": {"selector": {"app": "web"}, **spec},
    }
    given = parse(["--source=service", "--policy=sync", *arguments], chosen, {})
    context = SourceContext(chosen, given, others=lambda kind: OBJECTS.get(kind, ()))
    return {f"{one.name} {one.type}": one.targets for one in ServiceSource(context).endpoints([service])}


@pytest.mark.parametrize("version", READ)
@pytest.mark.parametrize(
    ("policy", "access", "targets"),
    [
        ("Cluster", "", ("192.0.2.1", "192.0.2.2")),
        ("Cluster", "public", ("192.0.2.1", "192.0.2.2")),
        ("Cluster", "private", ("10.0.0.1", "10.0.0.2")),
        ("Local", "", ("192.0.2.1",)),
    ],
)
def test_a_node_port_service_gets_the_nodes(
    version: str, policy: str, access: str, targets: tuple[str, ...]
) -> None:
    spec = {"type": "NodePort", "externalTrafficPolicy": policy, "ports": [{"port": 80, "nodePort": 30080}]}
    end = "." if release_of(version).has(Fact.SRV_WITH_DOT) else ""
    assert _read(version, spec, access=access) == {
        f"{HOST} A": targets,
        f"_web._tcp.{HOST} SRV": (f"0 50 30080 {HOST}{end}",),
    }


@pytest.mark.parametrize("version", READ)
@pytest.mark.parametrize(
    ("flags", "wanted"),
    [
        ([], {f"{HOST} A": ("10.1.0.1",), f"zero.{HOST} A": ("10.1.0.1",)}),
        (["--publish-host-ip"], {f"{HOST} A": ("10.9.9.1",), f"zero.{HOST} A": ("10.9.9.1",)}),
        (
            ["--always-publish-not-ready-addresses"],
            {f"{HOST} A": ("10.1.0.1", "10.1.0.2"), f"zero.{HOST} A": ("10.1.0.1",)},
        ),
    ],
)
def test_a_headless_service_gets_its_pods(
    version: str, flags: list[str], wanted: dict[str, tuple[str, ...]]
) -> None:
    assert _read(version, {"type": "ClusterIP", "clusterIP": "None"}, *flags) == wanted


def test_a_pod_of_another_namespace_or_label_is_no_pod_of_the_service() -> None:
    far, other = _pod("web-0", "a"), _pod("api-0", "bb")
    far["metadata"]["namespace"] = "other"
    other["metadata"]["labels"] = {"app": "api"}
    objects = {"Node": OBJECTS["Node"], "Pod": [far, other]}
    service = {
        "metadata": {"namespace": "shop", "name": "web"},
        "spec": {"selector": {"app": "web"}, "externalTrafficPolicy": "Local"},
    }
    assert Cluster(lambda kind: objects.get(kind, ())).node_targets(service, None) == []


def test_only_ports_of_nodes_get_an_srv_record() -> None:
    ports = [{"port": 80}, {"port": 53, "nodePort": 30053, "protocol": "UDP"}]
    service = {"metadata": {"name": "web"}, "spec": {"ports": ports}}
    assert services_of_ports(service, HOST, NEWEST) == [(f"_web._udp.{HOST}", f"0 50 30053 {HOST}.")]
