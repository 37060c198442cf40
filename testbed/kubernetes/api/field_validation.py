"""Strict decoding: fields that a kind does not have, and values of the wrong type.

Source: the API server's `fieldValidation` (Strict: 400; Warn: a warning each; Ignore), and the words of Go's
JSON decoder. Only kinds whose fields `testbed.kubernetes.schema` knows are looked into. Pure.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from testbed.kubernetes import schema
from testbed.kubernetes.api.resources import Resource
from testbed.kubernetes.api.statuses import bad_request
from testbed.kubernetes.schema import Anything, Boolean, Integer, ListOf, Shape, Struct, Text, Texts, dotted

_STRUCTS: Mapping[tuple[str, ...], str] = {
    ("metadata",): "ObjectMeta",
    ("spec",): "{kind}Spec",
    ("spec", "ports"): "ServicePort",
    ("spec", "rules"): "IngressRule",
    ("spec", "rules", "http"): "HTTPIngressRuleValue",
    ("spec", "rules", "http", "paths"): "HTTPIngressPath",
    ("spec", "rules", "http", "paths", "backend"): "IngressBackend",
    ("spec", "rules", "http", "paths", "backend", "service"): "IngressServiceBackend",
    ("spec", "rules", "http", "paths", "backend", "service", "port"): "ServiceBackendPort",
    ("spec", "defaultBackend"): "IngressBackend",
    ("spec", "tls"): "IngressTLS",
}


@dataclass(frozen=True, slots=True)
class _Found:
    """A field that is unknown, or (`wrong`) cannot be decoded."""

    path: schema.Path
    wrong: str = ""


def decoded(resource: Resource, item: Mapping[str, Any], mode: str) -> tuple[dict[str, Any], list[str]]:
    """The object without unknown fields, and what to warn of.

    Args:
        resource: what it is sent as.
        item: the object.
        mode: `Strict`, `Warn` (also "") or `Ignore`.

    Raises:
        Refused: 400, a field of the wrong type; an unknown one if strict.
    """
    shape = schema.shape_of(resource.kind, resource.api_version)
    if resource.is_custom:
        shape = Struct({**shape.fields, **{key: Anything() for key in item if key != "metadata"}})
    found = list(_walk(item, shape, ()))
    for one in found:
        if one.wrong:
            raise _cannot_be_handled(resource, one.wrong.format(field=_go_field(resource, one.path)))
    unknown = [f'unknown field "{dotted(one.path)}"' for one in found]
    if unknown and mode == "Strict":
        raise _cannot_be_handled(resource, f"strict decoding error: {', '.join(unknown)}")
    kept = dict(item)
    for one in found:
        kept = _without(kept, one.path)
    return kept, [] if mode == "Ignore" else unknown


def _cannot_be_handled(resource: Resource, why: str) -> Exception:
    what = f'{resource.kind} in version "{resource.version}" cannot be handled as a {resource.kind}'
    return bad_request(f"{what}: {why}")


def _go_field(resource: Resource, path: schema.Path) -> str:
    names = tuple(part for part in path if isinstance(part, str))
    struct = next(
        (_STRUCTS[names[:length]] for length in range(len(names) - 1, 0, -1) if names[:length] in _STRUCTS),
        resource.kind,
    )
    return f"{struct.format(kind=resource.kind)}.{'.'.join(names)}"


def _walk(value: Any, shape: Shape, path: schema.Path) -> Iterator[_Found]:
    if value is None or isinstance(shape, Anything):
        return
    match shape:
        case Struct():
            if not isinstance(value, Mapping):
                yield _wrong(path, value, "struct")
                return
            for key, one in value.items():
                if key in shape.fields:
                    yield from _walk(one, shape.fields[key], (*path, key))
                else:
                    yield _Found((*path, key))
        case ListOf():
            if not isinstance(value, list):
                yield _wrong(path, value, "[]struct" if isinstance(shape.item, Struct) else "[]string")
                return
            for index, one in enumerate(value):
                yield from _walk(one, shape.item, (*path, index))
        case Texts():
            if not isinstance(value, Mapping):
                yield _wrong(path, value, "map[string]string")
                return
            for key, one in value.items():
                if not isinstance(one, str):
                    yield _wrong((*path, key), one, "string", path)
        case Text():
            if not isinstance(value, str):
                yield _wrong(path, value, "string")
        case Boolean():
            if not isinstance(value, bool):
                yield _wrong(path, value, "bool")
        case Integer():
            if isinstance(value, str) and shape.or_name:
                return
            if isinstance(value, bool) or not isinstance(value, int):
                yield _wrong(path, value, "int32")


_FOUND_AS: Mapping[type, str] = {bool: "bool", int: "number", float: "number", str: "string", list: "array"}


def _wrong(path: schema.Path, value: Any, wanted: str, told: schema.Path | None = None) -> _Found:
    found = _FOUND_AS.get(type(value), "object")
    return _Found(
        told or path, f"json: cannot unmarshal {found} into Go struct field {{field}} of type {wanted}"
    )


def _without(value: Any, path: schema.Path) -> Any:
    if not path:
        return value
    first, *rest = path
    if isinstance(value, list) and isinstance(first, int):
        return [_without(one, tuple(rest)) if at == first else one for at, one in enumerate(value)]
    if not rest:
        return {key: one for key, one in value.items() if key != first}
    return {key: _without(one, tuple(rest)) if key == first else one for key, one in value.items()}
