"""The webhook that claims new Services."""

from __future__ import annotations

from typing import Any

import pytest

from testbed.dated_releases import LB_CONTROLLER_RELEASES
from testbed.kubernetes import ObjectStore
from testbed.lb_controller.core.build_inputs import ControllerOptions
from testbed.lb_controller.service import service_mutator
from tests.lb_controller.examples import service

NLB = "service.k8s.aws/nlb"


def options(tag: str = "v2.5.0", **further: Any) -> ControllerOptions:
    return ControllerOptions(release=LB_CONTROLLER_RELEASES[tag], **further)


@pytest.mark.parametrize(
    ("item", "of", "expected"),
    [
        (service(kind="LoadBalancer", type="nlb"), options(), NLB),
        (service(kind="LoadBalancer"), options(), NLB),
        (service(kind="LoadBalancer"), options(load_balancer_class="own/nlb"), "own/nlb"),
        (service(kind="LoadBalancer", spec={"loadBalancerClass": "x/y"}), options(), "x/y"),
        (service(kind="NodePort"), options(), None),
        (service(kind="LoadBalancer"), options("v2.4.7"), None),
        (service(kind="LoadBalancer"), options(service_webhook=False), None),
    ],
)
def test_a_new_service_of_type_load_balancer_gets_the_class(
    item: dict[str, Any], of: ControllerOptions, expected: str | None
) -> None:
    assert service_mutator.as_created(item, of)["spec"].get("loadBalancerClass") == expected


def test_what_stands_before_the_controller_keeps_no_class_and_what_is_applied_again_keeps_its_own() -> None:
    store, begun = ObjectStore(), [False]
    store.mutators.append(service_mutator.mutator(options(), lambda: begun[0]))
    old, new = service("old", kind="LoadBalancer"), service("new", kind="LoadBalancer")
    new["spec"]["ports"][0]["nodePort"] = 30081
    store.put(old)
    begun[0] = True
    store.put(new)
    for item in (old, new):
        item["metadata"]["annotations"]["edited"] = "yes"
        store.put(item)
    classes = {one["metadata"]["name"]: one["spec"].get("loadBalancerClass") for one in store.list("Service")}
    assert classes == {"old": None, "new": NLB}
