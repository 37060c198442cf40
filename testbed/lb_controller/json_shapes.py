"""Reading the JSON of annotations as Go reads it into structs: keys in any case, unknown keys left out."""

from __future__ import annotations

from typing import Any

from testbed.lb_controller.inputs import BuildError

Shape = Any
"""A type; a list of one shape; a dict of shapes by their key; PORT for a number or text."""

PORT = (int, str)
TEXTS = {"": str}
"""A mapping of any keys to texts."""

_GO_TYPES = {bool: "bool", int: "number", float: "number", str: "string", list: "array", dict: "object"}


def read(value: Any, shape: Shape) -> Any:
    """The value with the shape's spelling of keys; a null is Go's zero value, in a struct a missing key.

    Raises:
        BuildError: a value of another type.
    """
    if value is None:
        return None
    if isinstance(shape, list):
        _expect(value, list)
        return [_zero(shape[0]) if item is None else read(item, shape[0]) for item in value]
    if isinstance(shape, dict):
        _expect(value, dict)
        if "" in shape:
            of_all = shape[""]
            return {key: _zero(of_all) if item is None else read(item, of_all) for key, item in value.items()}
        spelling = {key.lower(): key for key in shape}
        known = {spelling[key.lower()]: item for key, item in value.items() if key.lower() in spelling}
        return {key: read(item, shape[key]) for key, item in known.items() if item is not None}
    _expect(value, shape)
    return value


def _zero(shape: Shape) -> Any:
    if isinstance(shape, list | dict):
        return type(shape)()
    return 0 if shape is PORT else shape()


def _expect(value: Any, shape: Any) -> None:
    is_boolean = isinstance(value, bool)  # which Python takes for an int as well
    if not isinstance(value, shape) or (is_boolean and shape is not bool):
        found = _GO_TYPES.get(type(value), "value")
        wanted = shape.__name__ if isinstance(shape, type) else "intstr.IntOrString"
        names = {"str": "string", "int": "int32", "list": "slice", "dict": "struct"}
        raise BuildError(f"json: cannot unmarshal {found} into Go value of type {names.get(wanted, wanted)}")
