"""What an upgrade of the controller changes in stacks that stand, or the way back: `testbed lb upgrade`.

The controllers of the old release make the stacks of the manifests in a `LiveCluster`, then those of the new
one look at every object once, as they do at their start. The rest is read from the dated tables.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from testbed.dated_releases import Release
from testbed.errors import Location
from testbed.kubernetes.manifests import Manifest
from testbed.lb_controller.core import annotation_dates, feature_gates, iam_actions
from testbed.lb_controller.core.build_inputs import ControllerOptions
from testbed.lb_controller.core.facts import Fact
from testbed.lb_controller.core.feature_gates import Gate
from testbed.lb_controller.offline.edit import Edit, of_upgrade

_READ = ("Ingress", "Service")


@dataclass(frozen=True, slots=True, kw_only=True)
class Annotation:
    """An annotation that counts under one of the releases only.

    Attributes:
        item: `Ingress default/web`.
        since: the tag of the first release that reads it.
        begins: True if it begins to count, False if it ends.
    """

    item: str
    where: Location
    key: str
    since: str
    begins: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Upgrade:
    """An upgrade, carried out.

    Attributes:
        old, new: the releases.
        edit: the calls to AWS at the start of the new release, and what clients notice.
        annotations: those that begin or end to count.
        gates: the feature gates whose default differs, with both; None for a release that does not know it.
        iam_actions: the actions that the policy must allow before, with the first release of each.
        facts: what else the releases do differently, `came` and `went`, by the sources of the dated facts.
    """

    old: Release
    new: Release
    edit: Edit
    annotations: tuple[Annotation, ...]
    gates: Mapping[str, tuple[bool | None, bool | None]]
    iam_actions: Mapping[str, str]
    facts: Mapping[str, tuple[Fact, ...]]

    def to_json(self) -> dict[str, Any]:
        """The upgrade as a document."""
        return {
            "from": self.old.tag,
            "to": self.new.tag,
            **{key: value for key, value in self.edit.to_json().items() if key != "release"},
            "annotations": [
                {
                    "object": one.item,
                    "where": str(one.where),
                    "annotation": one.key,
                    "since": one.since,
                    "begins": one.begins,
                }
                for one in self.annotations
            ],
            "feature_gates": {name: {"before": old, "after": new} for name, (old, new) in self.gates.items()},
            "iam_actions": dict(self.iam_actions),
            "facts": {
                what: [{"fact": one.name, "source": one.dates.source} for one in facts]
                for what, facts in self.facts.items()
            },
        }


def upgrade(manifests: Sequence[Manifest], old: ControllerOptions, new: ControllerOptions) -> Upgrade:
    """Carry out the upgrade of a controller from one set of options to another."""
    before, after = old.release, new.release
    return Upgrade(
        old=before,
        new=after,
        edit=of_upgrade(manifests, old, new),
        annotations=tuple(_annotations(manifests, before, after)),
        gates=_gates(before, after),
        iam_actions=iam_actions.added(before, after),
        facts={
            "came": _ordered(after.facts(Fact) - before.facts(Fact)),
            "went": _ordered(before.facts(Fact) - after.facts(Fact)),
        },
    )


def _annotations(manifests: Sequence[Manifest], old: Release, new: Release) -> list[Annotation]:
    return [
        Annotation(item=one.title, where=one.where, key=ignored.key, since=ignored.since, begins=begins)
        for one in manifests
        if one.object["kind"] in _READ
        for without, with_it, begins in ((old, new, True), (new, old, False))
        for ignored in annotation_dates.ignored(one.object, without)
        if with_it.is_since(ignored.since)
    ]


def _gates(old: Release, new: Release) -> dict[str, tuple[bool | None, bool | None]]:
    defaults = {
        gate.value: (feature_gates.default(gate, old), feature_gates.default(gate, new)) for gate in Gate
    }
    # A gate that is off is as good as one that the release does not know.
    return {name: (first, then) for name, (first, then) in defaults.items() if bool(first) != bool(then)}


def _ordered(facts: Any) -> tuple[Fact, ...]:
    return tuple(fact for fact in Fact if fact in facts)
