"""Deployments: each has what it asks for at once; those whose image is `run` by the testbed have pods, too.

Source: kubernetes pkg/controller/deployment (sync.go `calculateStatus`, progress.go). Other Deployments have
the pods that the runtime plays for their Services (played_pods.py), perhaps fewer than they ask for: their
status says that all are available, so that `kubectl rollout status` ends. ReplicaSets are left out: a pod
belongs to its Deployment.
"""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import orjson

from testbed.clock import Clock
from testbed.kubernetes.api_errors import NotFound
from testbed.kubernetes.object_fields import Object
from testbed.kubernetes.object_store import ObjectStore
from testbed.kubernetes.played_pods import PlayedPods, replicas_of
from testbed.settings import PATIENCE

_LETTERS = "bcdfghjklmnpqrstvwxz2456789"
"""Of the hash in a pod's name (apimachinery pkg/util/rand `SafeEncodeString`)."""


def image_of(deployment: Mapping[str, Any]) -> str:
    """Return the name of its first container's image, without registry and tag: `external-dns`."""
    containers = (_template(deployment).get("spec") or {}).get("containers")
    return image_name(str(containers[0].get("image") or "")) if containers else ""


def image_name(image: str) -> str:
    """Return `external-dns` of `registry.k8s.io/external-dns/external-dns:v0.21.0@sha256:…`."""
    return image.partition("@")[0].rpartition("/")[2].partition(":")[0]


class DeploymentController:
    """Keeps the status of Deployments, and pods of those that are run.

    Args:
        is_run: tells by the name of an image whether its pods are shown.
        notice: called after each change of a Deployment.
    """

    def __init__(
        self, store: ObjectStore, clock: Clock, is_run: Callable[[str], bool], notice: Callable[[], None]
    ) -> None:
        self._store, self._clock, self._is_run, self._notice = store, clock, is_run, notice
        self._played = PlayedPods(store, clock)

    def run(self, stop: threading.Event) -> None:
        """Look at Deployments and pods after each change until `stop` is set."""
        seen, known = 0, None
        while not stop.is_set():
            seen = self._store.wait(seen, PATIENCE.look)
            items = self._store.list("Deployment")
            now = [(item["metadata"]["uid"], item["metadata"]["resourceVersion"]) for item in items]
            pods = [pod["metadata"]["uid"] for pod in self._store.list("Pod")]
            if (now, pods) != known or self._played.is_waiting:
                known = now, pods
                self._notice()
                self.look()

    def look(self) -> None:
        """Bring pods and status of all Deployments up to date."""
        wanted = {
            (pod["metadata"]["namespace"], pod["metadata"]["name"]): pod
            for item in self._store.list("Deployment")
            if self._is_run(image_of(item))
            for pod in pods_of(item, self._clock.rfc3339())
        }
        for pod in self._store.list("Pod"):
            owners = pod["metadata"].get("ownerReferences") or ()
            key = pod["metadata"]["namespace"], pod["metadata"]["name"]
            if any(owner.get("kind") == "Deployment" for owner in owners) and wanted.pop(key, None) is None:
                self._delete(*key)
        for pod in wanted.values():
            self._store.restore(pod)
        deployments = self._store.list("Deployment")
        self._played.look([item for item in deployments if not self._is_run(image_of(item))])
        for item in deployments:
            status = status_of(item, self._clock.rfc3339())
            if item.get("status") != status:
                metadata = item["metadata"]
                self._store.update_status("Deployment", metadata["namespace"], metadata["name"], status)

    def _delete(self, namespace: str, name: str) -> None:
        try:
            self._store.delete("Pod", namespace, name)
        except NotFound:
            return  # somebody was quicker


def status_of(deployment: Mapping[str, Any], now: str) -> Object:
    """Return the status of a Deployment whose pods are all available. Times of an earlier status are kept."""
    count = replicas_of(deployment)
    before = {one.get("type"): one for one in (deployment.get("status") or {}).get("conditions") or ()}
    conditions = []
    for kind, reason, message in (
        ("Available", "MinimumReplicasAvailable", "Deployment has minimum availability."),
        ("Progressing", "NewReplicaSetAvailable", "Deployment has successfully progressed."),
    ):
        since = before.get(kind, {}).get("lastTransitionTime", now)
        conditions.append(
            {
                "type": kind,
                "status": "True",
                "reason": reason,
                "message": message,
                "lastTransitionTime": since,
                "lastUpdateTime": since,
            }
        )
    counts = ("replicas", "updatedReplicas", "readyReplicas", "availableReplicas")
    return {
        "observedGeneration": deployment["metadata"].get("generation", 1),
        **(dict.fromkeys(counts, count) if count else {}),
        "conditions": conditions,
    }


def pods_of(deployment: Mapping[str, Any], now: str) -> Iterator[Object]:
    """Yield the pods of a Deployment, running since `now`. Another template makes pods of other names."""
    metadata, template = deployment["metadata"], _template(deployment)
    digest = hashlib.sha256(orjson.dumps(template, option=orjson.OPT_SORT_KEYS)).digest()
    letters = "".join(_LETTERS[byte % len(_LETTERS)] for byte in digest)
    containers = (template.get("spec") or {}).get("containers") or ()
    for index in range(replicas_of(deployment)):
        suffix = letters[10 + index % 8 : 15 + index % 8]
        yield {
            "apiVersion": "v1",
            "kind": "Pod",
            "metadata": {
                "name": f"{metadata['name']}-{letters[:10]}-{suffix}{index or ''}",
                "namespace": metadata["namespace"],
                "labels": dict((template.get("metadata") or {}).get("labels") or {}),
                "ownerReferences": [
                    {
                        "apiVersion": "apps/v1",
                        "kind": "Deployment",
                        "name": metadata["name"],
                        "uid": metadata["uid"],
                        "controller": True,
                    }
                ],
            },
            "spec": {"containers": [dict(one) for one in containers]},
            # Without an address: nothing in the cluster can call it.
            "status": {
                "phase": "Running",
                "startTime": now,
                "conditions": [{"type": "Ready", "status": "True"}],
                "containerStatuses": [
                    {
                        "name": one.get("name", ""),
                        "image": one.get("image", ""),
                        "ready": True,
                        "started": True,
                        "restartCount": 0,
                        "state": {"running": {"startedAt": now}},
                    }
                    for one in containers
                ],
            },
        }


def _template(deployment: Mapping[str, Any]) -> Mapping[str, Any]:
    return (deployment.get("spec") or {}).get("template") or {}
