"""A and AAAA alias of a claim share their labels from v0.16 to v0.20, and so the owner of one of the two."""

from __future__ import annotations

import random

import pytest

from testbed.external_dns.core import alias_pairs
from testbed.external_dns.core.endpoint import OWNER, RESOURCE, Endpoint
from testbed.external_dns.core.facts import release_of
from testbed.external_dns.core.plan import Changes, calculate
from testbed.external_dns.core.reasons import Reason

ALIAS = {"alias": "true"}
CLAIM = Endpoint("app.test", "A", ("new.test",), labels={RESOURCE: "ingress/default/web"}, properties=ALIAS)
PAIR = [CLAIM, CLAIM._replace(type="AAAA")]


def _planned(tag: str, *owners: str, dice: random.Random | None = None) -> Changes:
    """Plan a move of an A and an AAAA that have these owners; "" for none."""
    current = [
        Endpoint(
            "app.test", kind, ("old.test",), 300, labels={OWNER: owner} if owner else {}, properties=ALIAS
        )
        for kind, owner in zip(("A", "AAAA"), owners, strict=True)
    ]
    return calculate(current, PAIR, release=release_of(tag), policy="sync", owner="me", dice=dice)


def _types(endpoints: tuple[Endpoint, ...]) -> list[str]:
    return sorted(one.type for one in endpoints)


@pytest.mark.parametrize("tag", ["v0.15.1", "v0.16.0", "v0.20.0", "v0.21.0"])
def test_a_pair_of_ours_moves_together(tag: str) -> None:
    changes = _planned(tag, "me", "me")
    assert _types(changes.update_old) == _types(changes.update_new) == ["A", "AAAA"]


@pytest.mark.parametrize(("owner", "reason"), [("you", Reason.OTHER_OWNER), ("", Reason.NO_OWNER)])
def test_our_record_does_not_move_where_the_other_of_the_pair_is_not_ours(owner: str, reason: Reason) -> None:
    changes = _planned("v0.18.0", "me", owner)
    assert (_types(changes.update_old), changes.update_new) == (["A"], ())
    assert reason in [one.dropped for one in changes.decisions if one.type == "A"]


@pytest.mark.parametrize("tag", ["v0.15.1", "v0.21.0"])
def test_before_and_after_our_record_moves_alone(tag: str) -> None:
    changes = _planned(tag, "me", "")
    assert _types(changes.update_old) == _types(changes.update_new) == ["A"]


def test_from_v0_19_on_a_new_endpoint_may_meet_the_old_one_of_the_other_type() -> None:
    lists = {
        (*_types(changes.update_old), "to", *[one.type for one in changes.update_new])
        for seed in range(40)
        for changes in [_planned("v0.20.0", "me", "", dice=random.Random(seed))]
    }
    assert lists == {("A", "to"), ("A", "to", "A", "AAAA"), ("A", "to", "AAAA", "A")}


def test_in_v0_18_where_that_ends_the_process_it_is_not_played() -> None:
    for seed in range(40):
        assert _planned("v0.18.0", "me", "", dice=random.Random(seed)).update_new == ()


def test_without_a_parted_pair_the_changes_stay_as_they_are() -> None:
    changes = _planned("v0.21.0", "me", "me")
    dice = random.Random(1)
    found = alias_pairs.with_shared_owner(
        changes.decisions, changes.decisions, release_of("v0.20.0"), "me", dice
    )
    assert found is None
