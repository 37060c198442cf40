"""How lists are merged: the fields that identify an entry, and the lists that are one value.

Strategic merge patch and server-side apply have different keys, because the patch is older: it takes two
ports with the same number and different protocols for one entry, apply for two.

Source: the tags `patchMergeKey`, `listMapKey` and `listType` in k8s.io/api. Paths are field names from the
object's root, without list indices.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

Path = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ListRule:
    """How a list is merged.

    Attributes:
        patch_key: the key of a strategic merge patch; "" for a list of plain values that is a set.
        map_keys: the keys of server-side apply; () for a set.
        defaults: the values of key fields in `map_keys` that an entry lacks.
    """

    patch_key: str
    map_keys: tuple[str, ...]
    defaults: Mapping[str, str]


def _by(*keys: str, **defaults: str) -> ListRule:
    return ListRule(keys[0] if keys else "", keys, defaults)


_SET = ListRule("", (), {})
_PORTS = _by("port", "protocol", protocol="TCP")
_METADATA: Mapping[str, ListRule] = {"ownerReferences": _by("uid"), "finalizers": _SET}
_POD: Mapping[str, ListRule] = {
    "containers": _by("name"),
    "initContainers": _by("name"),
    "ephemeralContainers": _by("name"),
    "volumes": _by("name"),
    "imagePullSecrets": _by("name"),
    "hostAliases": _by("ip"),
    "topologySpreadConstraints": _by("topologyKey", "whenUnsatisfiable"),
    "resourceClaims": _by("name"),
    "schedulingGates": _by("name"),
}
_CONTAINER: Mapping[str, ListRule] = {
    "ports": _by("containerPort", "protocol", protocol="TCP"),
    "env": _by("name"),
    "volumeMounts": _by("mountPath"),
    "volumeDevices": _by("devicePath"),
}
_CONTAINERS = ("containers", "initContainers", "ephemeralContainers")
_OF_KIND: Mapping[tuple[str, Path], ListRule] = {
    ("Service", ("spec", "ports")): _PORTS,
    ("ServiceAccount", ("secrets",)): _by("name"),
    ("ServiceAccount", ("imagePullSecrets",)): _by("name"),
    ("Node", ("status", "addresses")): _by("type"),
    ("Pod", ("status", "podIPs")): _by("ip"),
    ("Pod", ("status", "hostIPs")): _by("ip"),
}
_POD_SPEC: Mapping[str, Path] = {
    "Pod": ("spec",),
    **dict.fromkeys(
        ("Deployment", "ReplicaSet", "DaemonSet", "StatefulSet", "Job", "ReplicationController"),
        ("spec", "template", "spec"),
    ),
    "CronJob": ("spec", "jobTemplate", "spec", "template", "spec"),
}
_RETAINED_OF_POD = ("volumes", "resourceClaims")
# A selector with only some of its labels would select other pods than either manager means.
_ATOMIC_MAPS = ("selector", "nodeSelector", "matchLabels")


def list_rule(kind: str, path: Path) -> ListRule | None:
    """Return how the list at a path is merged; None for a list that is replaced as one value."""
    if path[:-1] == ("metadata",):
        return _METADATA.get(path[-1])
    if path == ("status", "conditions"):
        return _by("type")
    if rule := _OF_KIND.get((kind, path)):
        return rule
    pod = _POD_SPEC.get(kind)
    if pod is None or path[: len(pod)] != pod:
        return None
    inside = path[len(pod) :]
    if len(inside) == 1:
        return _POD.get(inside[0])
    if len(inside) == 2 and inside[0] in _CONTAINERS:
        return _CONTAINER.get(inside[1])
    return None


def retains_keys(kind: str, path: Path) -> bool:
    """True if a patch of the mapping at a path, or of an entry of the list there, lists the fields to keep.

    Such a mapping is a union: setting one member removes the others (`patchStrategy: retainKeys`).
    """
    pod = _POD_SPEC.get(kind)
    if pod is not None and path[:-1] == pod:
        return path[-1] in _RETAINED_OF_POD
    return kind == "Deployment" and path == ("spec", "strategy")


def is_atomic_map(kind: str, path: Path) -> bool:
    """True if server-side apply owns the mapping at a path as one value (`mapType: atomic`)."""
    if path[:1] != ("spec",):
        return False
    # The backends of an Ingress are in lists that are atomic themselves; only the default backend is not.
    return path[-1] in _ATOMIC_MAPS or (kind == "Ingress" and path[-1] == "resource")
