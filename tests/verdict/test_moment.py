from __future__ import annotations

from testbed.verdict.moment import Moment, MomentKind


def test_a_moment_need_not_concern_a_balancer() -> None:
    assert Moment(MomentKind.ALIAS_DELETED, 1.0, "The alias was deleted").balancer == ""


def test_no_kind_speaks_of_a_type_of_balancer() -> None:
    assert not [kind for kind in MomentKind if {"nlb", "alb"} & set(kind.value.lower().split())]
