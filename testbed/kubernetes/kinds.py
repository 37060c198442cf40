"""The kinds of objects that the testbed knows, with their API versions and scope.

Only Service, Ingress, Pod, Node, Endpoints, the kinds of the Gateway API, and the classes, bindings and
configurations of the AWS controller have an effect here. The other kinds are what a folder of manifests
usually holds beside them; they are stored untouched.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of object.

    Attributes:
        name: as in `kind:`.
        plural: as in the API's paths, e.g. `ingresses`.
        versions: the `apiVersion` values that are taken; objects are stored in the first.
        namespaced: True if its objects live in a namespace.
    """

    name: str
    plural: str
    versions: tuple[str, ...]
    namespaced: bool = True


_RBAC = ("rbac.authorization.k8s.io/v1", "rbac.authorization.k8s.io/v1beta1")
_EXTENSIONS = ("apps/v1", "apps/v1beta2", "apps/v1beta1", "extensions/v1beta1")
GATEWAY_GROUP, AWS_GATEWAY_GROUP = "gateway.networking.k8s.io", "gateway.k8s.aws"
"""The API groups of the Gateway API and of the LB Controller's own kinds beside it."""
ROUTE_KINDS = ("HTTPRoute", "GRPCRoute", "TCPRoute", "UDPRoute", "TLSRoute")


def _gateway_versions(*versions: str) -> tuple[str, ...]:
    return tuple(f"{GATEWAY_GROUP}/{version}" for version in versions)


_OF_AWS = (f"{AWS_GATEWAY_GROUP}/v1", f"{AWS_GATEWAY_GROUP}/v1beta1")

KINDS: dict[str, Kind] = {
    kind.name: kind
    for kind in (
        Kind("Service", "services", ("v1",)),
        Kind(
            "Ingress",
            "ingresses",
            ("networking.k8s.io/v1", "networking.k8s.io/v1beta1", "extensions/v1beta1"),
        ),
        Kind(
            "IngressClass",
            "ingressclasses",
            ("networking.k8s.io/v1", "networking.k8s.io/v1beta1"),
            namespaced=False,
        ),
        Kind("IngressClassParams", "ingressclassparams", ("elbv2.k8s.aws/v1beta1",), namespaced=False),
        Kind(
            "TargetGroupBinding", "targetgroupbindings", ("elbv2.k8s.aws/v1beta1", "elbv2.k8s.aws/v1alpha1")
        ),
        Kind("GatewayClass", "gatewayclasses", _gateway_versions("v1", "v1beta1"), namespaced=False),
        Kind("Gateway", "gateways", _gateway_versions("v1", "v1beta1")),
        Kind("HTTPRoute", "httproutes", _gateway_versions("v1", "v1beta1")),
        Kind("GRPCRoute", "grpcroutes", _gateway_versions("v1", "v1alpha2")),
        Kind("TLSRoute", "tlsroutes", _gateway_versions("v1", "v1alpha3", "v1alpha2")),
        Kind("TCPRoute", "tcproutes", _gateway_versions("v1", "v1alpha2")),
        Kind("UDPRoute", "udproutes", _gateway_versions("v1", "v1alpha2")),
        Kind("ListenerSet", "listenersets", _gateway_versions("v1")),
        Kind("ReferenceGrant", "referencegrants", _gateway_versions("v1beta1", "v1")),
        Kind("LoadBalancerConfiguration", "loadbalancerconfigurations", _OF_AWS),
        Kind("TargetGroupConfiguration", "targetgroupconfigurations", _OF_AWS),
        Kind("ListenerRuleConfiguration", "listenerruleconfigurations", _OF_AWS),
        Kind("Pod", "pods", ("v1",)),
        Kind("Endpoints", "endpoints", ("v1",)),
        Kind("EndpointSlice", "endpointslices", ("discovery.k8s.io/v1", "discovery.k8s.io/v1beta1")),
        Kind("Node", "nodes", ("v1",), namespaced=False),
        Kind("Namespace", "namespaces", ("v1",), namespaced=False),
        Kind("Event", "events", ("v1", "events.k8s.io/v1")),
        Kind("ConfigMap", "configmaps", ("v1",)),
        Kind("Secret", "secrets", ("v1",)),
        Kind("ServiceAccount", "serviceaccounts", ("v1",)),
        Kind("PersistentVolumeClaim", "persistentvolumeclaims", ("v1",)),
        Kind("ReplicationController", "replicationcontrollers", ("v1",)),
        Kind("Deployment", "deployments", _EXTENSIONS),
        Kind("ReplicaSet", "replicasets", _EXTENSIONS),
        Kind("DaemonSet", "daemonsets", _EXTENSIONS),
        Kind("StatefulSet", "statefulsets", _EXTENSIONS[:3]),
        Kind("Job", "jobs", ("batch/v1",)),
        Kind("CronJob", "cronjobs", ("batch/v1", "batch/v1beta1")),
        Kind(
            "HorizontalPodAutoscaler",
            "horizontalpodautoscalers",
            ("autoscaling/v2", "autoscaling/v2beta2", "autoscaling/v2beta1", "autoscaling/v1"),
        ),
        Kind("PodDisruptionBudget", "poddisruptionbudgets", ("policy/v1", "policy/v1beta1")),
        Kind("NetworkPolicy", "networkpolicies", ("networking.k8s.io/v1",)),
        Kind("Role", "roles", _RBAC),
        Kind("RoleBinding", "rolebindings", _RBAC),
        Kind("ClusterRole", "clusterroles", _RBAC, namespaced=False),
        Kind("ClusterRoleBinding", "clusterrolebindings", _RBAC, namespaced=False),
        Kind(
            "CustomResourceDefinition",
            "customresourcedefinitions",
            ("apiextensions.k8s.io/v1", "apiextensions.k8s.io/v1beta1"),
            namespaced=False,
        ),
        Kind(
            "MutatingWebhookConfiguration",
            "mutatingwebhookconfigurations",
            ("admissionregistration.k8s.io/v1",),
            namespaced=False,
        ),
        Kind(
            "ValidatingWebhookConfiguration",
            "validatingwebhookconfigurations",
            ("admissionregistration.k8s.io/v1",),
            namespaced=False,
        ),
        Kind("DNSEndpoint", "dnsendpoints", ("externaldns.k8s.io/v1alpha1",)),
        Kind("PersistentVolume", "persistentvolumes", ("v1",), namespaced=False),
        Kind("LimitRange", "limitranges", ("v1",)),
        Kind("ResourceQuota", "resourcequotas", ("v1",)),
        Kind("StorageClass", "storageclasses", ("storage.k8s.io/v1",), namespaced=False),
        Kind("PriorityClass", "priorityclasses", ("scheduling.k8s.io/v1",), namespaced=False),
        Kind("Lease", "leases", ("coordination.k8s.io/v1",)),
    )
}

GROUPS = frozenset(version.partition("/")[0] for kind in KINDS.values() for version in kind.versions)
"""API groups of these kinds; `v1` stands for the core group."""
DEFAULT_NAMESPACE = "default"
_CLUSTER_WIDE = "cluster-wide "


def custom_kind(kind: str, group: str, *, namespaced: bool) -> str:
    """Return the kind by which a store keeps the objects of a custom resource that is not known here.

    A custom resource may have the name of a known kind, as Knative's Service: its group keeps them apart.
    """
    known = KINDS.get(kind)
    if known and any(version.partition("/")[0] == group for version in known.versions):
        return kind
    return f"{'' if namespaced else _CLUSTER_WIDE}{kind}.{group}"


def is_custom(api_version: str) -> bool:
    """True if the group belongs to a custom resource: a domain that is none of the groups here."""
    group = api_version.partition("/")[0]
    return "." in group and group not in GROUPS


def is_namespaced(kind: str) -> bool:
    """True if objects of this kind live in a namespace; kinds that are not known here do."""
    known = KINDS.get(kind)
    return known.namespaced if known else not kind.startswith(_CLUSTER_WIDE)


def namespace_of(kind: str, namespace: str | None) -> str:
    """Return the namespace in an object's key: "" for cluster-wide kinds, `default` where none is named."""
    return (namespace or DEFAULT_NAMESPACE) if is_namespaced(kind) else ""
