from __future__ import annotations

from testbed.lb_controller.core.build_inputs import GroupID


def test_an_explicit_group_spans_namespaces_and_is_named_without_one() -> None:
    explicit, implicit = GroupID("", "app"), GroupID("default", "web")

    assert (explicit.is_explicit, str(explicit)) == (True, "app")
    assert (implicit.is_explicit, str(implicit)) == (False, "default/web")
