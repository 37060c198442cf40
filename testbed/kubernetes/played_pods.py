"""The pods that the runtime plays for the user's workloads, kept by a Deployment as by its ReplicaSet.

A pod that is played has the labels that Services select. A Deployment whose template has these labels is its
own: it gives the pod all labels of the template, brings it back after it was deleted, and takes it away when
it is scaled below the number of pods that are played. Beyond that number no pod comes: how many there are is
the runtime's choice, and so it is where a Deployment leaves `replicas` to an autoscaler. Of several
Deployments with such labels, as with blue and green, the sum counts.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from testbed.clock import Clock
from testbed.kubernetes.api_errors import NotFound
from testbed.kubernetes.object_fields import Object
from testbed.kubernetes.object_store import ObjectStore
from testbed.settings import PRODUCTION

_OF_ONE_LIFE = ("uid", "resourceVersion", "creationTimestamp", "deletionTimestamp")
_Key = tuple[str, str]


class PlayedPods:
    """Keeps the pods that the runtime plays. Each is known from the first look at which it is there."""

    def __init__(self, store: ObjectStore, clock: Clock) -> None:
        self._store, self._clock = store, clock
        self._known: dict[_Key, Object] = {}
        self._gone_since: dict[_Key, float] = {}

    @property
    def is_waiting(self) -> bool:
        """True if a pod is to come back, so that another look is needed although nothing changes."""
        return bool(self._gone_since)

    def look(self, deployments: Sequence[Mapping[str, Any]]) -> None:
        """Bring the played pods up to date with the Deployments that could own them."""
        standing = {_key(pod): pod for pod in self._store.list("Pod")}
        for key, pod in standing.items():
            if not pod["metadata"].get("ownerReferences"):
                self._known.setdefault(key, pod)
        kinds: dict[tuple[str, frozenset[tuple[str, str]]], list[_Key]] = {}
        for key, pod in self._known.items():
            if labels := _labels(pod):
                kinds.setdefault((key[0], frozenset(labels.items())), []).append(key)
        self._gone_since = {key: since for key, since in self._gone_since.items() if key not in standing}
        for (namespace, selected), keys in kinds.items():
            owners = [
                one
                for one in deployments
                if one["metadata"]["namespace"] == namespace and selected <= _template_labels(one).items()
            ]
            if owners:
                self._keep(sorted(keys), owners, standing)
            else:
                self._forget(keys)

    def _keep(
        self, keys: Sequence[_Key], owners: Sequence[Mapping[str, Any]], standing: Mapping[_Key, Object]
    ) -> None:
        are_asked = all((one.get("spec") or {}).get("replicas") is not None for one in owners)
        count = sum(map(replicas_of, owners)) if are_asked else len(keys)
        for key in keys[:count]:
            if key in standing:
                if more := _added_labels(standing[key], owners):
                    self._store.patch("Pod", *key, {"metadata": {"labels": more}})
                continue
            since = self._gone_since.setdefault(key, self._clock.now())
            if self._clock.now() - since >= PRODUCTION.pod_start:
                del self._gone_since[key]
                self._store.restore(_anew(self._known[key], owners))
        for key in keys[count:]:
            if key in standing:
                self._delete(key)
        self._forget(keys[count:])

    def _forget(self, keys: Iterable[_Key]) -> None:
        for key in keys:
            self._gone_since.pop(key, None)

    def _delete(self, key: _Key) -> None:
        try:
            self._store.delete("Pod", *key)
        except NotFound:
            return  # somebody was quicker


def replicas_of(deployment: Mapping[str, Any]) -> int:
    """Return how many pods a Deployment asks for; 1 if it does not say."""
    asked = (deployment.get("spec") or {}).get("replicas")
    return 1 if asked is None else int(asked)


def _anew(pod: Mapping[str, Any], owners: Sequence[Mapping[str, Any]]) -> Object:
    metadata = {name: value for name, value in pod["metadata"].items() if name not in _OF_ONE_LIFE}
    return {**pod, "metadata": {**metadata, "labels": {**_labels(pod), **_added_labels(pod, owners)}}}


def _added_labels(pod: Mapping[str, Any], owners: Sequence[Mapping[str, Any]]) -> dict[str, str]:
    """Return the labels that a pod lacks of its Deployment's template; none if it could be another's."""
    if len(owners) > 1:
        return {}
    has = _labels(pod)
    return {name: value for name, value in _template_labels(owners[0]).items() if has.get(name) != value}


def _template_labels(deployment: Mapping[str, Any]) -> Mapping[str, str]:
    template = (deployment.get("spec") or {}).get("template") or {}
    labels: Mapping[str, str] = (template.get("metadata") or {}).get("labels") or {}
    return labels


def _labels(pod: Mapping[str, Any]) -> Mapping[str, str]:
    labels: Mapping[str, str] = pod["metadata"].get("labels") or {}
    return labels


def _key(pod: Mapping[str, Any]) -> _Key:
    return pod["metadata"]["namespace"], pod["metadata"]["name"]
