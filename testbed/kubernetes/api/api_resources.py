"""The resources that the API serves: the kinds of `testbed.kubernetes.kinds`, and those that CRDs define."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from testbed.kubernetes.kinds import KINDS, Kind, custom_kind
from testbed.kubernetes.object_store import ObjectStore
from testbed.kubernetes.rules import gateway_schemas

VERBS = ("create", "delete", "deletecollection", "get", "list", "patch", "update", "watch")
STATUS_VERBS = ("get", "patch", "update")
CRD = "CustomResourceDefinition"

_SHORT_NAMES: Mapping[str, tuple[str, ...]] = {
    "Service": ("svc",),
    "Ingress": ("ing",),
    "Pod": ("po",),
    "Endpoints": ("ep",),
    "Node": ("no",),
    "Namespace": ("ns",),
    "Event": ("ev",),
    "ConfigMap": ("cm",),
    "ServiceAccount": ("sa",),
    "PersistentVolumeClaim": ("pvc",),
    "ReplicationController": ("rc",),
    "Deployment": ("deploy",),
    "ReplicaSet": ("rs",),
    "DaemonSet": ("ds",),
    "StatefulSet": ("sts",),
    "CronJob": ("cj",),
    "HorizontalPodAutoscaler": ("hpa",),
    "PodDisruptionBudget": ("pdb",),
    "NetworkPolicy": ("netpol",),
    "GatewayClass": ("gc",),
    "Gateway": ("gtw",),
    "ListenerSet": ("lset",),
    "ReferenceGrant": ("refgrant",),
    CRD: ("crd", "crds"),
}
_IN_ALL = (
    *("Service", "Pod", "ReplicationController", "Deployment", "ReplicaSet", "DaemonSet", "StatefulSet"),
    *("Job", "CronJob", "HorizontalPodAutoscaler"),
)
"""`kubectl get all`."""
_WITHOUT_STATUS = (
    *("IngressClass", "Endpoints", "EndpointSlice", "Event", "ConfigMap", "Secret", "ServiceAccount"),
    *("Lease", "Role", "RoleBinding", "ClusterRole", "ClusterRoleBinding", "NetworkPolicy"),
    *("IngressClassParams", "MutatingWebhookConfiguration", "ValidatingWebhookConfiguration"),
    "ReferenceGrant",
)
_ONE_VERSION = ("Event", "GRPCRoute", "TLSRoute", "TCPRoute", "UDPRoute")
"""Kinds of which the first version alone is served: the fields of an Event's other have other names, and the
routes are as the standard channel of Gateway API v1.6 serves them. Of the others every version is, as in a
cluster of Kubernetes 1.19 to 1.21, in which the story's `networking.k8s.io/v1beta1` stands beside `v1`: what
a scenario may apply, kubectl may apply as well. A CRD among the manifests serves more versions."""
_DEPRECATED: Mapping[tuple[str, str], str] = {
    ("Ingress", "networking.k8s.io/v1beta1"): "v1.19+, unavailable in v1.22+; use networking.k8s.io/v1",
    ("Ingress", "extensions/v1beta1"): "v1.14+, unavailable in v1.22+; use networking.k8s.io/v1",
    ("IngressClass", "networking.k8s.io/v1beta1"): "v1.19+, unavailable in v1.22+; use networking.k8s.io/v1",
}


@dataclass(frozen=True, slots=True)
class Resource:
    """A resource of the API in one version.

    Attributes:
        api_version: `v1`, `networking.k8s.io/v1`.
        plural, singular, kind: its names.
        stored_kind: the kind by which the store keeps its objects.
        has_status: whether the status is a resource of its own.
        custom_schema: `openAPIV3Schema` of its CRD, None for a kind of Kubernetes itself.
        columns: `additionalPrinterColumns` of its CRD.
        warning: the API server's warning to clients that use this version, or "".
    """

    api_version: str
    plural: str
    singular: str
    kind: str
    stored_kind: str
    namespaced: bool = True
    has_status: bool = True
    short_names: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()
    custom_schema: Mapping[str, Any] | None = field(default=None, compare=False)
    columns: Sequence[Mapping[str, Any]] = field(default=(), compare=False)
    warning: str = ""

    @property
    def group(self) -> str:
        """`networking.k8s.io`; "" for the core group."""
        return self.api_version.rpartition("/")[0]

    @property
    def version(self) -> str:
        """`v1`."""
        return self.api_version.rpartition("/")[2]

    @property
    def qualified(self) -> str:
        """The name in messages: `services`, `ingresses.networking.k8s.io`."""
        return f"{self.plural}.{self.group}" if self.group else self.plural

    @property
    def is_custom(self) -> bool:
        """True if a CRD defines it here or in a real cluster: such objects know no strategic merge."""
        return self.custom_schema is not None or self.group in ("elbv2.k8s.aws", "externaldns.k8s.io")


class Resources:
    """All resources, in the order in which discovery lists them."""

    def __init__(self, store: ObjectStore) -> None:
        self._store = store

    def __iter__(self) -> Iterator[Resource]:
        yield from BUILT_IN
        known = {(resource.api_version, resource.plural) for resource in BUILT_IN}
        for definition in self._store.list(CRD):
            for resource in custom_resources(definition):
                if (resource.api_version, resource.plural) not in known:
                    yield resource

    def find(self, api_version: str, plural: str) -> Resource | None:
        """Return the resource at `/api/<api_version>/.../<plural>`, or None."""
        for resource in self:
            if resource.plural == plural and resource.api_version == api_version:
                return resource
        return None

    def of_kind(self, stored_kind: str) -> Resource | None:
        """Return the resource, in its stored version, as which a kind of the store is served."""
        return next((resource for resource in self if resource.stored_kind == stored_kind), None)


def custom_resources(definition: Mapping[str, Any]) -> Iterator[Resource]:
    """Yield the resources that a CustomResourceDefinition, v1 or v1beta1, defines; stored version first."""
    spec = definition.get("spec") or {}
    names, group = spec.get("names") or {}, spec.get("group", "")
    # v1beta1 may have one version and one schema for all, beside the list.
    versions = spec.get("versions") or [{"name": spec.get("version", "v1"), "served": True, "storage": True}]
    # Clients prefer the first version that discovery lists.
    for entry in sorted(versions, key=lambda version: not version.get("storage")):
        if not entry.get("served"):
            continue
        schema = entry.get("schema") or spec.get("validation") or {}
        subresources = entry.get("subresources") or spec.get("subresources") or {}
        namespaced = spec.get("scope") != "Cluster"
        yield Resource(
            api_version=f"{group}/{entry['name']}",
            plural=names.get("plural", ""),
            singular=names.get("singular") or names.get("kind", "").lower(),
            kind=names.get("kind", ""),
            stored_kind=custom_kind(names.get("kind", ""), group, namespaced=namespaced),
            namespaced=namespaced,
            has_status="status" in subresources,
            short_names=tuple(names.get("shortNames") or ()),
            categories=tuple(names.get("categories") or ()),
            custom_schema=schema.get("openAPIV3Schema") or {},
            columns=entry.get("additionalPrinterColumns") or spec.get("additionalPrinterColumns") or (),
            warning=_custom_warning(entry, group, names.get("kind", "")),
        )


def _custom_warning(version: Mapping[str, Any], group: str, kind: str) -> str:
    if not version.get("deprecated"):
        return ""
    return version.get("deprecationWarning") or f"{group}/{version['name']} {kind} is deprecated"


def _built_in(kind: Kind) -> Iterator[Resource]:
    for version in kind.versions[:1] if kind.name in _ONE_VERSION else kind.versions:
        deprecated = _DEPRECATED.get((kind.name, version))
        is_own_group = version.rpartition("/")[0] == kind.versions[0].rpartition("/")[0]
        yield Resource(
            api_version=version,
            plural=kind.plural,
            singular=kind.name.lower(),
            kind=kind.name,
            stored_kind=kind.name,
            namespaced=kind.namespaced,
            has_status=kind.name not in _WITHOUT_STATUS,
            custom_schema=gateway_schemas.schema_of(kind.name),
            columns=gateway_schemas.COLUMNS.get(kind.name, ()),
            # If two groups had the same short name, kubectl would warn at each use of it.
            short_names=_SHORT_NAMES.get(kind.name, ()) if is_own_group else (),
            categories=("all",) if kind.name in _IN_ALL and is_own_group else (),
            warning=f"{version} {kind.name} is deprecated in {deprecated} {kind.name}" if deprecated else "",
        )


BUILT_IN: tuple[Resource, ...] = tuple(resource for kind in KINDS.values() for resource in _built_in(kind))
