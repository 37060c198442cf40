"""The registry of faults, and the ranges of their parameters."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from testbed import faults
from testbed.errors import BadInput
from testbed.faults.injected_fault import KNOWN, Reach
from testbed.faults.target_errors import TargetErrors
from testbed.faults.target_slow import TargetSlow

FOLDER = Path(faults.__file__).parent


def test_each_file_that_registers_a_fault_has_one_whose_name_it_bears() -> None:
    files = {path.stem for path in FOLDER.glob("*.py") if "@registered" in path.read_text(encoding="utf-8")}
    assert {name.replace("-", "_") for name in KNOWN} == files


@pytest.mark.parametrize("fault", KNOWN.values(), ids=KNOWN)
def test_each_fault_says_its_numbers_where_it_strikes_and_is_exported(fault: type) -> None:
    assert fault.numbers
    assert all(1 <= number <= 44 for number in fault.numbers)
    assert isinstance(fault.reach, Reach)
    assert getattr(faults, fault.__name__) is fault
    assert re.sub(r"(?<!^)(?=[A-Z])", "-", fault.__name__).lower() in (fault.name, "elbv2-throttled")


@pytest.mark.parametrize("share", [0, -1, 1.5, True, "half"])
def test_a_share_out_of_its_range_is_refused(share: float) -> None:
    with pytest.raises(BadInput, match="is not a share"):
        TargetErrors(share=share)


@pytest.mark.parametrize("seconds", [0, -1, float("inf"), float("nan"), True, "1s"])
def test_seconds_out_of_their_range_are_refused(seconds: float) -> None:
    with pytest.raises(BadInput, match="are not seconds"):
        TargetSlow(seconds)


def test_a_fault_reads_as_one_line() -> None:
    assert TargetErrors(503, 0.5).text == "target-errors 503 0.5"
