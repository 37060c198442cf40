from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from testbed.lb_controller.core import resource_names
from testbed.lb_controller.core.build_inputs import GroupID
from testbed.lb_controller.core.frontend import INTERNAL, INTERNET_FACING, LONGEST_NAME

NAMES = st.text("abcdefghijklmnopqrstuvwxyz0123456789-.", min_size=1, max_size=63)


@given(st.just("") | NAMES, NAMES)
def test_the_name_of_a_load_balancer_differs_by_scheme_and_is_never_too_long(
    namespace: str, name: str
) -> None:
    group = GroupID(namespace, name)

    names = {resource_names.load_balancer("testbed", group, scheme) for scheme in (INTERNAL, INTERNET_FACING)}

    assert len(names) == 2
    assert all(len(one) <= LONGEST_NAME for one in names)
