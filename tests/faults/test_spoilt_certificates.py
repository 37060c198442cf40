"""Whose certificates a fault may spoil."""

from __future__ import annotations

from typing import Any

import pytest

from testbed.errors import BadInput
from testbed.faults import KNOWN
from testbed.faults.spoilt_certificates import PLACES, Spoilt, SpoiltCertificates

SPOILT = [one for one in KNOWN.values() if issubclass(one, SpoiltCertificates)]


def test_everything_that_can_be_wrong_has_a_fault() -> None:
    assert {one.how for one in SPOILT} == set(Spoilt)
    assert all([sample.at for sample in one.samples()] == list(PLACES) for one in SPOILT)


@pytest.mark.parametrize("fault", SPOILT, ids=lambda one: one.name)
def test_who_has_no_certificates_is_refused(fault: Any) -> None:
    with pytest.raises(BadInput, match="no certificates at"):
        fault("backends")
