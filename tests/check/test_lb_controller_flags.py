from __future__ import annotations

import pytest

from testbed.check import lb_controller_flags
from tests.check.conftest import Look
from tests.check.manifests_of_traps import INGRESS, PLAIN, SERVICE
from tests.check.test_unread_annotations import CONTROLLER
from tests.check.traps import Case, check_case, rules_of

RULE = "unknown-feature-gate"
ARGUMENT = "          args: ['--feature-gates={}=true']\n"


def controller(gate: str, release: str = "v2.10.1") -> str:
    return CONTROLLER.replace("RELEASE", release) + ARGUMENT.format(gate)


TRAPS = {RULE: Case((SERVICE, PLAIN, INGRESS, controller("LBCapacityReservation")), "4.yaml:12")}


@pytest.mark.parametrize("rule", TRAPS)
def test_a_trap_is_named_with_its_line_and_good_manifests_have_none(look: Look, rule: str) -> None:
    check_case(look, rule, TRAPS[rule])


def test_each_rule_has_a_case() -> None:
    assert rules_of(lb_controller_flags) == set(TRAPS)


def test_the_release_that_brought_a_gate_is_named_and_knows_it(look: Look) -> None:
    (found,) = look(controller("LBCapacityReservation"), rule=RULE)
    assert "it came with v2.11.0" in found.what
    assert look(controller("LBCapacityReservation", "v2.11.0"), rule=RULE) == []
    (found,) = look(controller("LBCapacity", "v3.5.0"), rule=RULE)
    assert found.do == "correct its name"
