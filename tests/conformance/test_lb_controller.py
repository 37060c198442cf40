"""The AWS Load Balancer Controller's own cases: every one passes, or is left out by name and reason."""

from __future__ import annotations

import pytest

from tests.conformance.lb_controller import cases, ingress_runners, service_runners
from tests.conformance.lb_controller.cases import Case
from tests.conformance.lb_controller.left_out import LEFT_OUT

OF_DEPLOYMENT = ("deploy-drift", "readiness-gates")  # test_lb_controller_deploy.py has them
CASES = tuple(case for case in cases.load() if case.area not in OF_DEPLOYMENT)
OF_SERVICES = ("nlb-service-e2e", "nlb-service-units")


@pytest.mark.skipif(not CASES, reason=f"no cases in {cases.folder()}")
@pytest.mark.parametrize(
    "case",
    [
        pytest.param(case, marks=pytest.mark.conformance("aws-lb", f"{case.area}.yaml", case.id), id=case.id)
        for case in CASES
    ],
)
def test_the_controller_decides_as_upstream(case: Case) -> None:
    reason = LEFT_OUT.get(case.id) or LEFT_OUT.get(case.test)
    if reason:
        pytest.skip(reason)
    if case.area in OF_SERVICES:  # some of its tests are named as those of Ingresses
        service_runners.RUNNERS[case.test](case)
    else:
        ingress_runners.RUNNERS[case.test](case)
