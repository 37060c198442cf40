"""botocore's service models as the judge of answers: a required member must not be missing."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from botocore.model import ListShape, MapShape, OperationModel, Shape, StructureShape


def judge(*, parsed: Any, model: OperationModel, http_response: Any, **_: Any) -> None:
    """A hook for `after-call`: fail when an answer that is no error lacks what its model requires."""
    if http_response.status_code >= 300 or model.output_shape is None:
        return
    lacking = list(missing(model.output_shape, parsed, model.name))
    assert not lacking, f"the answer to {model.name} lacks {lacking}"


def missing(shape: Shape, value: Any, path: str) -> Iterator[str]:
    """The paths of required members that a parsed answer lacks."""
    if isinstance(shape, StructureShape):
        for name in shape.required_members:
            if name not in value:
                yield f"{path}.{name}"
        for name, member in shape.members.items():
            if value.get(name) is not None:
                yield from missing(member, value[name], f"{path}.{name}")
    elif isinstance(shape, ListShape):
        for item in value:
            yield from missing(shape.member, item, path)
    elif isinstance(shape, MapShape):
        for item in value.values():
            yield from missing(shape.value, item, path)
