from __future__ import annotations

import pytest
from botocore.session import Session

from testbed.dated_releases import LB_CONTROLLER_RELEASES
from testbed.lb_controller.core.iam_actions import ADDED, added

SERVICES = {"elasticloadbalancing": "elbv2", "ec2": "ec2"}


def test_the_actions_between_two_releases_are_those_that_came_between_them() -> None:
    releases = LB_CONTROLLER_RELEASES
    assert added(releases["v2.10.1"], releases["v2.11.0"]) == dict.fromkeys(ADDED["v2.11.0"].names, "v2.11.0")
    assert added(releases["v3.5.0"], releases["v2.8.3"]) == {}
    assert added(releases["v2.8.3"], releases["v2.8.3"]) == {}


@pytest.mark.parametrize("tag", ADDED)
def test_actions_are_operations_of_aws_and_have_a_source(tag: str) -> None:
    assert tag in LB_CONTROLLER_RELEASES
    assert ADDED[tag].source
    for name in ADDED[tag].names:
        service, _, operation = name.partition(":")
        assert operation in Session().get_service_model(SERVICES[service]).operation_names
