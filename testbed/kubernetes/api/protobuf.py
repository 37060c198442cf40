"""Objects in the API's protobuf form, which Go clients send for the kinds of Kubernetes itself.

```
"k8s\\0" + Unknown{1: TypeMeta{1: apiVersion, 2: kind}, 2: raw}
```
The kinds that `kubectl create` can build are read, and those that controllers keep for themselves (ConfigMap,
Lease, Event): controller-runtime sends every kind of Kubernetes itself in this form and does not try again in
JSON. Others are refused with 415, which is what a server that speaks only JSON answers. Field numbers:
k8s.io/api, generated.proto. An absent field and an empty one are the same, except for fields that are
pointers in Go.
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from testbed.kubernetes.api.statuses import bad_request, unsupported_media_type

CONTENT_TYPE = "application/vnd.kubernetes.protobuf"
_MAGIC = b"k8s\0"
_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5
_Read = Callable[[Any], Any]


@dataclass(frozen=True, slots=True)
class _Field:
    """A field of a message, by its name in JSON; "" for a field whose own fields take its place."""

    name: str
    read: _Read
    repeated: bool = False
    mapping: bool = False
    pointer: bool = False


_Message = Mapping[int, _Field]


def _text(value: Any) -> str:
    return _bytes(value).decode()


def _number(value: Any) -> int:
    if not isinstance(value, int):
        raise _Torn("wrong wire type")
    whole = value
    # Protobuf sends a negative number as a varint of its 64-bit two's complement.
    return whole - (1 << 64) if whole >> 63 else whole


def _base64(value: Any) -> str:
    return base64.b64encode(_bytes(value)).decode()


def _s(name: str, *, pointer: bool = False) -> _Field:
    return _Field(name, _text, pointer=pointer)


def _n(name: str, *, pointer: bool = False) -> _Field:
    return _Field(name, _number, pointer=pointer)


def _b(name: str, *, pointer: bool = False) -> _Field:
    return _Field(name, bool, pointer=pointer)


def _many(name: str) -> _Field:
    return _Field(name, _text, repeated=True)


def _m(name: str, message: _Message, *, repeated: bool = False) -> _Field:
    return _Field(name, lambda value: _decoded(value, message), repeated=repeated)


def _map(name: str, read: _Read = _text) -> _Field:
    return _Field(name, read, mapping=True)


def _int_or_string(value: Any) -> Any:
    # Type 0 is a number, 1 a text; the other field may be set all the same and does not count.
    found = _decoded(value, {1: _n("type"), 2: _n("number"), 3: _s("text")})
    return found.get("text", "") if found.get("type") else found.get("number", 0)


_SECONDS, _NANOSECONDS = 1, 2
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def _moment(value: Any, spec: str) -> str:
    if value == b"":  # the zero of Go's time, which JSON has as null
        return ""
    found = _decoded(value, {_SECONDS: _n("seconds"), _NANOSECONDS: _n("nanoseconds")})
    try:
        microseconds = found.get("nanoseconds", 0) // 1000
        moment = _EPOCH + timedelta(seconds=found.get("seconds", 0), microseconds=microseconds)
    except OverflowError:
        raise _Torn("a time out of range") from None
    return moment.isoformat(timespec=spec).replace("+00:00", "Z")


def _time(name: str) -> _Field:
    """A metav1.Time: whole seconds."""
    return _Field(name, lambda value: _moment(value, "seconds"))


def _micro_time(name: str) -> _Field:
    """A metav1.MicroTime."""
    return _Field(name, lambda value: _moment(value, "microseconds"))


_OWNER = {
    1: _s("kind"),
    3: _s("name"),
    4: _s("uid"),
    5: _s("apiVersion"),
    6: _b("controller", pointer=True),
    7: _b("blockOwnerDeletion", pointer=True),
}
_METADATA: _Message = {
    1: _s("name"),
    2: _s("generateName"),
    3: _s("namespace"),
    5: _s("uid"),
    6: _s("resourceVersion"),
    11: _map("labels"),
    12: _map("annotations"),
    14: _many("finalizers"),
    13: _m("ownerReferences", _OWNER, repeated=True),
}
_REFERENCE: _Message = {1: _s("name")}
_OBJECT: _Message = {
    1: _s("kind"),
    2: _s("namespace"),
    3: _s("name"),
    4: _s("uid"),
    5: _s("apiVersion"),
    6: _s("resourceVersion"),
    7: _s("fieldPath"),
}
_EVENT: _Message = {
    1: _m("metadata", _METADATA),
    2: _m("involvedObject", _OBJECT),
    3: _s("reason"),
    4: _s("message"),
    5: _m("source", {1: _s("component"), 2: _s("host")}),
    6: _time("firstTimestamp"),
    7: _time("lastTimestamp"),
    8: _n("count"),
    9: _s("type"),
    10: _micro_time("eventTime"),
    11: _m("series", {1: _n("count"), 2: _micro_time("lastObservedTime")}),
    12: _s("action"),
    13: _m("related", _OBJECT),
    14: _s("reportingComponent"),
    15: _s("reportingInstance"),
}
_LEASE_SPEC: _Message = {
    1: _s("holderIdentity", pointer=True),
    2: _n("leaseDurationSeconds", pointer=True),
    3: _micro_time("acquireTime"),
    4: _micro_time("renewTime"),
    5: _n("leaseTransitions", pointer=True),
    6: _s("strategy", pointer=True),
    7: _s("preferredHolder", pointer=True),
}
_SERVICE_PORT: _Message = {
    1: _s("name"),
    2: _s("protocol"),
    3: _n("port"),
    5: _n("nodePort"),
    6: _s("appProtocol"),
    4: _Field("targetPort", _int_or_string),
}
_SERVICE_SPEC: _Message = {
    1: _m("ports", _SERVICE_PORT, repeated=True),
    2: _map("selector"),
    3: _s("clusterIP"),
    4: _s("type"),
    5: _many("externalIPs"),
    7: _s("sessionAffinity"),
    8: _s("loadBalancerIP"),
    9: _many("loadBalancerSourceRanges"),
    10: _s("externalName"),
    11: _s("externalTrafficPolicy"),
    12: _n("healthCheckNodePort"),
    13: _b("publishNotReadyAddresses"),
    17: _s("ipFamilyPolicy"),
    18: _many("clusterIPs"),
    19: _many("ipFamilies"),
    20: _b("allocateLoadBalancerNodePorts", pointer=True),
    21: _s("loadBalancerClass"),
    22: _s("internalTrafficPolicy"),
    23: _s("trafficDistribution"),
}
_SERVICE_BACKEND: _Message = {1: _s("name"), 2: _m("port", {1: _s("name"), 2: _n("number")})}
_BACKEND: _Message = {
    3: _m("resource", {1: _s("apiGroup"), 2: _s("kind"), 3: _s("name")}),
    4: _m("service", _SERVICE_BACKEND),
}
_PATH: _Message = {1: _s("path"), 2: _m("backend", _BACKEND), 3: _s("pathType")}
_RULE: _Message = {
    1: _s("host"),
    # IngressRuleValue is embedded in Go: a message of its own here, but JSON has its fields in the rule
    # itself.
    2: _m("", {1: _m("http", {1: _m("paths", _PATH, repeated=True)})}),
}
_INGRESS_SPEC: _Message = {
    1: _m("defaultBackend", _BACKEND),
    2: _m("tls", {1: _many("hosts"), 2: _s("secretName")}, repeated=True),
    3: _m("rules", _RULE, repeated=True),
    4: _s("ingressClassName"),
}
_KINDS: Mapping[str, _Message] = {
    "Namespace": {1: _m("metadata", _METADATA)},
    "ConfigMap": {
        1: _m("metadata", _METADATA),
        2: _map("data"),
        3: _map("binaryData", _base64),
        4: _b("immutable", pointer=True),
    },
    "Secret": {
        1: _m("metadata", _METADATA),
        2: _map("data", _base64),
        3: _s("type"),
        4: _map("stringData"),
        5: _b("immutable", pointer=True),
    },
    "ServiceAccount": {
        1: _m("metadata", _METADATA),
        3: _m("imagePullSecrets", _REFERENCE, repeated=True),
        4: _b("automountServiceAccountToken", pointer=True),
    },
    "Event": _EVENT,
    "Lease": {1: _m("metadata", _METADATA), 2: _m("spec", _LEASE_SPEC)},
    "Service": {1: _m("metadata", _METADATA), 2: _m("spec", _SERVICE_SPEC)},
    "Ingress": {1: _m("metadata", _METADATA), 2: _m("spec", _INGRESS_SPEC)},
    "DeleteOptions": {
        1: _n("gracePeriodSeconds", pointer=True),
        3: _b("orphanDependents", pointer=True),
        2: _m("preconditions", {1: _s("uid"), 2: _s("resourceVersion")}),
        4: _s("propagationPolicy"),
        5: _many("dryRun"),
    },
}


def decoded(body: bytes) -> dict[str, Any]:
    """Return the object of a body.

    Raises:
        Refused: 400, it is no such message; 415, it is of a kind that is not read.
    """
    if not body.startswith(_MAGIC):
        raise bad_request("provided data does not appear to be a protobuf message, expected prefix k8s")
    try:
        envelope = _decoded(
            body[len(_MAGIC) :],
            {1: _m("type", {1: _s("apiVersion"), 2: _s("kind")}), 2: _Field("raw", _bytes)},
        )
        meta = envelope.get("type", {})
        message = _KINDS.get(meta.get("kind", ""))
        # The backend of v1beta1 has other fields (serviceName, servicePort).
        if message is None or meta.get("apiVersion") == "networking.k8s.io/v1beta1":
            raise unsupported_media_type(("application/json", "application/yaml"))
        return {**meta, **_decoded(envelope.get("raw", b""), message)}
    except (IndexError, UnicodeDecodeError, _Torn) as error:
        raise bad_request(f"unable to decode the protobuf message: {error}") from None


class _Torn(ValueError):
    """A message that ends early, or has an unused wire type."""


def _bytes(value: Any) -> bytes:
    # bytes(5) is five zeros: a number where a message belongs would fill the memory and take minutes to read.
    if not isinstance(value, bytes):
        raise _Torn("wrong wire type")
    return value


def _decoded(data: bytes, message: _Message) -> dict[str, Any]:
    item: dict[str, Any] = {}
    for number, value in _fields(_bytes(data)):
        field = message.get(number)
        if field is None:
            continue
        if field.mapping:
            entry = _decoded(value, {1: _s("key"), 2: _Field("value", field.read)})
            item.setdefault(field.name, {})[entry.get("key", "")] = entry.get("value", "")
        elif field.repeated:
            item.setdefault(field.name, []).append(field.read(value))
        elif not field.name:
            item |= field.read(value)
        else:
            read = field.read(value)
            if field.pointer or read not in ("", 0, False, {}):
                item[field.name] = read
    return item


def _fields(data: bytes) -> Iterator[tuple[int, Any]]:
    at = 0
    while at < len(data):
        tag, at = _varint(data, at)
        number, kind = tag >> 3, tag & 7
        if kind == _VARINT:
            value, at = _varint(data, at)
            yield number, value
            continue
        if kind == _BYTES:
            length, at = _varint(data, at)
        else:
            length = {_FIXED64: 8, _FIXED32: 4}.get(kind, -1)
        if length < 0 or at + length > len(data):
            raise _Torn("unexpected EOF")
        yield number, data[at : at + length]
        at += length


def _varint(data: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        if at >= len(data) or shift > 63:
            raise _Torn("unexpected EOF")
        byte = data[at]
        at += 1
        value |= (byte & 0x7F) << shift
        shift += 7
        if not byte & 0x80:
            return value, at
