"""Which variables of a script stand for one constant."""

from __future__ import annotations

import ast

from testbed.rehearsal.script_constants import bound_otherwise, constants_of


def test_a_text_that_is_assigned_once_is_a_constant_and_one_assigned_twice_is_not() -> None:
    module = ast.parse('a = "x"\nb, c = "y", 1 + 1\nd = "1"\nd = "2"\ne = f"{a}"')
    assert set(constants_of(module.body)) == {"a", "b", "e"}


def test_what_a_loop_or_a_with_sets_is_bound_otherwise() -> None:
    module = ast.parse("a = 1\nfor b in []: pass\nwith x() as c: pass\na2 = (d := 3)")
    assert bound_otherwise(ast.walk(module)) == {"b", "c", "d"}
