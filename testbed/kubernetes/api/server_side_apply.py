"""Server-side apply, and the bookkeeping of who owns which field.

An apply owns what its manifest names. What it named before and names no more goes, unless somebody else owns
it; what another manager owns with another value is a conflict, unless the apply is forced, which takes it
over. Any other write owns what it changed.

Source: structured-merge-diff merge/update.go, apimachinery pkg/util/managedfields. Pure. Writes of the
testbed's own controllers take part in no bookkeeping: nobody owns the fields that they set.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from testbed.kubernetes.api import merge_keys
from testbed.kubernetes.api.managed_fields import (
    FieldPath,
    FieldSet,
    entry_key,
    from_fields,
    leaves,
    readable,
    to_fields,
)
from testbed.kubernetes.api.resources import Resource
from testbed.kubernetes.api.statuses import Cause, Refused

APPLY, UPDATE = "Apply", "Update"
BEFORE_FIRST_APPLY = "before-first-apply"


@dataclass(frozen=True, slots=True)
class Manager:
    """Who writes: name, operation, API version and subresource of the request; `time` in RFC 3339."""

    name: str
    operation: str
    api_version: str
    time: str
    subresource: str = ""

    @property
    def key(self) -> tuple[str, str, str]:
        """What tells two managers apart; the version does not, so that a newer client keeps its fields."""
        return self.name, self.operation, self.subresource


@dataclass(frozen=True, slots=True)
class Ownership:
    """The managers of an object and their fields."""

    entries: tuple[tuple[Manager, FieldSet], ...]

    @classmethod
    def of(cls, item: Mapping[str, Any]) -> Ownership:
        """Read an object's `managedFields`."""
        return cls(
            tuple(
                (
                    Manager(
                        one.get("manager", ""),
                        one.get("operation", ""),
                        one.get("apiVersion", ""),
                        one.get("time", ""),
                        one.get("subresource", ""),
                    ),
                    from_fields(one.get("fieldsV1") or {}),
                )
                for one in item["metadata"].get("managedFields") or ()
            )
        )

    def fields(self, manager: Manager) -> FieldSet:
        """What a manager owns."""
        return next((owned for other, owned in self.entries if other.key == manager.key), frozenset())

    def others(self, manager: Manager) -> list[tuple[Manager, FieldSet]]:
        """All but one manager."""
        return [(other, owned) for other, owned in self.entries if other.key != manager.key]

    def with_fields(self, manager: Manager, owned: FieldSet) -> Ownership:
        """The manager owns this; nothing takes it off the list."""
        if self.fields(manager) == owned:
            return self
        rest = self.others(manager)
        return Ownership((*rest, (manager, owned)) if owned else tuple(rest))

    def without(self, paths: FieldSet, manager: Manager) -> Ownership:
        """Nobody but the manager owns these paths."""
        kept = [
            (other, owned if other.key == manager.key else owned - paths) for other, owned in self.entries
        ]
        return Ownership(tuple((other, owned) for other, owned in kept if owned))

    def to_json(self) -> list[dict[str, Any]]:
        """As `managedFields`."""
        return [
            {
                "manager": manager.name,
                "operation": manager.operation,
                "apiVersion": manager.api_version,
                "time": manager.time,
                "fieldsType": "FieldsV1",
                "fieldsV1": to_fields(owned),
                **({"subresource": manager.subresource} if manager.subresource else {}),
            }
            for manager, owned in self.entries
        ]


def after_update(
    kind: str, old: Mapping[str, Any] | None, new: Mapping[str, Any], manager: Manager
) -> Ownership:
    """Who owns what after a create, update or patch."""
    before = leaves(kind, old) if old else {}
    after = leaves(kind, new)
    changed = frozenset(path for path, value in after.items() if path not in before or before[path] != value)
    gone = frozenset(before) - frozenset(after)
    ownership = Ownership.of(old or {"metadata": {}})
    if not changed and not gone:
        return ownership
    ownership = ownership.without(changed | gone, manager)
    return ownership.with_fields(manager, (ownership.fields(manager) | changed) - gone)


def applied(
    resource: Resource, old: Mapping[str, Any], wanted: Mapping[str, Any], manager: Manager, *, force: bool
) -> tuple[dict[str, Any], Ownership]:
    """An object after an apply, and who owns what then.

    Raises:
        Refused: 409, another manager owns a field with another value.
    """
    kind = resource.stored_kind
    ownership = Ownership.of(old)
    live, named = leaves(kind, old), leaves(kind, wanted)
    if not ownership.entries:
        # Written before anybody kept book: all of it counts as owned (managedfields, lastappliedmanager).
        first = Manager(BEFORE_FIRST_APPLY, UPDATE, manager.api_version, manager.time)
        ownership = ownership.with_fields(first, frozenset(live))
    conflicts = [
        (other, path)
        for other, owned in ownership.others(manager)
        for path in sorted(owned)
        if path in named and path in live and named[path] != live[path]
    ]
    if conflicts and not force:
        raise _conflict(resource, conflicts)
    ownership = ownership.without(frozenset(path for _, path in conflicts), manager)
    kept_by_others = frozenset(
        path[:length]  # who owns a field of a list's entry keeps the entry
        for _, owned in ownership.others(manager)
        for path in owned
        for length in range(1, len(path) + 1)
    )
    removed = ownership.fields(manager) - frozenset(named) - kept_by_others
    result = _without(kind, old, removed, (), ())
    result = _merged(kind, result, wanted, ())
    return result, ownership.with_fields(manager, frozenset(named))


def stamped(ownership: Ownership, manager: Manager, before: Ownership) -> Ownership:
    """A manager whose fields stayed equal keeps the time of its last write."""
    if ownership.fields(manager) == before.fields(manager):
        return ownership
    return Ownership(
        tuple(
            (replace(other, time=manager.time) if other.key == manager.key else other, owned)
            for other, owned in ownership.entries
        )
    )


def _conflict(resource: Resource, conflicts: list[tuple[Manager, FieldPath]]) -> Refused:
    by_manager: dict[str, list[str]] = {}
    for other, path in conflicts:
        using = f'"{other.name}"'
        if other.operation == UPDATE:
            using += f" using {other.api_version}" + (f" at {other.time}" if other.time else "")
        elif other.subresource:
            using += f' with subresource "{other.subresource}"'
        by_manager.setdefault(using, []).append(readable(path))
    causes = [
        Cause("FieldManagerConflict", path, f"conflict with {using}")
        for using, paths in by_manager.items()
        for path in paths
    ]
    count = f"{len(causes)} conflict{'' if len(causes) == 1 else 's'}"
    if len(by_manager) == 1 and len(causes) == 1:
        told = f"conflict with {next(iter(by_manager))}: {causes[0].field}"
    else:
        told = "conflicts " + "\nconflicts ".join(
            f"with {using}:\n" + "\n".join(f"- {path}" for path in paths)
            for using, paths in by_manager.items()
        )
    return Refused(409, "Conflict", f"Apply failed with {count}: {told}", resource=resource, causes=causes)


def _without(kind: str, value: Any, removed: FieldSet, path: FieldPath, names: merge_keys.Path) -> Any:
    """A value without the removed paths below it; maps and lists that this empties go too."""
    if not removed:
        return value
    if isinstance(value, Mapping):
        kept: dict[str, Any] = {}
        for key, one in value.items():
            here = (*path, f"f:{key}")
            if here in removed:
                continue
            new = _without(kind, one, removed, here, (*names, key))
            if one and not new and isinstance(one, Mapping | list):
                continue
            kept[key] = new
        return kept
    rule = merge_keys.list_rule(kind, names) if isinstance(value, list) else None
    if rule is None:
        return value
    entries = []
    for one in value:
        here = (*path, entry_key(rule, one))
        if here not in removed:
            entries.append(_without(kind, one, removed, here, names))
    return entries


def _merged(kind: str, old: Any, wanted: Any, names: merge_keys.Path) -> Any:
    if isinstance(wanted, Mapping) and isinstance(old, Mapping):
        if names and merge_keys.is_atomic_map(kind, names):
            return wanted
        result = dict(old)
        for key, value in wanted.items():
            result[key] = _merged(kind, old.get(key), value, (*names, key))
        return result
    rule = merge_keys.list_rule(kind, names) if isinstance(wanted, list) else None
    if rule is None or not isinstance(old, list):
        return wanted
    rest = {entry_key(rule, one): one for one in old}
    # What the manifest names stands in its order, what others added behind it.
    named = [_merged(kind, rest.pop(entry_key(rule, one), None), one, names) for one in wanted]
    return [*named, *rest.values()]
