from __future__ import annotations

from typing import Any

import pytest

from testbed.dated_releases import LB_CONTROLLER_RELEASES, Release
from testbed.lb_controller.core.build_inputs import ControllerOptions
from testbed.lb_controller.core.feature_gates import Gate
from testbed.lb_controller.service import service_ownership
from tests.lb_controller.examples import service

NEWEST, OLD = LB_CONTROLLER_RELEASES.newest, LB_CONTROLLER_RELEASES.oldest
OURS = {"loadBalancerClass": "service.k8s.aws/nlb"}
OTHERS = {"loadBalancerClass": "example.com/lb"}
EXTERNAL = {"type": "external", "nlb_target_type": "ip"}


@pytest.mark.parametrize(
    ("annotations", "spec", "release", "expected"),
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
    annotations: dict[str, str], spec: dict[str, Any], release: Release, expected: bool
) -> None:
    item = service(kind="LoadBalancer", spec=spec, **annotations)

    assert service_ownership.is_supported(item, ControllerOptions(release=release)) is expected


def test_a_service_on_its_way_out_is_cleaned_up() -> None:
    item = service(kind="LoadBalancer", type="nlb-ip")
    item["metadata"] |= {
        "deletionTimestamp": "2021-03-31T06:00:00Z",
        "finalizers": [service_ownership.FINALIZER],
    }

    assert not service_ownership.is_supported(item, ControllerOptions())
    assert service_ownership.is_pending_finalization(item)


def test_a_gate_leaves_other_types_of_services_alone() -> None:
    strict = ControllerOptions(feature_gates={Gate.SERVICE_TYPE_LOAD_BALANCER_ONLY.value: True})

    assert not service_ownership.is_supported(service(kind="ClusterIP", type="nlb-ip"), strict)
    assert service_ownership.is_supported(service(kind="LoadBalancer", type="nlb-ip"), strict)
