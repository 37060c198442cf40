from __future__ import annotations

import hashlib
from typing import Any

import pytest

from testbed.lb_controller.core.build_inputs import BuildError, ClusterState, ControllerOptions, Subnet
from testbed.lb_controller.service import in_tree_nlb

OPTIONS = ControllerOptions()
CLUSTER = ClusterState(subnets=(Subnet(id="subnet-a"), Subnet(id="subnet-b")))


def service(annotations: dict[str, str] | None = None, **spec: Any) -> dict[str, Any]:
    return {
        "kind": "Service",
        "metadata": {
            "namespace": "default",
            "name": "envoy",
            "uid": "2f4b6d8e-0a1c-4e5f-8a9b-0c1d2e3f4a5b",
            "annotations": {
                "service.beta.kubernetes.io/aws-load-balancer-type": "nlb",
                **{
                    f"service.beta.kubernetes.io/aws-load-balancer-{k}": v
                    for k, v in (annotations or {}).items()
                },
            },
        },
        "spec": {
            "type": "LoadBalancer",
            "ports": [
                {"name": "https", "port": 443, "nodePort": 30443, "protocol": "TCP"},
                {"name": "http", "port": 80, "nodePort": 30080, "protocol": "TCP"},
            ],
            **spec,
        },
    }


def test_each_port_has_a_tcp_listener_and_an_instance_target_group_on_its_node_port() -> None:
    stack = in_tree_nlb.build(service(), CLUSTER, OPTIONS)
    assert stack.load_balancer is not None
    assert stack.load_balancer.name == "a2f4b6d8e0a1c4e5f8a9b0c1d2e3f4a5"
    assert len(stack.load_balancer.name) == 32
    assert stack.load_balancer.scheme == "internet-facing"
    assert [(one.port, one.protocol) for one in stack.listeners] == [(443, "TCP"), (80, "TCP")]
    assert [(one.port, one.target_type, one.protocol) for one in stack.target_groups] == [
        (30443, "instance", "TCP"),
        (30080, "instance", "TCP"),
    ]
    assert [one.service_port for one in stack.bindings] == [443, 80]


def test_the_health_check_is_tcp_every_30_seconds() -> None:
    check = in_tree_nlb.build(service(), CLUSTER, OPTIONS).target_groups[0].health_check
    assert (check.protocol, check.port) == ("TCP", "traffic-port")
    assert (check.interval_seconds, check.timeout_seconds) == (30, 10)
    assert (check.healthy_threshold, check.unhealthy_threshold) == (3, 3)


def test_local_traffic_policy_is_checked_over_http_on_the_health_check_node_port() -> None:
    local = service(externalTrafficPolicy="Local", healthCheckNodePort=31000)
    check = in_tree_nlb.build(local, CLUSTER, OPTIONS).target_groups[0].health_check
    assert (check.protocol, check.port, check.path) == ("HTTP", 31000, "/healthz")
    assert (check.interval_seconds, check.healthy_threshold, check.unhealthy_threshold) == (10, 2, 2)


def test_the_target_group_name_hashes_all_that_cannot_be_modified() -> None:
    name = in_tree_nlb.build(service(), CLUSTER, OPTIONS).target_groups[0].name
    digest = hashlib.sha1(b"testbeddefaultenvoy44330443TCPinstanceTCP30").hexdigest()
    assert name == f"k8s-default-envoy-{digest[:10]}"


@pytest.mark.parametrize(
    ("value", "scheme"),
    [("false", "internet-facing"), ("", "internet-facing"), ("true", "internal"), ("0.0.0.0/0", "internal")],
)
def test_any_text_but_false_makes_it_internal(value: str, scheme: str) -> None:
    stack = in_tree_nlb.build(service({"internal": value}), CLUSTER, OPTIONS)
    assert stack.load_balancer is not None
    assert stack.load_balancer.scheme == scheme


def test_a_certificate_makes_tls_listeners_for_the_named_ports_only() -> None:
    stack = in_tree_nlb.build(service({"ssl-cert": "arn:c", "ssl-ports": "https"}), CLUSTER, OPTIONS)
    assert [(one.protocol, one.certificates) for one in stack.listeners] == [("TLS", ("arn:c",)), ("TCP", ())]
    assert {one.protocol for one in stack.target_groups} == {"TCP"}


def test_backend_protocol_ssl_makes_tls_target_groups() -> None:
    stack = in_tree_nlb.build(service({"ssl-cert": "arn:c", "backend-protocol": "ssl"}), CLUSTER, OPTIONS)
    assert {one.protocol for one in stack.target_groups} == {"TLS"}


def test_tags_of_the_user_and_of_the_provider_stand_beside_each_other() -> None:
    stack = in_tree_nlb.build(service({"additional-resource-tags": "team=a=b, cost=,only"}), CLUSTER, OPTIONS)
    assert stack.load_balancer is not None
    assert stack.load_balancer.tags == {"team": "a", "cost": "", "only": ""}
    assert stack.stack_tags() == {
        "kubernetes.io/service-name": "default/envoy",
        "kubernetes.io/cluster/testbed": "owned",
    }


def test_cross_zone_and_access_logs_follow_the_annotations() -> None:
    quiet = in_tree_nlb.build(service(), CLUSTER, OPTIONS).load_balancer
    loud = in_tree_nlb.build(
        service(
            {
                "cross-zone-load-balancing-enabled": "1",
                "access-log-enabled": "true",
                "access-log-s3-bucket-name": "b",
            }
        ),
        CLUSTER,
        OPTIONS,
    ).load_balancer
    assert quiet is not None
    assert loud is not None
    assert quiet.attributes == {
        "load_balancing.cross_zone.enabled": "false",
        "access_logs.s3.enabled": "false",
    }
    assert loud.attributes == {
        "load_balancing.cross_zone.enabled": "true",
        "access_logs.s3.enabled": "true",
        "access_logs.s3.bucket": "b",
        "access_logs.s3.prefix": "",
    }


@pytest.mark.parametrize(
    ("annotations", "spec", "text"),
    [
        ({}, {"sessionAffinity": "ClientIP"}, "unsupported load balancer affinity: ClientIP"),
        ({}, {"ports": []}, "requested load balancer with no ports"),
        ({}, {"ports": [{"port": 1, "protocol": "SCTP"}]}, "Protocol SCTP not supported by LoadBalancer"),
        ({"access-log-enabled": "yes"}, {}, "error parsing service annotation: "),
        (
            {"eip-allocations": "eip-1"},
            {},
            "Must have same number of EIP AllocationIDs (1) and SubnetIDs (2)",
        ),
    ],
    ids=["affinity", "no ports", "sctp", "boolean", "addresses"],
)
def test_what_the_provider_refuses_is_reported_in_its_words(
    annotations: dict[str, str], spec: dict[str, Any], text: str
) -> None:
    with pytest.raises(BuildError) as refused:
        in_tree_nlb.build(service(annotations, **spec), CLUSTER, OPTIONS)
    assert text in str(refused.value)


def test_a_port_without_node_port_is_left_out() -> None:
    ports = [{"port": 80}, {"port": 443, "nodePort": 30443}]
    stack = in_tree_nlb.build(service(ports=ports), CLUSTER, OPTIONS)
    assert [one.port for one in stack.listeners] == [443]


@pytest.mark.parametrize("kind", ["nlb-ip", "external", ""])
def test_services_of_other_controllers_are_left_alone(kind: str) -> None:
    assert not in_tree_nlb.owns(service({"type": kind}))
    assert not in_tree_nlb.owns(service(type="ClusterIP"))
    assert not in_tree_nlb.owns(service(loadBalancerClass="service.k8s.aws/nlb"))
    assert in_tree_nlb.owns(service())
