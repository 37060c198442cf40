"""The controllers of a cluster as Deployments: who scales one to 0 stops it.

ExternalDNS and the AWS Load Balancer Controller are threads of the testbed. Each obeys the Deployment of its
image among the user's manifests, or, without one, a Deployment in kube-system that stands for it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from typing import Any

from testbed.kubernetes import ObjectStore
from testbed.kubernetes.api_errors import NotFound
from testbed.kubernetes.deployment_controller import image_of
from testbed.kubernetes.played_pods import replicas_of
from testbed.rehearsal.setup import ClusterSetup

_REGISTRIES = {
    "external-dns": "registry.k8s.io/external-dns",
    "aws-load-balancer-controller": "public.ecr.aws/eks",
}
"""Of the images, whose names are those of the Deployments that the charts make."""
NAMESPACE = "kube-system"
NOT_PLAYED = (
    "its image or arguments have changed: its pods are new, and decide as before; a scenario changes them "
    "with cutover.upgrade_external_dns"
)
_MADE_HERE = "testbed/stands-for-a-controller"


def deployment(name: str, release: str, arguments: Sequence[str], replicas: int = 1) -> dict[str, Any]:
    """Return the Deployment that stands for a controller."""
    labels = {"app.kubernetes.io/name": name}
    container = {"name": name, "image": f"{_REGISTRIES[name]}/{name}:{release}", "args": list(arguments)}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {
            "name": name,
            "namespace": NAMESPACE,
            "labels": {**labels, "app.kubernetes.io/version": release},
            "annotations": {_MADE_HERE: "true"},
        },
        "spec": {
            "replicas": replicas,
            "selector": {"matchLabels": labels},
            "template": {"metadata": {"labels": labels}, "spec": {"containers": [container]}},
        },
    }


def standing(setup: ClusterSetup) -> list[dict[str, Any]]:
    """Return the Deployments that stand for the controllers of a cluster."""
    found = []
    if not setup.lb_controller_is_open:
        name = "aws-load-balancer-controller"
        found.append(deployment(name, setup.lb_controller, setup.lb_controller_args))
    if setup.external_dns_flags and not setup.external_dns_is_open:
        found.append(deployment("external-dns", setup.external_dns_version, setup.external_dns_flags))
    return found


class DeployedControllers:
    """Compares the Deployments with what runs. It obeys from `begin` on.

    Args:
        switch: by the name of an image, how to start (True) and stop (False) its controller.
        notice: called with an owner and a sentence for what is not played.
    """

    def __init__(
        self,
        store: ObjectStore,
        switch: Mapping[str, Callable[[bool], None]],
        notice: Callable[[str, str], None],
    ) -> None:
        self._store, self._switch, self._notice = store, switch, notice
        self._runs = dict.fromkeys(switch, True)
        self._templates: dict[str, Mapping[str, Any]] = {}
        self._has_begun = False

    def runs(self, image: str) -> bool:
        """True if a controller runs, or may."""
        return self._runs.get(image, True)

    def begin(self, standing: Sequence[Mapping[str, Any]]) -> None:
        """Make the Deployments of controllers that the manifests have none of, and obey from now on."""
        for item in standing:
            if not self._of(image_of(item)):
                self._store.restore(item)
        self._has_begun = True
        self.look()

    def show(self, item: Mapping[str, Any]) -> None:
        """Let the Deployment that stands for a controller name another release."""
        for own in self._of(image_of(item)):
            if _stands(own):
                spec = {**item["spec"], "replicas": replicas_of(own)}
                self._templates[own["metadata"]["uid"]] = spec["template"]
                self._store.replace({**own, "spec": spec})

    def look(self) -> None:
        """Start, stop and restart controllers as their Deployments ask."""
        if not self._has_begun:
            return
        for image, switch in self._switch.items():
            items = self._of(image)
            users = [item for item in items if not _stands(item)]
            if users and len(users) < len(items):
                self._give_way(items)
            runs = any(replicas_of(item) for item in users or items)
            is_new = [self._has_new_pods(item) for item in users or items]
            if runs != self._runs[image]:
                self._runs[image] = runs
                switch(runs)
            elif runs and any(is_new):
                switch(False)
                switch(True)

    def _has_new_pods(self, item: Mapping[str, Any]) -> bool:
        """True if the template has changed since the last look; what it says anew is not played."""
        uid, template = item["metadata"]["uid"], item["spec"].get("template") or {}
        before = self._templates.setdefault(uid, template)
        if before == template:
            return False
        self._templates[uid] = template
        if before.get("spec") != template.get("spec"):
            metadata = item["metadata"]
            self._notice(f"deployment/{metadata['namespace']}/{metadata['name']}", NOT_PLAYED)
        return True

    def _of(self, image: str) -> list[Mapping[str, Any]]:
        return [item for item in self._store.list("Deployment") if image_of(item) == image]

    def _give_way(self, items: Sequence[Mapping[str, Any]]) -> None:
        """Delete the Deployment that stands for one that is there now."""
        for item in filter(_stands, items):
            with suppress(NotFound):  # somebody was quicker
                self._store.delete("Deployment", item["metadata"]["namespace"], item["metadata"]["name"])


def _stands(item: Mapping[str, Any]) -> bool:
    return _MADE_HERE in (item["metadata"].get("annotations") or {})
