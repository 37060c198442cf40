"""What a fault of the name servers does to an answer."""

from __future__ import annotations

from testbed.faults import KNOWN, Reach
from testbed.faults.spoiled_answers import Spoiled, SpoiledAnswers


def test_each_effect_is_that_of_one_fault() -> None:
    spoilers = [one for one in KNOWN.values() if issubclass(one, SpoiledAnswers)]
    assert sorted(one.effect.name for one in spoilers) == sorted(one.name for one in Spoiled)
    assert {one.reach for one in spoilers} == {Reach.DNS}
