from __future__ import annotations

from typing import Any

import pytest

from testbed.clock import Clock
from testbed.kubernetes import Change, ObjectStore, WatchEvent
from testbed.lb_controller.controllers.nlb_service_controller import NlbServiceController
from testbed.lb_controller.controllers.service_balancers import ServiceKey
from testbed.lb_controller.core.build_inputs import ControllerOptions
from testbed.lb_controller.deploy.account_state import Account
from tests.lb_controller.controllers.cluster_at_work import nlb_service


@pytest.mark.parametrize(
    ("change", "tasks"), [(Change.ADDED, ["balancer of default/envoy"]), (Change.DELETED, [])]
)
def test_a_deleted_service_needs_nothing_more_as_its_finalizer_held_it(
    aws: Any, change: Change, tasks: list[str]
) -> None:
    options = ControllerOptions()
    account = Account(aws.elbv2, aws.acm, options.cluster_name, aws.subnets)
    controller = NlbServiceController(ObjectStore(), account, options, Clock(), lambda level, line: None)

    found = controller.tasks_of(WatchEvent(change, nlb_service(), 1))

    assert [str(task) for task in found] == tasks


def test_a_service_is_named_as_kubernetes_prints_it() -> None:
    assert str(ServiceKey("default", "envoy")) == "default/envoy"
