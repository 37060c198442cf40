from __future__ import annotations

import random
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from testbed.dated_releases import LB_CONTROLLER_RELEASES
from testbed.lb_controller.controllers import load_balancer_status
from testbed.lb_controller.core.stack import Listener, Stack

ENTRIES = st.lists(
    st.fixed_dictionaries(
        {"hostname": st.sampled_from(["a", "b"])},
        optional={"ports": st.lists(st.sampled_from([{"port": 80}, {"port": 443}]), max_size=2)},
    ),
    max_size=3,
)


def test_newer_controllers_write_the_ports_of_all_listeners_and_v2_1_none() -> None:
    listeners = tuple(Listener(port=port, protocol="HTTP", default_actions=()) for port in (80, 443))
    stack = Stack(id="app", cluster_name="testbed", tag_prefix="ingress.k8s.aws", listeners=listeners)

    newest, old = (
        load_balancer_status.of_ingress("K8s-App.elb.amazonaws.com", stack, release)
        for release in (LB_CONTROLLER_RELEASES.newest, LB_CONTROLLER_RELEASES.oldest)
    )

    ports = [{"port": 80, "protocol": ""}, {"port": 443, "protocol": ""}]
    assert newest == [{"hostname": "k8s-app.elb.amazonaws.com", "ports": ports}]
    assert old == [{"hostname": "k8s-app.elb.amazonaws.com"}]


@given(ENTRIES, st.randoms(use_true_random=False))
def test_the_order_of_entries_and_ports_does_not_count(
    entries: list[dict[str, Any]], dice: random.Random
) -> None:
    shuffled = [dict(one) for one in entries]
    dice.shuffle(shuffled)
    for one in shuffled:
        if "ports" in one:
            one["ports"] = one["ports"][::-1]

    assert load_balancer_status.is_equal(entries, shuffled)
    assert not load_balancer_status.is_equal(entries, [*shuffled, {"hostname": "c"}])


def test_an_object_without_status_has_no_entries() -> None:
    assert load_balancer_status.entries({"status": {"loadBalancer": None}}) == ()
