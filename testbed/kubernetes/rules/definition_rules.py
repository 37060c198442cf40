"""What the API server refuses of a CustomResourceDefinition. Pure.

Source: apiextensions-apiserver pkg/apis/apiextensions/validation/validation.go.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from testbed.kubernetes.rules.problems import Problem, invalid, required


def problems(item: Mapping[str, Any]) -> Iterator[Problem]:
    """Yield what is wrong with a definition of either version."""
    spec = item.get("spec") or {}
    names = spec.get("names") or {}
    for field in ("group", "scope"):
        if not spec.get(field):
            yield required(("spec", field))
    for field in ("plural", "kind"):
        if not names.get(field):
            yield required(("spec", "names", field))
    if not spec.get("versions") and not spec.get("version"):
        yield required(("spec", "versions"))
    full_name, name = f"{names.get('plural')}.{spec.get('group')}", item["metadata"].get("name")
    if names.get("plural") and spec.get("group") and name != full_name:
        yield invalid(("metadata", "name"), name, 'must be spec.names.plural+"."+spec.group')
