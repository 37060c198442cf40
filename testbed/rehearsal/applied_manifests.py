"""The manifests of `cutover.apply`: selected objects, with other annotations and with values filled in."""

from __future__ import annotations

import os
import string
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from testbed.errors import BadInput
from testbed.kubernetes import manifests as manifest_files
from testbed.kubernetes.manifests import Manifest
from testbed.rehearsal.scenario import Manifests


def loaded(folder: Path, given: Iterable[Manifests]) -> list[Manifest]:
    """Return the objects as they are applied; one that comes again counts as it is at last.

    Args:
        folder: the folder of the scenario, to which paths are relative.

    Raises:
        BadInput: a manifest is wrong, names what does not exist, or lacks a value.
    """
    found: dict[tuple[str, str, str], Manifest] = {}
    for one in given:
        items = manifest_files.load([file_of(folder, path) for path in one.files], custom=bool(one.only))
        if one.only:
            items = selected(items, one.only)
        for item in items:
            replaced = item.with_object(with_annotations(item.object, one.annotations))
            filled = replaced.with_object(with_values(replaced, one.values))
            manifest_files.check(filled)  # the value of a placeholder may break a rule of its field
            found.pop(filled.key, None)
            found[filled.key] = filled
    return list(found.values())


def file_of(folder: Path, name: str) -> Path:
    """Return the path of a file that a script names; people read it, so without `..` if it stays the same."""
    path = folder / name
    short = os.path.normpath(path)
    return Path(short) if os.path.realpath(short) == os.path.realpath(path) else path


def selected(loaded: Sequence[Manifest], only: Sequence[str]) -> list[Manifest]:
    """Return the objects `kind/name` or `kind/namespace/name`, in the order of the manifests.

    Raises:
        BadInput: there is no such object.
    """
    names = {
        name.lower(): item
        for item in loaded
        for kind, namespace, plain in [item.key]
        for name in (f"{kind}/{plain}", f"{kind}/{namespace}/{plain}")
    }
    missing = [name for name in only if name.lower() not in names]
    if missing:
        raise BadInput(f"the manifests have no {missing[0]}", do="name it as KIND/NAME")
    chosen = [names[name.lower()] for name in only]
    # By identity and in the order of the manifests: the script may name them in any order.
    return [item for item in loaded if any(item is one for one in chosen)]


def with_annotations(item: Mapping[str, Any], annotations: Mapping[str, str | None]) -> dict[str, Any]:
    """Return the object with other values for annotations that it has; None removes one."""
    metadata = dict(item["metadata"])
    current = metadata.get("annotations") or {}
    kept = {key: annotations.get(key, value) for key, value in current.items()}
    if kept:
        metadata["annotations"] = {key: value for key, value in kept.items() if value is not None}
    return {**item, "metadata": metadata}


def with_values(item: Manifest, values: Mapping[str, str]) -> dict[str, Any]:
    """Return the object with a value in place of each `${NAME}`.

    Raises:
        BadInput: a value is missing; with the line of the manifest.
    """

    def fill(node: Any, path: tuple[str | int, ...]) -> Any:
        if isinstance(node, dict):
            return {key: fill(value, (*path, key)) for key, value in node.items()}
        if isinstance(node, list):
            return [fill(value, (*path, index)) for index, value in enumerate(node)]
        if not isinstance(node, str) or "${" not in node:
            return node
        try:
            return string.Template(node).substitute(values)
        except (KeyError, ValueError) as error:
            raise BadInput(
                f"no value for {error} in {node!r}", where=item.line(*path), do="pass it to apply(...)"
            ) from None

    filled = fill(item.object, ())
    assert isinstance(filled, dict)
    return filled
