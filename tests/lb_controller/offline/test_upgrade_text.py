from __future__ import annotations

from testbed.dated_releases import LB_CONTROLLER_RELEASES
from testbed.lb_controller.core.build_inputs import ControllerOptions
from testbed.lb_controller.offline.upgrade import upgrade
from testbed.lb_controller.offline.upgrade_text import lines
from tests.lb_controller.offline.edits_of_a_shop import ingress, read


def text(old: str, new: str) -> str:
    options = [ControllerOptions(release=LB_CONTROLLER_RELEASES[tag]) for tag in (old, new)]
    manifests = read(ingress(minimum_load_balancer_capacity="CapacityUnits=100"))
    return "\n".join(lines(upgrade(manifests, *options)))


def test_calls_annotations_gates_and_iam_actions_are_listed() -> None:
    printed = text("v2.8.3", "v3.5.0")
    assert printed.startswith("From v2.8.3 to v3.5.0.\n\nv3.5.0 makes ")
    assert "at its start (+ made anew, ~ changed in place, - gone):" in printed
    assert "\nAnnotations that begin to count:\n  shop.yaml:" in printed
    assert "\n  LBCapacityReservation: not known → on" in printed
    assert "\n  elasticloadbalancing:ModifyCapacityReservation (since v2.11.0)" in printed
    assert (
        "\n  rules that move change their priority, so no request meets a gap; under v2.8.3, a rule"
        in printed
    )


def test_the_way_back_says_what_the_older_release_does() -> None:
    printed = text("v2.5.0", "v2.4.3")
    assert (
        "\n  group.order is a number from 1 to 1000 that no other Ingress of the group has; under v2.5.0,"
        in printed
    )
    assert "; under v2.5.0, a webhook gives each new Service of type LoadBalancer the class" in printed


def test_nothing_is_said_of_what_does_not_change() -> None:
    assert text("v3.5.0", "v3.5.0") == "From v3.5.0 to v3.5.0.\n\nv3.5.0 writes nothing to AWS at its start."
