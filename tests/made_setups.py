"""Setups for tests: that of the sample service, and one whose every field differs from its default."""

from __future__ import annotations

from testbed.rehearsal.scenario import Targets
from testbed.rehearsal.setup import ClusterSetup, Setup
from testbed.traffic.calls import Call
from testbed.traffic.description import Backend
from testbed.traffic.traffic_plan import ClientGroup

PLAIN = Setup(
    host="api.example.com",
    zone="example.com",
    clusters=(ClusterSetup(external_dns_version="v0.7.4"),),
)
TARGETS = Targets(
    labels={"app": "web"},
    namespace="shop",
    tls_ports=(9443, 9444),
    plain_ports=(9080,),
    port_names={"tls": 9443},
    proxy_protocol=True,
    name="web",
    server_names=("www.example.org",),
    plain_age=True,
)
WIDGETS = {
    "apiVersion": "apiextensions.k8s.io/v1",
    "kind": "CustomResourceDefinition",
    "metadata": {"name": "widgets.example.com"},
    "spec": {
        "group": "example.com",
        "scope": "Namespaced",
        "names": {"kind": "Widget", "plural": "widgets"},
        "versions": [
            {"name": "v1", "served": True, "storage": True, "schema": {"openAPIV3Schema": {"type": "object"}}}
        ],
    },
}
OTHER_TARGETS = Targets(labels={"app": "other"}, name="other")
OWN = Setup(
    host="www.example.org",
    zone="example.org.",
    clusters=(
        ClusterSetup(
            name="blue",
            external_dns_version="v0.22.0",
            external_dns_flags=("--source=service", "--registry=noop"),
            lb_controller_args=("--default-target-type=ip",),
            service_webhook=False,
            lb_controller="v3.5.0",
            external_dns_by="--external-dns",
            lb_controller_by="the scenario",
            external_dns_binary="./external-dns",
            external_dns_binary_release="v0.22",
            lb_controller_binary="./aws-load-balancer-controller",
            lb_controller_binary_release="v3.5.0",
            external_dns_is_open=True,
            lb_controller_is_open=True,
            targets=(TARGETS, OTHER_TARGETS),
            definitions=(WIDGETS,),
        ),
        ClusterSetup(name="green", external_dns_version="v0.7.5"),
    ),
    connection_age=17.5,
    balancer_provisioning=12.5,
    certificates={"arn:aws:acm:x": ["www.example.org"]},
    ipv6_clients=0.5,
    seed=7,
    clients=(ClientGroup("grpcio", 3, "unbound", 300.0), ClientGroup("java-http1", 2)),
    port=9443,
    calls=(
        Call("rest", "/carts/1", "PUT", "unary", 2.0, b"\x00\xff", (("a", "b"), ("c", "d")), 201),
        Call("grpc", "/shop.v1.Cart/Get"),
    ),
    backend=Backend(grpc="127.0.0.1:1", rest="127.0.0.1:2", command="serve"),
)
