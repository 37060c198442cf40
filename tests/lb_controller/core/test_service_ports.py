from __future__ import annotations

from typing import Any

import pytest

from testbed.lb_controller.core import service_ports
from testbed.lb_controller.core.build_inputs import BuildError
from testbed.lb_controller.core.service_ports import INSTANCE, IP
from tests.lb_controller.examples import service


def test_a_port_is_found_by_name_or_number_but_never_by_its_target_port() -> None:
    backend = service()

    assert service_ports.service_port(backend, "http")["port"] == 80
    assert service_ports.service_port(backend, 80)["name"] == "http"
    with pytest.raises(BuildError, match="unable to find port 8080 on service default/web"):
        service_ports.service_port(backend, 8080)


@pytest.mark.parametrize(
    ("port", "target_type", "number"),
    [
        ({"port": 80, "targetPort": 8080, "nodePort": 30080}, INSTANCE, 30080),
        ({"port": 80, "targetPort": 8080}, INSTANCE, 0),
        ({"port": 80, "targetPort": 8080}, IP, 8080),
        ({"port": 80}, IP, 80),
        ({"port": 80, "targetPort": "http"}, IP, service_ports.UNKNOWN_PORT),
    ],
    ids=["node port", "no node port", "target port", "port", "named"],
)
def test_the_port_of_a_target_group_follows_from_the_type_of_its_targets(
    port: dict[str, Any], target_type: str, number: int
) -> None:
    assert service_ports.target_group_port(port, target_type) == number


def test_a_health_check_port_is_a_number_the_traffic_port_or_a_named_port() -> None:
    backend = service(kind="NodePort")

    found = [
        service_ports.resolve_health_check_port(backend, text, target_type)
        for text, target_type in (("traffic-port", IP), ("9000", IP), ("http", IP), ("http", INSTANCE))
    ]

    assert found == ["traffic-port", 9000, 8080, 30080]


def test_a_health_check_cannot_use_a_port_whose_target_port_has_a_name() -> None:
    backend = service(spec={"ports": [{"name": "http", "port": 80, "targetPort": "web"}]})

    with pytest.raises(BuildError, match="cannot use named healthCheckPort for IP TargetType"):
        service_ports.resolve_health_check_port(backend, "http", IP)
