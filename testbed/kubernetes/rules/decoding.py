"""Decoding as the API server does it: unknown fields, values of the wrong type, nulls.

Source: the words of Go's JSON decoder (sigs.k8s.io/json) and of strict decoding (`fieldValidation`). Pure.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping
from typing import Any

from testbed.kubernetes.rules.problems import Path, Problem, Reason, dotted
from testbed.kubernetes.rules.shapes import (
    Anything,
    Boolean,
    Integer,
    ListOf,
    Shape,
    Struct,
    Text,
    Texts,
)

_OTHER_VERSION = {
    "serviceName": "networking.k8s.io/v1 has `service: {name: ..., port: {number: ...}}` instead",
    "servicePort": "networking.k8s.io/v1 has `service: {name: ..., port: {number: ...}}` instead",
    "service": "v1beta1 has `serviceName` and `servicePort` instead",
    "defaultBackend": "v1beta1 has `backend` instead",
}
"""Fields that the other version of an Ingress has."""


def problems(item: Mapping[str, Any], shape: Struct) -> list[Problem]:
    """Return what cannot be decoded: first values of a wrong type, then unknown fields."""
    walked = list(_walk(item, shape, (), ""))
    # Go's decoder fails at the first wrong type, before strict decoding can list an unknown field.
    return sorted(walked, key=lambda problem: problem.reason is Reason.UNKNOWN_FIELD)


def decoded(value: Any, shape: Shape) -> Any:
    """Return a value without problems as the API server reads it.

    A null is an absent field; in a list and in a mapping of strings it is the empty value, as in Go.
    """
    if isinstance(value, Mapping) and isinstance(shape, Texts):
        return {key: "" if item is None else item for key, item in value.items()}
    if isinstance(value, Mapping):
        fields: Mapping[str, Shape] = shape.fields if isinstance(shape, Struct) else {}
        return {
            key: decoded(item, fields.get(key, Anything())) for key, item in value.items() if item is not None
        }
    if isinstance(value, list):
        item_shape: Shape = shape.item if isinstance(shape, ListOf) else Anything()
        empty: Any = {} if isinstance(item_shape, Struct) else "" if isinstance(item_shape, Text) else None
        return [decoded(empty if item is None else item, item_shape) for item in value]
    return value


def without(value: Any, path: Path) -> Any:
    """Return a value without the field at a path."""
    if not path:
        return value
    first, rest = path[0], path[1:]
    if isinstance(value, list):
        return [without(item, rest) if index == first else item for index, item in enumerate(value)]
    if not rest:
        return {key: item for key, item in value.items() if key != first}
    return {key: without(item, rest) if key == first else item for key, item in value.items()}


def _walk(value: Any, shape: Shape, path: Path, owner: str) -> Iterator[Problem]:
    if value is None or isinstance(shape, Anything):
        return
    match shape:
        case Struct():
            if not isinstance(value, Mapping):
                yield _wrong(path, value, owner, f"v1.{shape.go_name}", "a mapping")
                return
            for key, item in value.items():
                if key in shape.fields:
                    yield from _walk(item, shape.fields[key], (*path, key), shape.go_name)
                elif not shape.is_open:
                    yield _unknown((*path, key), shape)
        case ListOf():
            if not isinstance(value, list):
                element = f"v1.{shape.item.go_name}" if isinstance(shape.item, Struct) else "string"
                yield _wrong(path, value, owner, f"[]{element}", "a list")
                return
            for index, item in enumerate(value):  # Go names the struct that holds the list
                yield from _walk(item, shape.item, (*path, index), owner)
        case Texts():
            if not isinstance(value, Mapping):
                yield _wrong(path, value, owner, "map[string]string", "a mapping of strings")
                return
            for key, item in value.items():
                if item is not None and not isinstance(item, str):
                    yield _wrong((*path, key), item, owner, "string", "a string", field=path)
        case Text():
            if not isinstance(value, str):
                yield _wrong(path, value, owner, "string", "a string")
        case Boolean():
            if not isinstance(value, bool):
                yield _wrong(path, value, owner, "bool", "true or false")
        case Integer():
            # In Python a bool is an int; in JSON it is none.
            is_number = isinstance(value, int) and not isinstance(value, bool)
            if isinstance(value, str) and shape.or_name:
                return
            if not is_number or not -(2**31) <= value < 2**31:
                yield _wrong(
                    path, value, owner, "int32", "a number or a name" if shape.or_name else "a number"
                )


_JSON_TYPES: Mapping[type, str] = {bool: "bool", int: "number", float: "number", str: "string", list: "array"}


def _wrong(
    path: Path, value: Any, owner: str, go_type: str, plain_type: str, *, field: Path | None = None
) -> Problem:
    kind = _JSON_TYPES.get(type(value), "object")
    if kind == "number" and go_type == "int32":
        kind = f"number {value}"  # Go names the number that does not fit
    names = ".".join(part for part in field or path if isinstance(part, str))
    what = f"json: cannot unmarshal {kind} into Go struct field {owner}.{names} of type {go_type}"
    shown = f" ({str(value).lower() if isinstance(value, bool) else value})" if not _is_large(value) else ""
    quotes = "; put it in quotes" if go_type == "string" and shown and not isinstance(value, str) else ""
    plain_kind = _PLAIN_TYPES.get(type(value), "a mapping")
    advice = f"{dotted(path)} must be {plain_type}, not {plain_kind}{shown}{quotes}"
    return Problem(path, Reason.WRONG_TYPE, what, advice=advice)


_PLAIN_TYPES: Mapping[type, str] = {
    bool: "a boolean",
    int: "a number",
    float: "a fraction",
    str: "a string",
    list: "a list",
}


def _is_large(value: Any) -> bool:
    return isinstance(value, list | Mapping) or len(str(value)) > 60


def _unknown(path: Path, shape: Struct) -> Problem:
    name = str(path[-1])
    near = difflib.get_close_matches(name, shape.fields, 1)
    advice = _OTHER_VERSION.get(name) or (f"did you mean {near[0]}?" if near else None)
    return Problem(path, Reason.UNKNOWN_FIELD, f'unknown field "{dotted(path)}"', advice=advice)
