from __future__ import annotations

import re

from hypothesis import given
from hypothesis import strategies as st

from testbed.lb_controller.core import resource_names
from testbed.lb_controller.core.build_inputs import GroupID

WORDS = st.text("ab-.09", min_size=1, max_size=63)


@given(st.text("abc-", max_size=20), WORDS, WORDS, st.booleans())
def test_a_name_is_what_aws_takes(cluster: str, namespace: str, name: str, is_explicit: bool) -> None:
    group = GroupID("" if is_explicit else namespace, name)

    found = resource_names.load_balancer(cluster, group, "internal")

    assert len(found) <= 32
    assert re.fullmatch(r"[A-Za-z0-9-]+", found)


def test_the_scheme_is_part_of_the_identity() -> None:
    group = GroupID("", "app")

    assert resource_names.load_balancer("c", group, "internal") != resource_names.load_balancer(
        "c", group, "internet-facing"
    )
