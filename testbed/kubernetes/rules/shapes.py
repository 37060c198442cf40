"""The fields of the kinds and their types, as far as the testbed knows them.

Metadata, Service, Ingress and IngressClass are known field by field, of other kinds the metadata and the
fields at the top. Source: the OpenAPI description of Kubernetes 1.19 (v1beta1 Ingress) and 1.37. Which values
of a type are right is for the rules. Pure.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from testbed.kubernetes.ingress_versions import INGRESS_V1, INGRESS_V1BETA1
from testbed.kubernetes.kinds import AWS_GATEWAY_GROUP, GATEWAY_GROUP, KINDS, is_custom


@dataclass(frozen=True, slots=True)
class Struct:
    """An object with known fields.

    Attributes:
        fields: the shape of each.
        required: what the OpenAPI description requires; the rules refuse its absence.
        go_name: the type in Kubernetes' source, which its decoder names.
        is_open: True if there may be fields that are not known here.
    """

    fields: Mapping[str, Shape]
    required: tuple[str, ...] = ()
    go_name: str = ""
    is_open: bool = False


@dataclass(frozen=True, slots=True)
class ListOf:
    """A list of one shape."""

    item: Shape


@dataclass(frozen=True, slots=True)
class Text:
    """A string; `one_of` are the values that a rule takes."""

    one_of: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Integer:
    """A whole number of 32 bits; `or_name`: the name of a port may stand instead."""

    or_name: bool = False


@dataclass(frozen=True, slots=True)
class Boolean:
    """true or false."""


@dataclass(frozen=True, slots=True)
class Texts:
    """A mapping of any keys to strings, as labels and annotations are."""


@dataclass(frozen=True, slots=True)
class Anything:
    """Not looked into."""


Shape = Struct | ListOf | Text | Integer | Boolean | Texts | Anything

_TEXT, _NUMBER, _BOOLEAN, _TEXTS, _ANYTHING = Text(), Integer(), Boolean(), Texts(), Anything()
_PORT_OR_NAME = Integer(or_name=True)

SERVICE_TYPES = ("ClusterIP", "ExternalName", "LoadBalancer", "NodePort")
PROTOCOLS = ("SCTP", "TCP", "UDP")
TRAFFIC_POLICIES = ("Cluster", "Local")
AFFINITIES = ("ClientIP", "None")
IP_FAMILIES = ("IPv4", "IPv6")
IP_FAMILY_POLICIES = ("PreferDualStack", "RequireDualStack", "SingleStack")
PATH_TYPES = ("Exact", "ImplementationSpecific", "Prefix")

_OWNER = Struct(
    {
        **dict.fromkeys(("apiVersion", "kind", "name", "uid"), _TEXT),
        **dict.fromkeys(("blockOwnerDeletion", "controller"), _BOOLEAN),
    },
    required=("apiVersion", "kind", "name", "uid"),
    go_name="OwnerReference",
)
METADATA = Struct(
    {
        "name": _TEXT,
        "generateName": _TEXT,
        "namespace": _TEXT,
        "labels": _TEXTS,
        "annotations": _TEXTS,
        "finalizers": ListOf(_TEXT),
        "ownerReferences": ListOf(_OWNER),
        "uid": _TEXT,
        "resourceVersion": _TEXT,
        "generation": _NUMBER,
        "creationTimestamp": _ANYTHING,
        "deletionTimestamp": _ANYTHING,
        "deletionGracePeriodSeconds": _NUMBER,
        "managedFields": _ANYTHING,
        "selfLink": _TEXT,
        "clusterName": _TEXT,
    },
    required=("name",),
    go_name="ObjectMeta",
)

_SERVICE_PORT = Struct(
    {
        "name": _TEXT,
        "protocol": Text(PROTOCOLS),
        "port": _NUMBER,
        "targetPort": _PORT_OR_NAME,
        "nodePort": _NUMBER,
        "appProtocol": _TEXT,
    },
    required=("port",),
    go_name="ServicePort",
)
_AFFINITY_CONFIG = Struct(
    {"clientIP": Struct({"timeoutSeconds": _NUMBER}, go_name="ClientIPConfig")},
    go_name="SessionAffinityConfig",
)

_SERVICE_SPEC = Struct(
    {
        "type": Text(SERVICE_TYPES),
        "selector": _TEXTS,
        "ports": ListOf(_SERVICE_PORT),
        "clusterIP": _TEXT,
        "clusterIPs": ListOf(_TEXT),
        "externalIPs": ListOf(_TEXT),
        "externalName": _TEXT,
        "externalTrafficPolicy": Text(TRAFFIC_POLICIES),
        "internalTrafficPolicy": Text(TRAFFIC_POLICIES),
        "trafficDistribution": _TEXT,
        "healthCheckNodePort": _NUMBER,
        "loadBalancerClass": _TEXT,
        "loadBalancerIP": _TEXT,
        "loadBalancerSourceRanges": ListOf(_TEXT),
        "allocateLoadBalancerNodePorts": _BOOLEAN,
        "publishNotReadyAddresses": _BOOLEAN,
        "sessionAffinity": Text(AFFINITIES),
        "sessionAffinityConfig": _AFFINITY_CONFIG,
        "ipFamilies": ListOf(Text(IP_FAMILIES)),
        "ipFamily": _TEXT,
        "ipFamilyPolicy": Text(IP_FAMILY_POLICIES),
        "topologyKeys": ListOf(_TEXT),
    },
    go_name="ServiceSpec",
)

_RESOURCE = Struct(
    {"apiGroup": _TEXT, "kind": _TEXT, "name": _TEXT},
    required=("kind", "name"),
    go_name="TypedLocalObjectReference",
)
_BACKEND_PORT = Struct({"name": _TEXT, "number": _NUMBER}, go_name="ServiceBackendPort")
_BACKEND_SERVICE = Struct(
    {"name": _TEXT, "port": _BACKEND_PORT}, required=("name", "port"), go_name="IngressServiceBackend"
)
_BACKEND_V1 = Struct({"service": _BACKEND_SERVICE, "resource": _RESOURCE}, go_name="IngressBackend")
_BACKEND_V1BETA1 = Struct(
    {"serviceName": _TEXT, "servicePort": _PORT_OR_NAME, "resource": _RESOURCE},
    required=("serviceName", "servicePort"),
    go_name="IngressBackend",
)
_TLS = ListOf(Struct({"hosts": ListOf(_TEXT), "secretName": _TEXT}, go_name="IngressTLS"))


def _ingress_spec(default_backend: str, backend: Struct, required: tuple[str, ...]) -> Struct:
    path = Struct(
        {"path": _TEXT, "pathType": Text(PATH_TYPES), "backend": backend},
        required=required,
        go_name="HTTPIngressPath",
    )
    http = Struct({"paths": ListOf(path)}, required=("paths",), go_name="HTTPIngressRuleValue")
    rule = Struct({"host": _TEXT, "http": http}, go_name="IngressRule")
    return Struct(
        {"ingressClassName": _TEXT, default_backend: backend, "rules": ListOf(rule), "tls": _TLS},
        go_name="IngressSpec",
    )


_INGRESS_V1 = _ingress_spec("defaultBackend", _BACKEND_V1, ("backend", "pathType"))
_INGRESS_V1BETA1 = _ingress_spec("backend", _BACKEND_V1BETA1, ("backend",))
_INGRESS_CLASS = Struct(
    {
        "controller": _TEXT,
        "parameters": Struct(
            {"apiGroup": _TEXT, "kind": _TEXT, "name": _TEXT, "namespace": _TEXT, "scope": _TEXT},
            required=("kind", "name"),
            go_name="IngressClassParametersReference",
        ),
    },
    go_name="IngressClassSpec",
)

_EVENT = (
    *("action", "count", "deprecatedCount", "deprecatedFirstTimestamp", "deprecatedLastTimestamp"),
    *("deprecatedSource", "eventTime", "firstTimestamp", "involvedObject", "lastTimestamp", "message"),
    *("note", "reason", "regarding", "related", "reportingComponent", "reportingController"),
    *("reportingInstance", "series", "source", "type"),
)
_STORAGE_CLASS = (
    *("allowVolumeExpansion", "allowedTopologies", "mountOptions", "parameters", "provisioner"),
    *("reclaimPolicy", "volumeBindingMode"),
)
_OTHER_FIELDS: Mapping[str, tuple[str, ...]] = {
    "Endpoints": ("subsets",),
    "EndpointSlice": ("addressType", "endpoints", "ports"),
    "Event": _EVENT,
    "ConfigMap": ("binaryData", "data", "immutable"),
    "Secret": ("data", "immutable", "stringData", "type"),
    "ServiceAccount": ("automountServiceAccountToken", "imagePullSecrets", "secrets"),
    "Role": ("rules",),
    "RoleBinding": ("roleRef", "subjects"),
    "ClusterRole": ("aggregationRule", "rules"),
    "ClusterRoleBinding": ("roleRef", "subjects"),
    "MutatingWebhookConfiguration": ("webhooks",),
    "ValidatingWebhookConfiguration": ("webhooks",),
    "StorageClass": _STORAGE_CLASS,
    "PriorityClass": ("description", "globalDefault", "preemptionPolicy", "value"),
}
"""Fields at the top of the kinds that have more or others than `spec` and `status`."""
_SPECS: Mapping[tuple[str, str], Shape] = {
    ("Service", "v1"): _SERVICE_SPEC,
    ("Ingress", INGRESS_V1): _INGRESS_V1,
    **{("Ingress", version): _INGRESS_V1BETA1 for version in INGRESS_V1BETA1},
    **{("IngressClass", version): _INGRESS_CLASS for version in KINDS["IngressClass"].versions},
}
"""The specs that are known field by field."""
_COMMON: Mapping[str, Shape] = {"apiVersion": _TEXT, "kind": _TEXT, "metadata": METADATA}
_DEFINED_BY_CRDS = ("elbv2.k8s.aws", "externaldns.k8s.io", GATEWAY_GROUP, AWS_GATEWAY_GROUP)


def shape_of(kind: str, api_version: str) -> Struct:
    """Return the fields of a kind in a version."""
    if is_custom(api_version) or api_version.partition("/")[0] in _DEFINED_BY_CRDS:
        return custom_shape(kind)
    fields, spec = _COMMON, _SPECS.get((kind, api_version), _ANYTHING)
    if kind in _OTHER_FIELDS:
        return Struct({**fields, **dict.fromkeys(_OTHER_FIELDS[kind], _ANYTHING)}, go_name=kind)
    return Struct({**fields, "spec": spec, "status": _ANYTHING}, go_name=kind)


def custom_shape(kind: str) -> Struct:
    """Return the fields of a custom resource: the metadata is checked, and any other field may be there."""
    return Struct({**_COMMON, "spec": _ANYTHING, "status": _ANYTHING}, go_name=kind, is_open=True)
