from __future__ import annotations

from typing import Any

import pytest

from testbed.lb_controller import ownership
from testbed.lb_controller.inputs import ControllerOptions, Version
from tests.lb_controller.examples import service

NEWEST, OLD = Version.NEWEST, Version.V2_1
OURS = {"loadBalancerClass": "service.k8s.aws/nlb"}
OTHERS = {"loadBalancerClass": "example.com/lb"}
EXTERNAL = {"type": "external", "nlb_target_type": "ip"}


@pytest.mark.parametrize(
    ("annotations", "spec", "version", "expected"),
    [
        ({"type": "nlb-ip"}, {}, OLD, True),
        ({"type": "nlb-ip"}, {}, NEWEST, True),
        (EXTERNAL, {}, OLD, False),
        (EXTERNAL, {}, NEWEST, True),
        ({"type": "external"}, {}, NEWEST, False),
        ({"type": "nlb"}, {}, NEWEST, False),
        ({}, {}, NEWEST, False),
        ({}, OURS, NEWEST, True),
        ({}, OURS, OLD, False),
        ({"type": "nlb-ip"}, OTHERS, NEWEST, False),
    ],
)
def test_who_keeps_the_balancer_of_a_service(
    annotations: dict[str, str], spec: dict[str, Any], version: Version, expected: bool
) -> None:
    item = service(kind="LoadBalancer", spec=spec, **annotations)

    assert ownership.is_supported(item, ControllerOptions(version=version)) is expected


def test_a_service_on_its_way_out_is_cleaned_up() -> None:
    item = service(kind="LoadBalancer", type="nlb-ip")
    item["metadata"] |= {"deletionTimestamp": "2021-03-31T06:00:00Z", "finalizers": [ownership.FINALIZER]}

    assert not ownership.is_supported(item, ControllerOptions())
    assert ownership.is_pending_finalization(item)


def test_a_gate_leaves_other_types_of_services_alone() -> None:
    strict = ControllerOptions(feature_gates={ownership.ONLY_LOAD_BALANCERS_GATE: True})

    assert not ownership.is_supported(service(kind="ClusterIP", type="nlb-ip"), strict)
    assert ownership.is_supported(service(kind="LoadBalancer", type="nlb-ip"), strict)
