"""Which parts a fault may strike."""

from __future__ import annotations

import pytest

from testbed.errors import BadInput
from testbed.faults import KNOWN, PARTS
from testbed.faults.struck_part import StruckPart

STRUCK = [one for one in KNOWN.values() if issubclass(one, StruckPart)]


@pytest.mark.parametrize("fault", STRUCK, ids=lambda fault: fault.name)
def test_a_fault_takes_its_own_parts_and_refuses_the_others(fault: type[StruckPart]) -> None:
    for part in PARTS:
        if part in fault.parts:
            assert fault(part).text == f"{fault.name} {part}"
        else:
            with pytest.raises(BadInput, match="no part"):
                fault(part)
