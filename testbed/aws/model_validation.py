"""Checks the parameters of a call against the service's model, as AWS's own framework does (pure).

Missing members, enumerations, ranges and lengths come from botocore's models; the texts are those that AWS
answers: `1 validation error detected: Value '0' at 'priority' failed to satisfy constraint: …`. Patterns are
not checked: they are written for another language of regular expressions.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from testbed.aws import service_models
from testbed.aws.answers import Refusal

Shapes = Mapping[str, Mapping[str, Any]]

_NUMBERS = frozenset({"integer", "long", "float", "double"})


def refusal(service: str, operation: str, parameters: Mapping[str, Any]) -> Refusal | None:
    """Return the refusal of a call that its model does not allow.

    Args:
        service: `elbv2` or another service of the query protocol.
        operation: name of the operation.
        parameters: in the shape of boto3, numbers as texts.
    """
    model = service_models.loader().load_service_model(service, "service-2")
    if operation not in model["operations"]:
        return Refusal("InvalidAction", f"The action {operation} is not valid for this web service.")
    shape = model["operations"][operation].get("input", {}).get("shape")
    found = list(_problems(model["shapes"], shape, parameters, "")) if shape else []
    if not found:
        return None
    errors = "error" if len(found) == 1 else "errors"
    return Refusal("ValidationError", f"{len(found)} validation {errors} detected: {'; '.join(found)}")


def _problems(shapes: Shapes, name: str, value: Any, path: str) -> Iterator[str]:
    shape = shapes[name]
    match shape["type"]:
        case "structure" if isinstance(value, Mapping):
            for required in shape.get("required", ()):
                if required not in value:
                    where = _below(path, required)
                    yield f"Value null at '{where}' failed to satisfy constraint: Member must not be null"
            for member, content in value.items():
                if member in shape["members"]:
                    inner = shape["members"][member]["shape"]
                    yield from _problems(shapes, inner, content, _below(path, member))
        case "list" if isinstance(value, list):
            yield from _of_length(shape, value, path)
            for number, item in enumerate(value, start=1):
                yield from _problems(shapes, shape["member"]["shape"], item, f"{path}.{number}.member")
        case "string" if isinstance(value, str):
            if "enum" in shape and value not in shape["enum"]:
                allowed = ", ".join(shape["enum"])
                yield _failed(value, path, f"Member must satisfy enum value set: [{allowed}]")
            yield from _of_length(shape, value, path)
        case kind if kind in _NUMBERS and isinstance(value, str):
            yield from _of_size(shape, value, path)
        case kind if value != "" or kind in _NUMBERS:  # an empty list or structure is an empty text
            if kind != "boolean" or not isinstance(value, str):
                yield _failed("…", path, f"Member must be of type {kind}")


def _of_length(shape: Mapping[str, Any], value: Any, path: str) -> Iterator[str]:
    if len(value) < shape.get("min", 0):
        yield _failed(value, path, f"Member must have length greater than or equal to {shape['min']}")
    if len(value) > shape.get("max", len(value)):
        yield _failed(value, path, f"Member must have length less than or equal to {shape['max']}")


def _of_size(shape: Mapping[str, Any], value: str, path: str) -> Iterator[str]:
    try:
        number = float(value)
    except ValueError:
        yield _failed(value, path, f"Member must be of type {shape['type']}")
        return
    if number < shape.get("min", number):
        yield _failed(value, path, f"Member must have value greater than or equal to {shape['min']}")
    if number > shape.get("max", number):
        yield _failed(value, path, f"Member must have value less than or equal to {shape['max']}")


def _failed(value: Any, path: str, constraint: str) -> str:
    return f"Value '{value}' at '{path}' failed to satisfy constraint: {constraint}"


def _below(path: str, member: str) -> str:
    name = member[0].lower() + member[1:]
    return f"{path}.{name}" if path else name
