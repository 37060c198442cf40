from __future__ import annotations

from typing import Any

import pytest

from testbed.lb_controller.core import forward_actions
from testbed.lb_controller.core.build_inputs import BuildError, ClusterState
from testbed.lb_controller.core.forward_actions import BackendTarget

WEB = {"serviceName": "web", "servicePort": "80"}


def test_ports_written_as_text_and_the_weight_of_the_annotated_service_are_read() -> None:
    config = {"baseServiceWeight": 0, "targetGroups": [{**WEB, "weight": 5}]}
    forward = forward_actions.parse({"type": "forward", "forwardConfig": config})
    assert (forward.base_weight, forward.targets) == (0, (BackendTarget(service="web", port=80, weight=5),))


@pytest.mark.parametrize(
    ("entry", "text"),
    [
        ({}, "precisely one of TargetGroupArn, TargetGroupName and ForwardConfig can be specified"),
        (
            {"forwardConfig": {"targetGroups": [WEB, WEB]}},
            "invalid ForwardConfig: weight must be set when route to multiple target groups",
        ),
        (
            {"forwardConfig": {"targetGroups": [{"serviceName": "web"}]}},
            "invalid ForwardConfig: invalid TargetGroupTuple: missing servicePort",
        ),
    ],
)
def test_a_forward_without_one_clear_target_is_refused(entry: dict[str, Any], text: str) -> None:
    with pytest.raises(BuildError) as refused:
        forward_actions.parse(entry)
    assert str(refused.value) == text


def test_a_target_group_that_exists_is_found_by_arn_or_by_name() -> None:
    cluster = ClusterState(target_groups={"theirs": "arn:theirs"})
    assert forward_actions.existing_target_group(BackendTarget(service="web", port=80), cluster) is None
    assert (
        forward_actions.existing_target_group(BackendTarget(target_group_arn="arn:one"), cluster) == "arn:one"
    )
    by_name = BackendTarget(target_group_name="theirs")
    assert forward_actions.existing_target_group(by_name, cluster) == "arn:theirs"
    with pytest.raises(BuildError, match='target group "gone" not found'):
        forward_actions.existing_target_group(BackendTarget(target_group_name="gone"), cluster)
