"""Server-side apply, and the record of which manager owns which field.

A manager that applies owns the fields in its manifest. A field that was in its last manifest and is not in
the new one goes, unless another manager owns it. A field that another manager owns with another value is a
conflict, unless the apply is forced: then it takes the field over. A manager that writes in any other way
owns the fields that it changed.

Source: structured-merge-diff merge/update.go, apimachinery pkg/util/managedfields. Pure. No
manager owns the fields that the testbed's own controllers set.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from testbed.kubernetes.api import merge_keys
from testbed.kubernetes.api.api_resources import Resource
from testbed.kubernetes.api.managed_fields import (
    FieldPath,
    FieldSet,
    entry_key,
    from_fields,
    leaves,
    readable,
    to_fields,
)
from testbed.kubernetes.api.statuses import Cause, Refused

APPLY, UPDATE = "Apply", "Update"
BEFORE_FIRST_APPLY = "before-first-apply"


@dataclass(frozen=True, slots=True)
class Manager:
    """A writer: name, operation, API version and subresource of the request; `time` in RFC 3339."""

    name: str
    operation: str
    api_version: str
    time: str
    subresource: str = ""

    @property
    def key(self) -> tuple[str, str, str]:
        """The identity of a manager, without the version, so that a newer client keeps its fields."""
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
                        entry.get("manager", ""),
                        entry.get("operation", ""),
                        entry.get("apiVersion", ""),
                        entry.get("time", ""),
                        entry.get("subresource", ""),
                    ),
                    from_fields(entry.get("fieldsV1") or {}),
                )
                for entry in item["metadata"].get("managedFields") or ()
            )
        )

    def fields(self, manager: Manager) -> FieldSet:
        """Return the fields that a manager owns."""
        return next((owned for other, owned in self.entries if other.key == manager.key), frozenset())

    def others(self, manager: Manager) -> list[tuple[Manager, FieldSet]]:
        """Return the entries of all other managers."""
        return [(other, owned) for other, owned in self.entries if other.key != manager.key]

    def with_fields(self, manager: Manager, owned: FieldSet) -> Ownership:
        """Return the ownership in which a manager owns exactly these fields, or is gone if there are none."""
        if self.fields(manager) == owned:
            return self
        rest = self.others(manager)
        return Ownership((*rest, (manager, owned)) if owned else tuple(rest))

    def without(self, paths: FieldSet, manager: Manager) -> Ownership:
        """Return the ownership in which no other manager owns these paths."""
        kept = [
            (other, owned if other.key == manager.key else owned - paths) for other, owned in self.entries
        ]
        return Ownership(tuple((other, owned) for other, owned in kept if owned))

    def to_json(self) -> list[dict[str, Any]]:
        """Return the ownership as `managedFields`."""
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
    """Return the ownership after a create, update or patch."""
    before = leaves(kind, old) if old else {}
    after = leaves(kind, new)
    changed = frozenset(path for path, value in after.items() if path not in before or before[path] != value)
    gone = frozenset(before) - frozenset(after)
    ownership = Ownership.of(old or {"metadata": {}})
    if not changed and not gone:
        return ownership
    # A writer that does not apply takes its fields over without a conflict (structured-merge-diff, Update).
    ownership = ownership.without(changed | gone, manager)
    return ownership.with_fields(manager, (ownership.fields(manager) | changed) - gone)


def applied(
    resource: Resource, old: Mapping[str, Any], manifest: Mapping[str, Any], manager: Manager, *, force: bool
) -> tuple[dict[str, Any], Ownership]:
    """Return an object after an apply, and its ownership then.

    Raises:
        Refused: 409, another manager owns a field with another value.
    """
    kind = resource.stored_kind
    ownership = Ownership.of(old)
    live, named = leaves(kind, old), leaves(kind, manifest)
    if not ownership.entries:
        # Written without a record: all of it counts as owned (managedfields, lastappliedmanager).
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
        path[:length]  # the owner of a field in a list's entry keeps the entry
        for _, owned in ownership.others(manager)
        for path in owned
        for length in range(1, len(path) + 1)
    )
    # Only what this manager applied before can go: what it never named is none of its business.
    removed = ownership.fields(manager) - frozenset(named) - kept_by_others
    result = _without(kind, old, removed, (), ())
    result = _merged(kind, result, manifest, ())
    return result, ownership.with_fields(manager, frozenset(named))


def stamped(ownership: Ownership, manager: Manager, before: Ownership) -> Ownership:
    """Give a manager the time of this write, unless its fields stayed the same."""
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
        listed = f"conflict with {next(iter(by_manager))}: {causes[0].field}"
    else:
        listed = "conflicts " + "\nconflicts ".join(
            f"with {using}:\n" + "\n".join(f"- {path}" for path in paths)
            for using, paths in by_manager.items()
        )
    return Refused(409, "Conflict", f"Apply failed with {count}: {listed}", resource=resource, causes=causes)


def _without(kind: str, value: Any, removed: FieldSet, path: FieldPath, names: merge_keys.Path) -> Any:
    """Return a value without the removed paths below it, and without maps and lists that this empties."""
    if not removed:
        return value
    if isinstance(value, Mapping):
        kept: dict[str, Any] = {}
        for key, item in value.items():
            here = (*path, f"f:{key}")
            if here in removed:
                continue
            new = _without(kind, item, removed, here, (*names, key))
            # A map that the removal empties goes with it; one that was empty before stays.
            if item and not new and isinstance(item, Mapping | list):
                continue
            kept[key] = new
        return kept
    rule = merge_keys.list_rule(kind, names) if isinstance(value, list) else None
    if rule is None:
        return value
    entries = []
    for item in value:
        here = (*path, entry_key(rule, item))
        if here not in removed:
            entries.append(_without(kind, item, removed, here, names))
    return entries


def _merged(kind: str, old: Any, manifest: Any, names: merge_keys.Path) -> Any:
    if isinstance(manifest, Mapping) and isinstance(old, Mapping):
        if names and merge_keys.is_atomic_map(kind, names):
            return manifest
        result = dict(old)
        for key, value in manifest.items():
            result[key] = _merged(kind, old.get(key), value, (*names, key))
        return result
    rule = merge_keys.list_rule(kind, names) if isinstance(manifest, list) else None
    if rule is None or not isinstance(old, list):
        return manifest
    rest = {entry_key(rule, entry): entry for entry in old}
    # First the entries of the manifest, in its order; then those that others added.
    named = [_merged(kind, rest.pop(entry_key(rule, entry), None), entry, names) for entry in manifest]
    return [*named, *rest.values()]
