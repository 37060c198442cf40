from __future__ import annotations

from testbed.dated_releases import LB_CONTROLLER_RELEASES
from testbed.lb_controller.core.helm_chart import INGRESS_CLASS
from testbed.lb_controller.ingress import ingress_classes
from testbed.lb_controller.ingress.ingress_classes import IngressObjects
from tests.lb_controller.examples import ingress


def test_the_controller_handles_the_class_that_its_chart_installs() -> None:
    item = ingress("web", spec={"ingressClassName": INGRESS_CLASS["metadata"]["name"]})
    del item["metadata"]["annotations"]["kubernetes.io/ingress.class"]
    known = IngressObjects.of([INGRESS_CLASS, item])

    member, is_handled = ingress_classes.classify(
        item, known, ingress_class="alb", manage_unclassified=False, release=LB_CONTROLLER_RELEASES.newest
    )

    assert is_handled
    assert member.ingress_class == INGRESS_CLASS
