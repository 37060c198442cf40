"""Reported situations that only a rehearsal or a standing topology shows, answered as `expected.txt` says."""

from __future__ import annotations

import pytest

from tests.conformance.reported_situations import PLAYED, Part
from tests.conformance.test_reported_situations import FOLDER, check_part, each_part

pytestmark = [
    pytest.mark.chaos,
    pytest.mark.skipif(not FOLDER.is_dir(), reason=f"{FOLDER} is not here"),
]


@pytest.mark.parametrize(("name", "part"), each_part(PLAYED))
def test_a_reported_situation_is_played_as_is_right(name: str, part: Part) -> None:
    check_part(name, part)
