# ruff: noqa: E501 the cases read best one a line
from __future__ import annotations

from collections.abc import Collection
from typing import Any

import pytest

from testbed.kubernetes.rules.service_rules import SOURCE_RANGES_ANNOTATION, problems, taken_node_port

BALANCER = {"type": "LoadBalancer", "ports": [{"port": 443}]}


def words(
    spec: dict[str, Any],
    old: dict[str, Any] | None = None,
    node_ports: Collection[int] = (),
    **annotations: str,
) -> list[str]:
    item = {"metadata": {"name": "envoy", "annotations": annotations}, "spec": spec}
    return [str(problem) for problem in problems(item, {"spec": old} if old else None, node_ports)]


@pytest.mark.parametrize(
    "spec",
    [
        BALANCER,
        {"clusterIP": "None"},
        {"ports": [{"port": 80, "targetPort": "http"}], "trafficDistribution": "PreferClose"},
        {"type": "ExternalName", "externalName": "example.com."},
        {"ports": [{"name": "a", "port": 53}, {"name": "b", "port": 53, "protocol": "UDP"}]},
        {**BALANCER, "externalTrafficPolicy": "Local", "healthCheckNodePort": 30001},
        {
            **BALANCER,
            "loadBalancerSourceRanges": [" 10.0.0.0/8 "],
            "loadBalancerClass": "service.k8s.aws/nlb",
        },
        {**BALANCER, "allocateLoadBalancerNodePorts": False, "sessionAffinity": "ClientIP"},
        {"ports": [{"port": 80}], "externalIPs": ["10.0.0.1"], "externalTrafficPolicy": "Local"},
        {"type": "NodePort", "ports": [{"port": 80, "nodePort": 32767}]},
        {"ports": [{"port": 80}], "clusterIP": "10.0.0.1", "clusterIPs": ["10.0.0.1", "fd00::1"]},
        {"ports": [{"port": 80, "targetPort": 0, "nodePort": 0, "name": ""}]},
    ],
)
def test_what_the_api_server_takes_is_taken(spec: dict[str, Any]) -> None:
    assert words(spec) == []


@pytest.mark.parametrize(
    ("spec", "refused"),
    [
        ({}, "spec.ports: Required value"),
        ({"type": "Outside", "ports": [{"port": 1}]}, "spec.type: Unsupported value"),
        ({"type": "ExternalName"}, "spec.externalName: Required value"),
        ({"type": "ExternalName", "externalName": "A"}, 'spec.externalName: Invalid value: "A"'),
        (
            {"type": "ExternalName", "externalName": "a", "clusterIP": "10.0.0.1"},
            "spec.clusterIPs: Forbidden: may not be set for ExternalName services",
        ),
        (
            {"type": "NodePort", "clusterIP": "None"},
            "spec.clusterIPs[0]: Invalid value: \"None\": may not be set to 'None' for NodePort services",
        ),
        ({"ports": [{"port": 1}, {"port": 2, "name": "b"}]}, "spec.ports[0].name: Required value"),
        ({"ports": [{"port": 1, "name": "a_b"}]}, 'spec.ports[0].name: Invalid value: "a_b"'),
        ({"ports": [{}]}, "spec.ports[0].port: Invalid value: 0: must be between 1 and 65535, inclusive"),
        ({"ports": [{"port": 1, "protocol": "tcp"}]}, 'spec.ports[0].protocol: Unsupported value: "tcp"'),
        ({"ports": [{"port": 1, "targetPort": -1}]}, "spec.ports[0].targetPort: Invalid value: -1"),
        ({"ports": [{"port": 1, "targetPort": "8080"}]}, 'spec.ports[0].targetPort: Invalid value: "8080"'),
        ({"ports": [{"port": 1, "appProtocol": "a b"}]}, 'spec.ports[0].appProtocol: Invalid value: "a b"'),
        ({"ports": [{"port": 1}], "selector": {"app": "a b"}}, 'spec.selector: Invalid value: "a b"'),
        ({"ports": [{"port": 1}], "sessionAffinity": "Cookie"}, "spec.sessionAffinity: Unsupported value"),
        (
            {
                "ports": [{"port": 1}],
                "sessionAffinity": "ClientIP",
                "sessionAffinityConfig": {"clientIP": {"timeoutSeconds": 0}},
            },
            "spec.sessionAffinityConfig.clientIP.timeoutSeconds: Invalid value: 0: must be greater than 0 and less "
            "than 86400",
        ),
        ({"ports": [{"port": 1}], "externalIPs": ["a"]}, 'spec.externalIPs[0]: Invalid value: "a": must be a valid'),
        ({"ports": [{"port": 1}], "externalIPs": ["127.0.0.1"]}, "may not be in the loopback range"),
        ({"ports": [{"port": 1}], "externalIPs": ["169.254.1.1"]}, "may not be in the link-local range"),
        ({"ports": [{"port": 1}], "externalIPs": ["0.0.0.0"]}, "may not be unspecified (0.0.0.0)"),
        ({"ports": [{"port": 1}], "externalIPs": ["224.0.0.1"]}, "may not be in the link-local multicast range"),
        ({"ports": [{"port": 1}], "externalIPs": ["ff02::1"]}, "may not be in the link-local multicast range"),
        ({"ports": [{"port": 1}], "clusterIP": "x"}, 'spec.clusterIPs[0]: Invalid value: "x": must be a valid IP'),
        (
            {"type": "ExternalName", "externalName": "a", "ipFamilies": ["IPv4"]},
            "spec.ipFamilies: Forbidden: may not be set for ExternalName services",
        ),
        (
            {**BALANCER, "externalTrafficPolicy": "Local", "healthCheckNodePort": 65536},
            "spec.healthCheckNodePort: Invalid value: 65536: must be between 1 and 65535, inclusive",
        ),
        (
            {**BALANCER, "externalTrafficPolicy": "Local", "healthCheckNodePort": 80},
            "spec.healthCheckNodePort: Invalid value: 80: failed to allocate requested HealthCheck NodePort 80: "
            "provided port is not in the valid range. The range of valid ports is 30000-32767",
        ),
        ({"ports": [{"port": 1}], "ipFamilies": ["IPv4", "IPv4"]}, 'spec.ipFamilies[1]: Duplicate value: "IPv4"'),
        (
            {"ports": [{"port": 1}], "clusterIPs": ["10.0.0.1"]},
            'spec.clusterIPs: Invalid value: []string{"10.0.0.1"}: must be empty when `clusterIP` is not specified',
        ),
        (
            {"ports": [{"port": 1}], "clusterIP": "10.0.0.1", "clusterIPs": ["10.0.0.2"]},
            'spec.clusterIPs: Invalid value: []string{"10.0.0.2"}: first value must match `clusterIP`',
        ),
        (
            {"clusterIP": "None", "clusterIPs": ["None", "10.0.0.2"]},
            "'None' must be the first and only value",
        ),
        (
            {"ports": [{"port": 1}], "clusterIP": "10.0.0.1", "clusterIPs": ["10.0.0.1", "x"]},
            'spec.clusterIPs[1]: Invalid value: "x": must be a valid IP address',
        ),
        (
            {"ports": [{"port": 1}], "clusterIP": "10.0.0.1", "clusterIPs": ["10.0.0.1", "::1", "::2"]},
            'Invalid value: []string{"10.0.0.1", "::1", "::2"}: may only hold up to 2 values',
        ),
        ({"ports": [{"port": 1}], "ipFamilies": ["IPv5"]}, "spec.ipFamilies[0]: Unsupported value"),
        ({"ports": [{"port": 1}], "ipFamilyPolicy": "Dual"}, "spec.ipFamilyPolicy: Unsupported value"),
        (
            {"ports": [{"port": 1, "nodePort": 30001}]},
            "spec.ports[0].nodePort: Forbidden: may not be used when `type` is 'ClusterIP'",
        ),
        ({"ports": [{"port": 1}], "loadBalancerClass": ""}, "spec.loadBalancerClass: Forbidden"),
        ({**BALANCER, "loadBalancerClass": "a/b/c"}, 'spec.loadBalancerClass: Invalid value: "a/b/c"'),
        ({"ports": [{"port": 1}], "loadBalancerSourceRanges": ["::/0"]}, "spec.LoadBalancerSourceRanges: Forbidden"),
        (
            {**BALANCER, "loadBalancerSourceRanges": ["10.0.0.0"]},
            'spec.LoadBalancerSourceRanges[0]: Invalid value: "10.0.0.0": must be a valid CIDR value',
        ),
        ({"ports": [{"port": 1}], "allocateLoadBalancerNodePorts": True}, "allocateLoadBalancerNodePorts: Forbidden"),
        ({**BALANCER, "externalTrafficPolicy": "local"}, "spec.externalTrafficPolicy: Unsupported value"),
        (
            {"ports": [{"port": 1}], "externalTrafficPolicy": "Local"},
            'spec.externalTrafficPolicy: Invalid value: "Local": may only be set for externally-accessible services',
        ),
        ({**BALANCER, "healthCheckNodePort": 30001}, "spec.healthCheckNodePort: Invalid value: 30001: may only be set"),
        ({**BALANCER, "internalTrafficPolicy": "Zone"}, "spec.internalTrafficPolicy: Unsupported value"),
        ({**BALANCER, "trafficDistribution": "Close"}, "spec.trafficDistribution: Unsupported value"),
    ],
)  # fmt: skip
def test_what_the_api_server_refuses_is_refused_in_its_words(spec: dict[str, Any], refused: str) -> None:
    (only,) = words(spec)
    assert refused in only


def test_ports_of_one_service_may_not_be_equal() -> None:
    port = {"port": 80, "name": "a", "nodePort": 30001}
    name, node_port, whole = words({"type": "NodePort", "ports": [port, port]})
    assert name == 'spec.ports[1].name: Duplicate value: "a"'
    assert node_port == "spec.ports[1].nodePort: Duplicate value: 30001"
    assert whole.startswith('spec.ports[1]: Duplicate value: core.ServicePort{Name:"", Protocol:"TCP"')


def test_a_node_port_lies_in_the_range_and_belongs_to_no_other_service() -> None:
    spec = {"type": "NodePort", "ports": [{"port": 80, "nodePort": 30080}]}
    path = ("spec", "ports", 0, "nodePort")
    assert words(spec, node_ports={30080}) == [str(taken_node_port(path, 30080))]
    assert words(spec, node_ports={30081}) == []
    spec["ports"] = [{"port": 80, "nodePort": 99}]
    assert words(spec) == [
        "spec.ports[0].nodePort: Invalid value: 99: provided port is not in the valid range. The range of valid "
        "ports is 30000-32767"
    ]


def test_source_ranges_may_stand_in_the_annotation_and_the_field_wins() -> None:
    annotation = {SOURCE_RANGES_ANNOTATION: "10.0.0.0/8, 10.0.0.0/99"}
    (refused,) = words(BALANCER, **annotation)
    assert refused.startswith(
        f'metadata.annotations[{SOURCE_RANGES_ANNOTATION}]: Invalid value: "10.0.0.0/99"'
    )
    assert words({**BALANCER, "loadBalancerSourceRanges": ["10.0.0.0/8"]}, **annotation) == []
    assert words(BALANCER, **{SOURCE_RANGES_ANNOTATION: " "}) == []


def test_some_fields_do_not_change_once_set() -> None:
    old = {**BALANCER, "clusterIP": "10.100.0.1", "loadBalancerClass": "a/b"}
    assert words(old, old) == []
    assert words({**old, "clusterIP": "10.100.0.2"}, old) == [
        'spec.clusterIPs[0]: Invalid value: []string{"10.100.0.2"}: may not change once set'
    ]
    assert words({**old, "loadBalancerClass": "a/c"}, old) == [
        'spec.loadBalancerClass: Invalid value: "a/c": may not change once set'
    ]
    assert words({"type": "ExternalName", "externalName": "a"}, old) == []
    local = {**BALANCER, "externalTrafficPolicy": "Local", "healthCheckNodePort": 30001}
    assert words({**local, "healthCheckNodePort": 30002}, local) == [
        "spec.healthCheckNodePort: Forbidden: field is immutable"
    ]
