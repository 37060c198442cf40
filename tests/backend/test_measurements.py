from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from testbed.backend.measurements import measure


@given(st.text())
def test_every_id_has_one_foot_of_human_size(identifier):
    foot = measure(identifier)
    assert foot == measure(identifier)
    assert 200 <= foot.length < 320
    assert 75 <= foot.width < 120
