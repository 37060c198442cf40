"""The plan: which records to make, change and take away, and why. Pure.

Source: external-dns, plan/plan.go, plan/conflict.go, plan/policy.go. The heart of a cutover is
`resolve_update`: among the claimants of a name, the one that the record's TXT names keeps it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from testbed.external_dns import reasons
from testbed.external_dns.endpoint import OWNER, Endpoint, order, same_targets
from testbed.external_dns.profile import Profile
from testbed.external_dns.reasons import Decision, Outcome, Reason

FORCE_UPDATE = "txt/force-update"
EVALUATE = "aws/evaluate-target-health"


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
        return bool(self.create or self.delete) or self.update_old != self.update_new

    @classmethod
    def of(cls, decisions: Iterable[Decision], skipped: Iterable[str], warnings: Iterable[str]) -> Changes:
        """What decisions ask for."""
        found = tuple(decisions)
        create: list[Endpoint] = []
        old: list[Endpoint] = []
        new: list[Endpoint] = []
        delete: list[Endpoint] = []
        for one in found:
            if not one.is_change:
                continue
            if one.have is not None:
                (delete if one.winner is None else old).append(one.have)
            if one.winner is not None:
                (create if one.have is None else new).append(one.winner)
        return cls(
            tuple(create), tuple(old), tuple(new), tuple(delete), found, tuple(skipped), tuple(warnings)
        )


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
    types = frozenset(managed or profile.managed)
    rows: dict[tuple[str, str], tuple[list[Endpoint], list[Endpoint]]] = {}
    row = _Rows(profile, policy, owner, old_owner)
    for column, endpoints in enumerate((current, desired)):
        for endpoint in endpoints:
            if endpoint.type in types:
                key = (endpoint.name.strip().rstrip(".").lower(), endpoint.set_identifier)
                rows.setdefault(key, ([], []))[column].append(endpoint)
            elif column:
                rule = ", ".join(sorted(types))
                row.decisions.append(reasons.left_out(endpoint, Reason.NOT_MANAGED, rule=rule))
    for have, want in rows.values():
        row.decide(have, want)
    changes = Changes.of(row.decisions, row.skipped, row.warnings)
    return owned(changes, profile, owner) if profile.typed and owner else changes


def smallest(candidates: Sequence[Endpoint], profile: Profile) -> Endpoint:
    """The candidate with the smallest target list; the first one of equals."""
    if len(candidates) == 1:
        return candidates[0]
    return min(candidates, key=lambda one: order(one.targets, typed=profile.typed))


def resolve_update(
    have: Endpoint, candidates: Sequence[Endpoint], profile: Profile
) -> tuple[Endpoint, Reason]:
    """Who gets a record that exists: the candidate that its TXT names, else the smallest target."""
    named = [one for one in candidates if have.resource and one.resource == have.resource]
    if named:
        return smallest(named, profile), Reason.KEPT_BY_LABEL
    reason = Reason.SMALLEST_TARGET if len(candidates) > 1 else Reason.ONLY_CLAIMANT
    return smallest(candidates, profile), reason


def without_conflicts(candidates: Sequence[Endpoint]) -> list[Endpoint]:
    """v0.14 and later: no CNAME where another type is wanted too."""
    others = [one for one in candidates if one.type != "CNAME"]
    return others or list(candidates)


def properties_differ(have: Endpoint, want: Endpoint, profile: Profile) -> bool:
    """Whether provider properties ask for an update."""
    return bool(property_differences(have, want, profile))


def property_differences(have: Endpoint, want: Endpoint, profile: Profile) -> list[str]:
    """The provider properties that ask for an update."""
    old, new = have.properties, want.properties
    if profile.typed:
        if old == new:
            return []
        return sorted(name for name in {*old, *new} if old.get(name) != new.get(name))
    # Before v0.13.6 only what the record has was compared, and target health never.
    return [name for name, value in old.items() if name != EVALUATE and value != new.get(name, "")]


class _Rows:
    def __init__(self, profile: Profile, policy: str, owner: str, old_owner: str) -> None:
        self._profile, self._policy = profile, policy
        self._owner, self._old_owner = owner, old_owner
        self.decisions: list[Decision] = []
        self.skipped: list[str] = []
        self.warnings: list[str] = []

    def decide(self, have: Sequence[Endpoint], want: Sequence[Endpoint]) -> None:
        if not self._profile.typed:
            first = (have or want)[0]
            record = first.name, "", first.set_identifier
            self._keep(self._decided(record, have[-1] if have else None, want))
            return
        kept = without_conflicts(want) if len(want) > 1 else want
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
        foreign = [one for one in have if self._owner and one.labels.get(OWNER, "") != self._owner]
        mine = {one.type: one for one in have}
        claims: dict[str, list[Endpoint]] = {}
        for one in want:
            claims.setdefault(one.type, []).append(one)
        for kind in sorted({*mine, *claims}):
            current, wanted = mine.get(kind), claims.get(kind, [])
            first = current or wanted[0]
            decision = self._decided((first.name, kind, first.set_identifier), current, wanted)
            if foreign and decision.outcome is Outcome.CREATE:
                decision = self._without_neighbour(decision, foreign[0])
            self._keep(decision)

    def _without_neighbour(self, decision: Decision, foreign: Endpoint) -> Decision:
        found = foreign.labels.get(OWNER, "")
        self.skipped.append(
            f"Skipping endpoint {foreign} because owner id does not match for one or more items to "
            f'create, found: "{found}", required: "{self._owner}"'
        )
        return reasons.dropped(decision, _mismatch(foreign), self._owner, foreign)

    def _keep(self, decision: Decision) -> None:
        """Keep a decision. Of several things in the way the owner is told: it is so under every policy."""
        have, outcome = decision.have, decision.outcome
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
            winner = smallest(want, self._profile)
            return Decision(*record, Outcome.CREATE, reason, None, tuple(want), winner)
        if not want:
            return Decision(*record, Outcome.DELETE, Reason.UNCLAIMED, have)
        winner, reason = resolve_update(have, want, self._profile)
        differs = tuple(self._differences(have, winner))
        if not differs:
            return Decision(*record, Outcome.NOTHING, reason, have, tuple(want), winner)
        winner = winner.with_labels({**winner.labels, OWNER: have.labels.get(OWNER, "")})
        return Decision(*record, Outcome.UPDATE, reason, have, tuple(want), winner, differs)

    def _differences(self, have: Endpoint, want: Endpoint) -> Iterator[str]:
        if want.ttl and want.ttl != have.ttl:
            yield "TTL"
        if not same_targets(have.targets, want.targets, typed=self._profile.typed):
            yield "target"
        if self._old_owner and have.labels.get(OWNER, "") not in ("", self._old_owner):
            yield "owner migration"
        yield from property_differences(have, want, self._profile)


def owned(changes: Changes, profile: Profile, owner: str) -> Changes:
    """The changes without those of records that are not this owner's.

    Since v0.14 the plan drops them, before it the TXT registry did; each is told in a line for level debug.
    """
    skipped = list(changes.skipped)

    def is_ours(endpoint: Endpoint) -> bool:
        found = endpoint.labels.get(OWNER)
        if found == owner:
            return True
        if not profile.typed:
            end = f'owner id does not match, found: "{found or ""}", required: "{owner}"'
        elif found is None:
            end = f'of missing owner label (required: "{owner}")'
        else:
            end = f'owner id does not match (found: "{found}", required: "{owner}")'
        skipped.append(f"Skipping endpoint {endpoint} because {end}")
        return False

    stages = (changes.delete, changes.update_old, changes.update_new)
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
