"""Objects in the API's protobuf form, which Go clients send for the kinds of Kubernetes itself.

```
"k8s\\0" + Unknown{1: TypeMeta{1: apiVersion, 2: kind}, 2: raw}
```
Only what `kubectl create` makes by itself is read: other kinds are refused with 415, as a server does that
speaks JSON only. Field numbers: k8s.io/api, generated.proto. An absent field and an empty one are the same,
but for fields that are pointers in Go.
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from testbed.kubernetes.api.statuses import bad_request, unsupported_media_type

CONTENT_TYPE = "application/vnd.kubernetes.protobuf"
_MAGIC = b"k8s\0"
_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5
_Read = Callable[[Any], Any]


@dataclass(frozen=True, slots=True)
class _Field:
    """A field of a message: its name in JSON ("" for one whose own fields stand in its place)."""

    name: str
    read: _Read
    repeated: bool = False
    mapping: bool = False
    pointer: bool = False


_Message = Mapping[int, _Field]


def _text(value: Any) -> str:
    return bytes(value).decode()


def _number(value: Any) -> int:
    whole = int(value)
    return whole - (1 << 64) if whole >> 63 else whole


def _base64(value: Any) -> str:
    return base64.b64encode(value).decode()


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
    found = _decoded(value, {1: _n("type"), 2: _n("number"), 3: _s("text")})
    return found.get("text", "") if found.get("type") else found.get("number", 0)


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
    """The object of a body.

    Raises:
        Refused: 400, it is no such message; 415, it is of a kind that is not read.
    """
    if not body.startswith(_MAGIC):
        raise bad_request("provided data does not appear to be a protobuf message, expected prefix k8s")
    try:
        envelope = _decoded(
            body[len(_MAGIC) :],
            {1: _m("type", {1: _s("apiVersion"), 2: _s("kind")}), 2: _Field("raw", bytes)},
        )
        meta = envelope.get("type", {})
        message = _KINDS.get(meta.get("kind", ""))
        if message is None or meta.get("apiVersion") == "networking.k8s.io/v1beta1":
            raise unsupported_media_type(("application/json", "application/yaml"))
        return {**meta, **_decoded(envelope.get("raw", b""), message)}
    except (IndexError, UnicodeDecodeError, _Torn) as error:
        raise bad_request(f"unable to decode the protobuf message: {error}") from None


class _Torn(ValueError):
    """A message that ends early, or has a wire type that nobody writes."""


def _decoded(data: bytes, message: _Message) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for number, value in _fields(bytes(data)):
        field = message.get(number)
        if field is None:
            continue
        if field.mapping:
            entry = _decoded(value, {1: _s("key"), 2: _Field("value", field.read)})
            found.setdefault(field.name, {})[entry.get("key", "")] = entry.get("value", "")
        elif field.repeated:
            found.setdefault(field.name, []).append(field.read(value))
        elif not field.name:
            found |= field.read(value)
        else:
            read = field.read(value)
            if field.pointer or read not in ("", 0, False, {}):
                found[field.name] = read
    return found


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
