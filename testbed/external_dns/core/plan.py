"""The plan: which records to create, change and delete, and why. Pure.

Source: external-dns, plan/plan.go, plan/conflict.go, plan/policy.go. The heart of a cutover is
`resolve_update`: among the claimants of a name, the one that the record's TXT names keeps it.
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from testbed.dated_releases import Release
from testbed.external_dns.core import alias_pairs, reasons
from testbed.external_dns.core.endpoint import OWNER, Endpoint, order, same_targets
from testbed.external_dns.core.facts import Fact, managed_types
from testbed.external_dns.core.reasons import Decision, Outcome, Reason

FORCE_UPDATE = "txt/force-update"
EVALUATE = "aws/evaluate-target-health"


@dataclass(frozen=True, slots=True)
class Changes:
    """The changes that the registry gets. `update_old[i]` becomes `update_new[i]`.

    From v0.16 to v0.20 the two may part in length and order (`alias_pairs`).

    `skipped` are lines for the log level debug, `warnings` for warning.
    """

    create: tuple[Endpoint, ...] = ()
    update_old: tuple[Endpoint, ...] = ()
    update_new: tuple[Endpoint, ...] = ()
    delete: tuple[Endpoint, ...] = ()
    decisions: tuple[Decision, ...] = ()
    skipped: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.create or self.delete) or self.update_old != self.update_new

    @classmethod
    def of(cls, decisions: Iterable[Decision], skipped: Iterable[str], warnings: Iterable[str]) -> Changes:
        """Return the changes that decisions ask for."""
        decided = tuple(decisions)
        create: list[Endpoint] = []
        old: list[Endpoint] = []
        new: list[Endpoint] = []
        delete: list[Endpoint] = []
        for one in decided:
            if not one.is_change:
                continue
            if one.have is not None:
                (delete if one.winner is None else old).append(one.have)
            if one.winner is not None:
                (create if one.have is None else new).append(one.winner)
        return cls(
            tuple(create), tuple(old), tuple(new), tuple(delete), decided, tuple(skipped), tuple(warnings)
        )


def calculate(
    current: Iterable[Endpoint],
    desired: Iterable[Endpoint],
    *,
    release: Release,
    policy: str,
    owner: str,
    managed: Sequence[str] = (),
    old_owner: str = "",
    dice: random.Random | None = None,
) -> Changes:
    """Return the changes that turn the current records into the desired ones.

    Args:
        owner: own owner id; "" if the registry knows no owners.
        managed: the record types that are planned; those of the release if empty.
        old_owner: of `--migrate-from-txt-owner`: its records, and all of our own, count as changed.
        dice: for what the real one leaves to the order of a Go map; without them the first order.
    """
    types = frozenset(managed or managed_types(release))
    rows: dict[tuple[str, str], tuple[list[Endpoint], list[Endpoint]]] = {}
    row = _Rows(release, policy, owner, old_owner)
    for column, endpoints in enumerate((current, desired)):
        for endpoint in endpoints:
            if endpoint.type in types:
                # The key of the real plan (plan.go, planKey): Route 53 compares names without case.
                key = (endpoint.name.strip().rstrip(".").lower(), endpoint.set_identifier)
                rows.setdefault(key, ([], []))[column].append(endpoint)
            elif column:
                rule = ", ".join(sorted(types))
                row.decisions.append(reasons.left_out(endpoint, Reason.NOT_MANAGED, rule=rule))
    for have, want in rows.values():
        row.decide(have, want)
    changes = Changes.of(row.decisions, row.skipped, row.warnings)
    if not owner or not release.has(Fact.OWNER_IN_PLAN):
        return changes
    changes = owned(changes, release, owner)
    if not release.has(Fact.ALIAS_PAIR_SHARES_LABELS):
        return changes
    shared = alias_pairs.with_shared_owner(row.decisions, changes.decisions, release, owner, dice)
    if shared is None:
        return changes
    return replace(changes, update_old=shared.old, update_new=shared.new, decisions=shared.decisions)


def smallest(candidates: Sequence[Endpoint], release: Release) -> Endpoint:
    """Return the candidate with the smallest target list; of equal ones the first."""
    if len(candidates) == 1:
        return candidates[0]
    return min(candidates, key=lambda one: order(one.targets, release))


def resolve_update(
    have: Endpoint, candidates: Sequence[Endpoint], release: Release
) -> tuple[Endpoint, Reason]:
    """Return who gets a record that exists: the candidate that its TXT names, else the smallest target."""
    holder = have.resource
    named = [one for one in candidates if one.resource == holder] if holder else []
    if named:
        return smallest(named, release), Reason.KEPT_BY_LABEL
    reason = Reason.SMALLEST_TARGET if len(candidates) > 1 else Reason.ONLY_CLAIMANT
    return smallest(candidates, release), reason


def without_conflicts(candidates: Sequence[Endpoint]) -> list[Endpoint]:
    """Return the candidates without CNAMEs, where another type is a candidate too (v0.14 and later)."""
    others = [one for one in candidates if one.type != "CNAME"]
    return others or list(candidates)


def properties_differ(have: Endpoint, want: Endpoint, release: Release) -> bool:
    """True if provider properties ask for an update."""
    return bool(property_differences(have, want, release))


def property_differences(have: Endpoint, want: Endpoint, release: Release) -> list[str]:
    """Return the names of the provider properties that ask for an update."""
    old, new = have.properties, want.properties
    if release.has(Fact.ALL_PROPERTIES_COMPARED):
        if old == new:
            return []
        return sorted(name for name in {*old, *new} if old.get(name) != new.get(name))
    return [name for name, value in old.items() if name != EVALUATE and value != new.get(name, "")]


class _Rows:
    def __init__(self, release: Release, policy: str, owner: str, old_owner: str) -> None:
        self._release, self._policy = release, policy
        self._owner, self._old_owner = owner, old_owner
        self.decisions: list[Decision] = []
        self.skipped: list[str] = []
        self.warnings: list[str] = []

    def decide(self, have: Sequence[Endpoint], want: Sequence[Endpoint]) -> None:
        if not self._release.has(Fact.PLAN_BY_TYPE):
            first = (have or want)[0]
            # One record a name: a later record overwrites an earlier one in its map.
            record = first.name, "", first.set_identifier
            self._keep(self._decided(record, have[-1] if have else None, want))
            return
        has_conflicts = len(want) > 1 and self._release.has(Fact.CNAME_CONFLICTS)
        kept = without_conflicts(want) if has_conflicts else want
        if len(kept) < len(want):
            name = f"{want[0].name.rstrip('.')}."
            self.warnings.append(
                f"Domain {name} contains conflicting record type candidates; discarding CNAME record"
            )
            self.decisions += [
                reasons.left_out(one, Reason.CNAME_EXCLUDED, beside=kept[0])
                for one in want
                if one.type == "CNAME"
            ]
            want = kept
        foreign: list[Endpoint] = []
        if self._release.has(Fact.PLAN_BY_NAME) and self._owner:
            foreign = [one for one in have if one.labels.get(OWNER, "") != self._owner]
        if have and not want and self._release.has(Fact.PLAN_BY_NAME):
            self._delete(have)
            return
        # Each record type of a name is planned on its own, so an upgrade may send the A to one balancer and
        # the AAAA to another (docs/traps.md, 10).
        if len(want) == 1 and not have:  # most names of a first sync
            self._keep(self._decided((want[0].name, want[0].type, want[0].set_identifier), None, want))
            return
        mine = {one.type: one for one in have}
        claims: dict[str, list[Endpoint]] = {}
        for one in want:
            claims.setdefault(one.type, []).append(one)
        # Sorted, so that equal runs log alike; the real one walks a Go map.
        for kind in sorted({*mine, *claims}):
            current, claimants = mine.get(kind), claims.get(kind, [])
            first = current or claimants[0]
            decision = self._decided((first.name, kind, first.set_identifier), current, claimants)
            if foreign and decision.outcome is Outcome.CREATE:
                decision = self._without_neighbour(decision, foreign[0])
            self._keep(decision)

    def _delete(self, have: Sequence[Endpoint]) -> None:
        """Delete all records of a name; before v0.16 two of them may have one type (an AAAA alias)."""
        seen = set()
        for one in sorted(have, key=lambda one: one.type):
            if one.type in seen and self._release.has(Fact.DELETES_UNIQUE):
                continue
            seen.add(one.type)
            self._keep(self._decided((one.name, one.type, one.set_identifier), one, ()))

    def _without_neighbour(self, decision: Decision, foreign: Endpoint) -> Decision:
        owner = foreign.labels.get(OWNER, "")
        if self._release.has(Fact.NEIGHBOUR_MISMATCH_LOGGED):
            self.skipped.append(
                f"Skipping endpoint {foreign} because owner id does not match for one or more items to "
                f'create, found: "{owner}", required: "{self._owner}"'
            )
        return reasons.dropped(decision, _mismatch(foreign), self._owner, foreign)

    def _keep(self, decision: Decision) -> None:
        """Keep a decision. If both owner and policy are in the way, name the owner: no policy would help."""
        have, outcome = decision.have, decision.outcome
        if have is None and outcome is Outcome.CREATE:  # no owner and no policy is in the way
            self.decisions.append(decision)
            return
        is_barred = (outcome is Outcome.DELETE and self._policy != "sync") or (
            outcome is Outcome.UPDATE and self._policy == "create-only"
        )
        is_foreign = have is not None and self._owner and have.labels.get(OWNER) != self._owner
        if have is not None and is_foreign and (is_barred or outcome is Outcome.NOTHING):
            decision = reasons.dropped(decision, _mismatch(have), self._owner)
        elif is_barred:
            decision = reasons.dropped(decision, Reason.POLICY, self._policy)
        self.decisions.append(decision)

    def _decided(
        self, record: tuple[str, str, str], have: Endpoint | None, want: Sequence[Endpoint]
    ) -> Decision:
        if have is None:
            reason = Reason.SMALLEST_TARGET if len(want) > 1 else Reason.ONLY_CLAIMANT
            winner = smallest(want, self._release)
            return Decision(*record, Outcome.CREATE, reason, None, tuple(want), winner)
        if not want:
            return Decision(*record, Outcome.DELETE, Reason.UNCLAIMED, have)
        winner, reason = resolve_update(have, want, self._release)
        differs = tuple(self._differences(have, winner))
        if not differs:
            return Decision(*record, Outcome.NOTHING, reason, have, tuple(want), winner)
        # plan.go, inheritOwner: without it the registry would drop the update as a stranger's.
        winner = winner.with_labels({**winner.labels, OWNER: have.labels.get(OWNER, "")})
        return Decision(*record, Outcome.UPDATE, reason, have, tuple(want), winner, differs)

    def _differences(self, have: Endpoint, want: Endpoint) -> Iterator[str]:
        # An unset TTL is no wish: removing the ttl annotation leaves the record's TTL as it is.
        if want.ttl and want.ttl != have.ttl:
            yield "TTL"
        if not same_targets(have.targets, want.targets, self._release):
            yield "target"
        # The registry has renamed the old owner's records by now, so this holds for all of our own, at every
        # sync, as in the real one (docs/traps.md, 16).
        if self._old_owner and have.labels.get(OWNER, "") not in ("", self._old_owner):
            yield "owner migration"
        yield from property_differences(have, want, self._release)


def owned(changes: Changes, release: Release, owner: str) -> Changes:
    """Return the changes without those of records that belong to others.

    Since v0.14 the plan drops them, before that the TXT registry did; each gets a line at level debug.
    """
    skipped = list(changes.skipped)

    def is_ours(endpoint: Endpoint) -> bool:
        found_owner = endpoint.labels.get(OWNER)
        if found_owner == owner:
            return True
        if not release.has(Fact.OWNER_MISMATCH_WORDS):
            end = f'owner id does not match, found: "{found_owner or ""}", required: "{owner}"'
        elif found_owner is None:
            end = f'of missing owner label (required: "{owner}")'
        else:
            end = f'owner id does not match (found: "{found_owner}", required: "{owner}")'
        skipped.append(f"Skipping endpoint {endpoint} because {end}")
        return False

    # Without the creations: a record that does not exist yet has no owner.
    stages = (changes.delete, changes.update_old, changes.update_new)
    # By identity, because an endpoint holds mappings and so has no hash.
    foreign = {id(one) for stage in stages for one in stage if not is_ours(one)}
    if not foreign:
        return changes
    decisions = [
        reasons.dropped(one, _mismatch(one.have), owner) if one.have and id(one.have) in foreign else one
        for one in changes.decisions
    ]
    return Changes.of(decisions, skipped, changes.warnings)


def _mismatch(endpoint: Endpoint) -> Reason:
    return Reason.OTHER_OWNER if endpoint.labels.get(OWNER) else Reason.NO_OWNER
