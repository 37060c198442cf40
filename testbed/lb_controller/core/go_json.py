"""Reads the JSON of annotations as Go reads it into structs: keys in any case, without unknown keys."""

from __future__ import annotations

from typing import Any

from testbed.lb_controller.core.build_inputs import BuildError

Shape = Any
"""A type; a list of one shape; a dict of shapes by their key; PORT for a number or text."""

PORT = (int, str)
TEXTS = {"": str}
"""The shape of a mapping from any keys to texts."""

_GO_TYPES = {bool: "bool", int: "number", float: "number", str: "string", list: "array", dict: "object"}


def read(value: Any, shape: Shape, bits: int = 32) -> Any:
    """The value with the shape's spelling of keys; a null is Go's zero value, in a struct a missing key.

    Args:
        bits: the size of integers in messages.

    Raises:
        BuildError: a value has another type.
    """
    if value is None:
        return None
    if isinstance(shape, list):
        _expect(value, shape, bits)
        return [_zero(shape[0]) if item is None else read(item, shape[0], bits) for item in value]
    if isinstance(shape, dict):
        _expect(value, shape, bits)
        if "" in shape:
            of_all = shape[""]
            return {
                key: _zero(of_all) if item is None else read(item, of_all, bits)
                for key, item in value.items()
            }
        spelling = {key.lower(): key for key in shape}
        known = {spelling[key.lower()]: item for key, item in value.items() if key.lower() in spelling}
        return {key: read(item, shape[key], bits) for key, item in known.items() if item is not None}
    _expect(value, shape, bits)
    return value


def _zero(shape: Shape) -> Any:
    if isinstance(shape, list | dict):
        return type(shape)()
    return 0 if shape is PORT else shape()


def _expect(value: Any, shape: Shape, bits: int) -> None:
    kind = type(shape) if isinstance(shape, list | dict) else shape
    is_boolean = isinstance(value, bool)  # which Python takes for an int as well
    if not isinstance(value, kind) or (is_boolean and shape is not bool):
        found = _GO_TYPES.get(type(value), "value")
        raise BuildError(f"json: cannot unmarshal {found} into Go value of type {_name(shape, bits)}")


def _name(shape: Shape, bits: int) -> str:
    """The Go type of a shape; a struct has no name here."""
    if isinstance(shape, list):
        return f"[]{_name(shape[0], bits)}"
    if isinstance(shape, dict):
        return f"map[string]{_name(shape[''], bits)}" if "" in shape else "struct"
    if shape is PORT:
        return "intstr.IntOrString"
    return {str: "string", int: f"int{bits}"}.get(shape) or str(shape.__name__)
