"""The plan: which records to make, change and take away, and why. Pure.

Source: external-dns, plan/plan.go, plan/conflict.go, plan/policy.go. The heart of a cutover is
`resolve_update`: among the claimants of a name, the one that the record's TXT names keeps it.
"""

from __future__ import annotations

import enum
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from testbed.external_dns.endpoint import OWNER, Endpoint, order, same_targets
from testbed.external_dns.profile import Profile

FORCE_UPDATE = "txt/force-update"
EVALUATE = "aws/evaluate-target-health"


class Reason(enum.Enum):
    """Why a name ends up as it does."""

    CREATED = "no record exists; the claimant with the smallest target gets it"
    KEPT_BY_LABEL = "the record's TXT names this claimant, so it keeps the name"
    SMALLEST_TARGET = "the record's TXT names none of the claimants; the smallest target wins"
    UNCLAIMED = "nobody claims the name any more"


@dataclass(frozen=True, slots=True)
class Decision:
    """What was decided for a name and type, in one sentence that log, report and tests quote."""

    name: str
    type: str
    reason: Reason
    claimants: tuple[str, ...]
    winner: str

    def __str__(self) -> str:
        claimants = ", ".join(self.claimants) or "nobody"
        return f"{self.name} {self.type}: claimed by {claimants}; {self.reason.value}" + (
            f": {self.winner}" if self.winner else ""
        )


@dataclass(frozen=True, slots=True)
class Changes:
    """What the registry is asked to do. `update_old[i]` becomes `update_new[i]`.

    `skipped` are lines for the log's level debug, `warnings` for warning.
    """

    create: tuple[Endpoint, ...] = ()
    update_old: tuple[Endpoint, ...] = ()
    update_new: tuple[Endpoint, ...] = ()
    delete: tuple[Endpoint, ...] = ()
    decisions: tuple[Decision, ...] = ()
    skipped: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.create or self.update_new or self.delete)


def calculate(
    current: Iterable[Endpoint],
    desired: Iterable[Endpoint],
    *,
    profile: Profile,
    policy: str,
    owner: str,
    managed: Sequence[str] = (),
    old_owner: str = "",
) -> Changes:
    """The changes that make the current records the desired ones.

    Args:
        owner: own owner id; "" if the registry knows no owners.
        managed: record types looked at; the profile's if empty.
        old_owner: of `--migrate-from-txt-owner`: its records, and all that are ours, count as changed.
    """
    rows: dict[tuple[str, str], tuple[list[Endpoint], list[Endpoint]]] = {}
    for column, endpoints in enumerate((current, desired)):
        for endpoint in endpoints:
            if endpoint.type in (managed or profile.managed):
                key = (endpoint.name.strip().rstrip(".").lower(), endpoint.set_identifier)
                rows.setdefault(key, ([], []))[column].append(endpoint)
    row = _Rows(profile, owner, old_owner)
    for have, want in rows.values():
        row.decide(have, want)
    return row.changes(policy)


def smallest(candidates: Iterable[Endpoint], profile: Profile) -> Endpoint:
    """The candidate with the smallest target list; the first one of equals."""
    return min(candidates, key=lambda one: order(one.targets, typed=profile.typed))


def resolve_update(
    have: Endpoint, candidates: Sequence[Endpoint], profile: Profile
) -> tuple[Endpoint, Reason]:
    """Who gets a record that exists: the candidate that its TXT names, else the smallest target."""
    named = [one for one in candidates if have.resource and one.resource == have.resource]
    if named:
        return smallest(named, profile), Reason.KEPT_BY_LABEL
    return smallest(candidates, profile), Reason.SMALLEST_TARGET


def without_conflicts(candidates: Sequence[Endpoint]) -> list[Endpoint]:
    """v0.14 and later: no CNAME where another type is wanted too."""
    others = [one for one in candidates if one.type != "CNAME"]
    return others or list(candidates)


def properties_differ(have: Endpoint, want: Endpoint, profile: Profile) -> bool:
    """Whether provider properties ask for an update."""
    if profile.typed:
        return dict(have.properties) != dict(want.properties)
    # Before v0.13.6 only what the record has was compared, and target health never.
    return any(
        value != want.properties.get(name, "") for name, value in have.properties.items() if name != EVALUATE
    )


class _Rows:
    def __init__(self, profile: Profile, owner: str, old_owner: str) -> None:
        self._profile, self._owner, self._old_owner = profile, owner, old_owner
        self._create: list[Endpoint] = []
        self._updates: list[tuple[Endpoint, Endpoint]] = []
        self._delete: list[Endpoint] = []
        self._decisions: list[Decision] = []
        self._skipped: list[str] = []
        self._warnings: list[str] = []

    def decide(self, have: Sequence[Endpoint], want: Sequence[Endpoint]) -> None:
        if not self._profile.typed:
            self._decide_type(have[-1] if have else None, want)
            return
        kept = without_conflicts(want)
        if len(kept) < len(want):
            name = f"{want[0].name.rstrip('.')}."
            self._warnings.append(
                f"Domain {name} contains conflicting record type candidates; discarding CNAME record"
            )
        want = kept
        made_before = len(self._create)
        for kind in sorted({one.type for one in (*have, *want)}):
            mine = [one for one in have if one.type == kind]
            self._decide_type(mine[-1] if mine else None, [one for one in want if one.type == kind])
        foreign = [one for one in have if self._owner and one.labels.get(OWNER, "") != self._owner]
        if foreign and len(self._create) > made_before:
            del self._create[made_before:]
            self._skipped.append(
                f"Skipping endpoint {foreign[0]} because owner id does not match for one or more items to "
                f'create, found: "{foreign[0].labels.get(OWNER, "")}", required: "{self._owner}"'
            )

    def _decide_type(self, have: Endpoint | None, want: Sequence[Endpoint]) -> None:
        if have is None and want:
            winner = smallest(want, self._profile)
            self._create.append(winner)
            self._say(winner, Reason.CREATED, want)
        elif have is not None and not want:
            self._delete.append(have)
            self._say(have, Reason.UNCLAIMED, want)
        elif have is not None:
            winner, reason = resolve_update(have, want, self._profile)
            if self._is_changed(have, winner):
                labels = {**winner.labels, OWNER: have.labels.get(OWNER, "")}
                self._updates.append((have, replace(winner, labels=labels)))
            self._say(winner, reason, want)

    def _is_changed(self, have: Endpoint, want: Endpoint) -> bool:
        if want.ttl and want.ttl != have.ttl:
            return True
        if not same_targets(have.targets, want.targets, typed=self._profile.typed):
            return True
        if self._old_owner and have.labels.get(OWNER, "") not in ("", self._old_owner):
            return True
        return properties_differ(have, want, self._profile)

    def _say(self, endpoint: Endpoint, reason: Reason, want: Sequence[Endpoint]) -> None:
        claimants = tuple(sorted({one.resource for one in want}))
        self._decisions.append(Decision(endpoint.name, endpoint.type, reason, claimants, endpoint.resource))

    def changes(self, policy: str) -> Changes:
        create, updates, delete = self._create, self._updates, self._delete
        if policy != "sync":
            delete = []
        if policy == "create-only":
            updates = []
        if self._profile.typed and self._owner:
            updates = [pair for pair in updates if self._is_owned(pair[0])]
            delete = [one for one in delete if self._is_owned(one)]
        return Changes(
            tuple(create),
            tuple(old for old, _ in updates),
            tuple(new for _, new in updates),
            tuple(delete),
            tuple(self._decisions),
            tuple(self._skipped),
            tuple(self._warnings),
        )

    def _is_owned(self, endpoint: Endpoint) -> bool:
        found = endpoint.labels.get(OWNER)
        if found == self._owner:
            return True
        if found is None:
            self._skipped.append(
                f'Skipping endpoint {endpoint} because of missing owner label (required: "{self._owner}")'
            )
        else:
            self._skipped.append(
                f"Skipping endpoint {endpoint} because owner id does not match "
                f'(found: "{found}", required: "{self._owner}")'
            )
        return False


def owned(endpoints: Iterable[Endpoint], owner: str, debug_lines: list[str]) -> list[Endpoint]:
    """v0.7.x: what the TXT registry lets through; the others are told in a debug line."""
    kept = []
    for endpoint in endpoints:
        found = endpoint.labels.get(OWNER, "")
        if found == owner:
            kept.append(endpoint)
        else:
            debug_lines.append(
                f"Skipping endpoint {endpoint} because owner id does not match, "
                f'found: "{found}", required: "{owner}"'
            )
    return kept
