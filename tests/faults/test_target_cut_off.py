"""`TargetCutOff`, which only containers can play."""

from __future__ import annotations

import pytest

from testbed.errors import BadInput
from testbed.faults.injected_fault import Reach
from testbed.faults.target_cut_off import TargetCutOff
from testbed.rehearsal.fault_schedule import check_faults
from testbed.runtime.compose.composed import Composed
from testbed.runtime.processes import Processes


def test_it_is_played_where_addresses_can_be_taken_and_refused_elsewhere() -> None:
    fault = TargetCutOff("envoy-0")
    assert fault.reach is Reach.CUT_OFF
    check_faults([fault], Composed.reaches)
    with pytest.raises(BadInput, match="cannot play target-cut-off envoy-0"):
        check_faults([fault], Processes.reaches)
