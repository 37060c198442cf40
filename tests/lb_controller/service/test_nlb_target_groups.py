from __future__ import annotations

import pytest

from testbed.lb_controller.core.build_inputs import BuildError, ControllerOptions
from testbed.lb_controller.core.service_ports import INSTANCE, IP
from testbed.lb_controller.service import nlb_target_groups
from testbed.lb_controller.service.nlb_target_groups import PROXY_PROTOCOL
from tests.lb_controller.examples import service

PORT = {"name": "http", "port": 80, "targetPort": 8080, "nodePort": 30080}


@pytest.mark.parametrize(
    ("annotations", "target_type"),
    [({}, INSTANCE), ({"nlb_target_type": "ip"}, IP), ({"type": "nlb-ip"}, IP)],
)
def test_targets_are_instances_unless_an_annotation_asks_for_ips(
    annotations: dict[str, str], target_type: str
) -> None:
    item = service(kind="LoadBalancer", **annotations)

    assert nlb_target_groups.target_type(item, PORT, ControllerOptions()) == target_type


def test_instances_need_a_node_port() -> None:
    item = service(kind="LoadBalancer", spec={"allocateLoadBalancerNodePorts": False})

    with pytest.raises(BuildError, match="instance target type with an unallocated NodePort"):
        nlb_target_groups.target_type(item, {"port": 80}, ControllerOptions())


@pytest.mark.parametrize(
    ("annotations", "is_on"),
    [
        ({}, "false"),
        ({"proxy_protocol": "*"}, "true"),
        ({"target_group_attributes": "proxy_protocol_v2.enabled=true"}, "true"),
        ({"proxy_protocol_per_target_group": "80, 443"}, "true"),
        ({"proxy_protocol_per_target_group": "443"}, "false"),
    ],
)
def test_the_proxy_protocol_is_off_unless_an_annotation_turns_it_on(
    annotations: dict[str, str], is_on: str
) -> None:
    item = service(kind="LoadBalancer", **annotations)

    assert nlb_target_groups.attributes(item, PORT)[PROXY_PROTOCOL] == is_on


def test_another_value_of_the_proxy_protocol_is_refused() -> None:
    with pytest.raises(BuildError, match="only value currently supported is"):
        nlb_target_groups.attributes(service(proxy_protocol="80"), PORT)


@pytest.mark.parametrize(
    ("target_type", "attribute", "preserves"),
    [(INSTANCE, None, True), (IP, None, False), (INSTANCE, "false", False), (IP, "true", True)],
)
def test_instances_see_the_client_and_ips_do_not_unless_the_attribute_says_otherwise(
    target_type: str, attribute: str | None, preserves: bool
) -> None:
    attributes = {} if attribute is None else {nlb_target_groups.PRESERVE_CLIENT_IP: attribute}

    assert nlb_target_groups.preserves_client_ip(target_type, attributes) is preserves
