"""What an edit of manifests does to load balancers that stand: `testbed lb diff`.

The controllers of a run carry the edit out in a `LiveCluster`; nothing is guessed from the difference itself.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from testbed.aws.in_process import Write
from testbed.kubernetes import ObjectStore, object_fields
from testbed.kubernetes.manifests import Manifest
from testbed.lb_controller.controllers import load_balancer_status
from testbed.lb_controller.core.build_inputs import ControllerOptions
from testbed.lb_controller.core.unobeyed import unobeyed
from testbed.lb_controller.offline import stack_plan
from testbed.lb_controller.offline.edit_effects import Call, Effect, calls, effects
from testbed.lb_controller.offline.live_cluster import LiveCluster

_Asked = tuple[Sequence[Manifest], ControllerOptions]
"""What objects ask for, and the controller that they ask."""
_KINDS = ("Ingress", "Service")


@dataclass(frozen=True, slots=True, kw_only=True)
class Edit:
    """An edit, carried out.

    Attributes:
        release: the release of the controller that did it.
        calls: the calls to AWS that write, in order.
        effects: what clients notice.
        names: the objects whose status names another balancer afterwards, `Kind namespace/name`: names before
            and after, "" for none.
        stale: the objects whose status still names a balancer that is gone.
        left_out: what the objects ask for and the testbed models without making it.
        not_obeyed: what the edit changes and no packet of the testbed obeys; clients may notice it.
        failures: the events with which an object could not be built or deployed, `Kind namespace/name: text`.
        failed_before: the same of what stands: nothing is known about its edit.
    """

    release: str
    calls: tuple[Call, ...]
    effects: tuple[Effect, ...]
    names: Mapping[str, tuple[str, str]]
    stale: Mapping[str, str]
    left_out: tuple[str, ...]
    not_obeyed: tuple[str, ...]
    failures: tuple[str, ...]
    failed_before: tuple[str, ...]

    @property
    def has_failures(self) -> bool:
        """True if an object could not be built, or AWS refused it."""
        return bool(self.failures or self.failed_before)

    def to_json(self) -> dict[str, Any]:
        """The edit as a document."""
        return {
            "release": self.release,
            "writes": [_call_json(one) for one in self.calls],
            "clients": [{"kind": one.kind, "call": one.call, "text": one.text} for one in self.effects],
            "names": {key: {"before": old, "after": new} for key, (old, new) in self.names.items()},
            "stale": dict(self.stale),
            "left_out": [*self.left_out],
            "not_obeyed": [*self.not_obeyed],
            "failures": [*self.failures],
            "failed_before": [*self.failed_before],
        }


def edit(old: Sequence[Manifest], new: Sequence[Manifest], options: ControllerOptions) -> Edit:
    """Carry out the edit from `old`, which stands, to `new`.

    Raises:
        BadInput: the Kubernetes API refuses an object of `new`.
    """
    cluster = LiveCluster(options, [*old, *new])
    return _carried_out(cluster, (old, options), (new, options), lambda one: one.apply(new))


def of_upgrade(manifests: Sequence[Manifest], old: ControllerOptions, new: ControllerOptions) -> Edit:
    """Carry out the upgrade of the controllers of what stands."""
    cluster = LiveCluster(old, manifests)
    return _carried_out(cluster, (manifests, old), (manifests, new), lambda one: one.upgrade(new))


def _carried_out(
    cluster: LiveCluster, old: _Asked, new: _Asked, change: Callable[[LiveCluster], tuple[Write, ...]]
) -> Edit:
    try:
        standing = cluster.stand(old[0])
        before, failed_before = _names(cluster.store), _failures(cluster.store, 0)
        revision = cluster.store.revision
        writes = change(cluster)
        after, failures = _names(cluster.store), _failures(cluster.store, revision)
        there = cluster.dns_names()
    finally:
        cluster.close()
    changed = {
        key: (before.get(key, ""), after.get(key, ""))
        for key in sorted(before.keys() | after.keys())
        if before.get(key, "") != after.get(key, "")
    }
    return Edit(
        release=new[1].release.tag,
        calls=calls(standing, writes),
        effects=effects(standing, writes, changed.values()),
        names=changed,
        left_out=_left_out(*new),
        not_obeyed=_not_obeyed(old, new),
        stale={key: name for key, name in after.items() if name not in there},
        failures=failures,
        failed_before=failed_before,
    )


def _left_out(new: Sequence[Manifest], options: ControllerOptions) -> tuple[str, ...]:
    return tuple(
        f"the frontend NLB {one.stack.frontend_nlb.load_balancer.name} of {one.title}"
        for one in stack_plan.plan(new, options).stacks
        if one.stack and one.stack.frontend_nlb
    )


def _not_obeyed(old: _Asked, new: _Asked) -> tuple[str, ...]:
    before, after = (
        dict.fromkeys(
            f"{phrase} ({one.title})"
            for one in stack_plan.plan(manifests, options).stacks
            if one.stack
            for phrase in unobeyed(replace(one.stack, frontend_nlb=None))
        )
        for manifests, options in (old, new)
    )
    came = [phrase for phrase in after if phrase not in before]
    return (*came, *(f"no longer {phrase}" for phrase in before if phrase not in after))


def _names(store: ObjectStore) -> dict[str, str]:
    return {
        f"{kind} {object_fields.key(item)}": entries[0].get("hostname", "")
        for kind in _KINDS
        for item in store.list(kind)
        if (entries := load_balancer_status.entries(item))
    }


def _failures(store: ObjectStore, since: int) -> tuple[str, ...]:
    found = []
    for event in store.list("Event"):
        if event["type"] == "Warning" and int(event["metadata"]["resourceVersion"]) > since:
            about = event["involvedObject"]
            found.append(f"{about['kind']} {about['namespace']}/{about['name']}: {event['message']}")
    return tuple(dict.fromkeys(found))


def _call_json(call: Call) -> dict[str, Any]:
    write = call.write
    return {
        "service": write.service,
        "action": write.action,
        "subject": call.subject,
        "how": call.how,
        "parameters": dict(write.parameters),
        "status": write.status,
        **({"refusal": write.refusal} if write.refusal else {}),
    }
