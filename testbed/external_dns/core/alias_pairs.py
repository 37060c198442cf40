"""A and AAAA alias of one claim, which share their labels from v0.16 to v0.20. Pure.

```
records      A of owner me, AAAA of nobody            both differ from the claim
old          A                                         the owner of each record counts
new          A, AAAA  or  none                         the labels are one map: whichever was planned last
```

So the lists of old and new endpoints part in length, and the provider pairs the wrong ones. Where there are
more new than old ones, releases before v0.19 end with an index out of range (external-dns issues 5634 and
5647), which is not played: there the record without our label is planned last. Source: external-dns,
provider/aws/aws.go (AdjustEndpoints, createUpdateChanges), plan/plan.go (inheritOwner).
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from testbed.dated_releases import Release
from testbed.external_dns.core import reasons
from testbed.external_dns.core.endpoint import OWNER, Endpoint
from testbed.external_dns.core.facts import Fact
from testbed.external_dns.core.reasons import Decision, Outcome, Reason

_Half = tuple[Endpoint | None, Endpoint | None]
"""The old and the new endpoint of an update; None where the real one has filtered it out."""


class Updates(NamedTuple):
    """The updates with the owner that a pair shares; `old` and `new` may part in length and order."""

    old: tuple[Endpoint, ...]
    new: tuple[Endpoint, ...]
    decisions: tuple[Decision, ...]


def with_shared_owner(
    planned: Iterable[Decision],
    kept: Iterable[Decision],
    release: Release,
    owner: str,
    dice: random.Random | None,
) -> Updates | None:
    """Return the updates where a pair has records of different owners: both go or none; None without one.

    Args:
        planned: what is wanted, whoever owns the record.
        kept: the same, without changes of records of others.
        release: decides whether a new endpoint without an old one is passed over.
        owner: our own id.
        dice: decide the order in which the real one walks its rows.
    """
    pairs = list(_parted(planned, owner))
    if not pairs:
        return None
    by_name = {_row(ours): (ours, theirs) for ours, theirs in pairs}
    rows: dict[tuple[str, str], list[_Half]] = {}
    decided = list(kept)
    for place, one in enumerate(decided):
        pair = by_name.get(_row(one))
        if pair is None and one.outcome is Outcome.UPDATE and one.is_change:
            rows.setdefault(_row(one), []).append((one.have, one.winner))
        elif pair is not None and one.have is pair[0].have:
            both_go = release.has(Fact.UPDATE_WITHOUT_OLD_SKIPPED) and _is_heads(dice)
            new = [one.winner, pair[1].winner] if both_go else [None]
            if _is_heads(dice):
                new.reverse()
            rows[_row(one)] = [(one.have, new[0]), *[(None, more) for more in new[1:]]]
            if not both_go:
                reason = Reason.OTHER_OWNER if _owner(pair[1]) else Reason.NO_OWNER
                decided[place] = reasons.dropped(one, reason, owner, pair[1].have)
    halves = _walked(list(rows.values()), dice)
    return Updates(
        tuple(old for old, _ in halves if old is not None),
        tuple(_owned(new, owner) for _, new in halves if new is not None),
        tuple(decided),
    )


def _walked(rows: list[list[_Half]], dice: random.Random | None) -> list[_Half]:
    """Return the updates as a walk over the names, and over the types of each, meets them."""
    if dice is not None:
        dice.shuffle(rows)
        for row in rows:
            if all(old is not None for old, _ in row):  # the order of a parted pair is thrown already
                dice.shuffle(row)
    return [half for row in rows for half in row]


def _is_heads(dice: random.Random | None) -> bool:
    return dice is not None and dice.random() < 0.5


def _row(decision: Decision) -> tuple[str, str]:
    return decision.name, decision.set_identifier


def _parted(decisions: Iterable[Decision], owner: str) -> Iterable[tuple[Decision, Decision]]:
    """Yield the updates of a name of which one record is ours and the other is not."""
    updates: dict[tuple[str, str], list[Decision]] = {}
    for one in decisions:
        is_update = one.outcome is Outcome.UPDATE and one.type in ("A", "AAAA") and _is_sent(one)
        if is_update and one.winner is not None and one.winner.properties.get("alias") == "true":
            updates.setdefault(_row(one), []).append(one)
    for both in updates.values():
        ours = [one for one in both if _owner(one) == owner]
        theirs = [one for one in both if _owner(one) != owner]
        if ours and theirs and _targets(ours) == _targets(theirs):
            yield ours[0], theirs[0]


def _is_sent(decision: Decision) -> bool:
    """True if no policy keeps the update back; a foreign owner is what this module is about."""
    return decision.dropped is not Reason.POLICY


def _owner(decision: Decision) -> str:
    return decision.have.labels.get(OWNER, "") if decision.have else ""


def _targets(decisions: Sequence[Decision]) -> tuple[str, tuple[str, ...]]:
    winner = decisions[0].winner
    assert winner is not None
    return winner.resource, winner.targets


def _owned(endpoint: Endpoint, owner: str) -> Endpoint:
    return endpoint.with_labels({**endpoint.labels, OWNER: owner})
