"""The AWS Load Balancer Controller's own cases: every one passes, or is left out by name and reason."""

from __future__ import annotations

import pytest

from tests.conformance.lb_controller import cases, ingress_runners
from tests.conformance.lb_controller.cases import Case
from tests.conformance.lb_controller.left_out import LEFT_OUT

CASES = tuple(cases.load())
RUNNERS = {"": ingress_runners.RUNNERS}


@pytest.mark.conformance
@pytest.mark.skipif(not CASES, reason=f"no cases in {cases.folder()}")
@pytest.mark.parametrize("case", CASES, ids=lambda case: case.id)
def test_the_controller_decides_as_upstream(case: Case) -> None:
    reason = LEFT_OUT.get(case.id) or LEFT_OUT.get(case.test)
    if reason:
        pytest.skip(reason)
    ingress_runners.RUNNERS[case.test](case)
