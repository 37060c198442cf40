from __future__ import annotations

from typing import Any

from botocore.awsrequest import AWSResponse

from testbed.clock import Clock
from testbed.kubernetes import Change, ObjectStore, WatchEvent
from testbed.lb_controller.controllers.balancer_controller import Part, Task, is_relevant
from testbed.lb_controller.controllers.ingress_group_controller import IngressGroupController
from testbed.lb_controller.core.build_inputs import ControllerOptions
from testbed.lb_controller.deploy.account_state import Account
from tests.lb_controller.controllers.cluster_at_work import Cluster, backend_service, ingress, wait


def test_an_error_in_one_member_leaves_what_serves_and_is_reported_on_all(cluster: Cluster, aws: Any) -> None:
    cluster.store.put(backend_service())
    cluster.store.put(ingress("rest", "/*"))
    cluster.settle()
    aws.calls.clear()
    cluster.store.put(ingress("wrong", "/x", scheme="internet-facing"))
    cluster.store.put(ingress("rest", "/*", scheme="internal"))
    cluster.settle()
    assert len(cluster.balancers()) == 1
    for name in ("rest", "wrong"):
        message = dict(cluster.events(name))["FailedBuildModel"]
        assert message.startswith("Failed build model due to conflicting scheme: ")
    assert cluster.groups.queue.failing
    cluster.store.delete("Ingress", "default", "wrong")
    cluster.settle()
    assert cluster.store.get("Ingress", "default", "wrong") is None


def test_a_failed_deploy_is_retried_until_it_succeeds(cluster: Cluster, aws: Any) -> None:
    refused = []

    def refuse_thrice(operation: str, params: Any) -> Any:
        if operation == "CreateLoadBalancer" and len(refused) < 3:
            refused.append(operation)
            meta = {"HTTPStatusCode": 400, "RequestId": "r-1"}
            error = {"Error": {"Code": "TooManyLoadBalancers", "Message": "x"}, "ResponseMetadata": meta}
            return AWSResponse("http://refused", 400, {}, None), error
        return None

    aws.refuse = refuse_thrice
    cluster.store.put(backend_service())
    cluster.store.put(ingress("rest", "/*"))
    wait(lambda: cluster.hostname("Ingress", "rest") is not None)
    [event] = [text for reason, text in cluster.events("rest") if reason == "FailedDeployModel"]
    assert event == (
        "Failed deploy model due to operation error Elastic Load Balancing v2: CreateLoadBalancer, "
        "https response error StatusCode: 400, RequestID: r-1, TooManyLoadBalancers: x"
    )


def controller_of(store: ObjectStore, aws: Any) -> IngressGroupController:
    options = ControllerOptions()
    account = Account(aws.elbv2, aws.acm, options.cluster_name, aws.subnets)
    return IngressGroupController(store, account, options, Clock(), lambda level, line: None)


def test_a_change_of_the_status_alone_is_not_relevant() -> None:
    item = ingress("rest", "/*")
    status = {**item, "status": {"loadBalancer": {"ingress": [{"hostname": "alb"}]}}}
    annotated = {**item, "metadata": {**item["metadata"], "annotations": {}}}

    relevant = [
        is_relevant(WatchEvent(change, after, 1, before))
        for change, after, before in (
            (Change.ADDED, item, None),
            (Change.MODIFIED, status, item),
            (Change.MODIFIED, annotated, status),
            (Change.DELETED, item, item),
        )
    ]

    assert relevant == [True, False, True, True]


def test_a_status_of_an_object_that_was_deleted_meanwhile_is_dropped(aws: Any) -> None:
    store = ObjectStore()
    controller = controller_of(store, aws)

    controller.set_status(ingress("gone", "/*"), [{"hostname": "alb"}])
    controller.add_finalizer(ingress("gone", "/*"), "ingress.k8s.aws/resources")

    assert store.list("Ingress") == []


def test_a_task_is_named_by_its_part_and_its_owner() -> None:
    assert str(Task(Part.TARGETS, "app")) == "targets of app"
