"""Manifests: files and folders of YAML become objects that know the file and line of every field.

Several documents in a file, `kind: List` (what `kubectl get -o yaml` prints) and JSON are read too. What
`kubectl apply` would refuse is refused here, in one line, before anything starts.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from testbed.errors import BadInput, Location
from testbed.kubernetes import schema, yaml_nodes
from testbed.kubernetes.kinds import KINDS, namespace_of

SUFFIXES = (".yaml", ".yml", ".json")


@dataclass(frozen=True, slots=True)
class Manifest:
    """One object of a manifest file.

    Attributes:
        object: as it is written, in its own API version.
        where: the file and the line where the object begins.
    """

    object: Mapping[str, Any]
    where: Location
    node: yaml.Node = dataclasses.field(repr=False, compare=False)

    @property
    def title(self) -> str:
        """`Service default/envoy`."""
        kind, namespace, name = self.key
        return f"{kind} {namespace}/{name}" if namespace else f"{kind} {name}"

    @property
    def key(self) -> tuple[str, str, str]:
        """Kind, namespace ("" if cluster-wide) and name."""
        metadata = self.object["metadata"]
        kind = self.object["kind"]
        return kind, namespace_of(kind, metadata.get("namespace")), metadata["name"]

    def line(self, *path: str | int) -> Location:
        """Where a field stands: keys and list indices from the object's root, as far as they exist."""
        return yaml_nodes.at(yaml_nodes.find(self.node, path), self.where.path)

    def with_object(self, item: Mapping[str, Any]) -> Manifest:
        """The same place with another object, e.g. one whose placeholders are filled."""
        return dataclasses.replace(self, object=item)


def load(paths: Iterable[Path]) -> list[Manifest]:
    """The objects of files, and of the YAML and JSON files directly in folders, in the order of their names.

    Raises:
        BadInput: a file that cannot be read, is not YAML or empty; an object of an unknown kind, without a
            field it needs, with one it does not have or of the wrong type; two objects of one name.
    """
    loaded: list[Manifest] = []
    first: dict[tuple[str, str, str], Manifest] = {}
    for path in _files(paths):
        for manifest in parse(_read(path), path):
            twin = first.setdefault(manifest.key, manifest)
            if twin is not manifest:
                what = f"{manifest.title} is defined twice, first at {twin.where}"
                raise BadInput(what, where=manifest.where)
            loaded.append(manifest)
    return loaded


def parse(text: str, path: Path) -> list[Manifest]:
    """The objects of one file's text; `path` is for messages.

    Raises:
        BadInput: as `load`.
    """
    roots = list(yaml_nodes.documents(text, path))
    if not roots:
        what = "there is no object in the file" if text.strip() else "the file is empty"
        raise BadInput(what, where=Location(path))
    manifests = [
        manifest for root in roots for manifest in _objects(yaml_nodes.value(root, path), root, path)
    ]
    for manifest in manifests:
        check(manifest)
    return manifests


def check(manifest: Manifest) -> None:
    """Raise `BadInput` for the first field that is wrong."""
    item = manifest.object
    found = next(schema.problems(item), None) or next(schema.rule_problems(item), None)
    if found:
        where = manifest.line(*found.path)
        raise BadInput(f"{_named(item)}: {found.what}", where=where, do=found.do)


def _named(item: Mapping[str, Any]) -> str:
    metadata = item.get("metadata")
    name = metadata.get("name") if isinstance(metadata, Mapping) else None
    return f"{item['kind']} {name}" if isinstance(name, str) else str(item["kind"])


def _files(paths: Iterable[Path]) -> Iterator[Path]:
    for path in paths:
        if not path.is_dir():
            yield path
            continue
        inside = sorted(item for item in path.iterdir() if item.suffix in SUFFIXES and item.is_file())
        if not inside:
            raise BadInput(f"the folder has no {', '.join(SUFFIXES)} file", where=Location(path))
        yield from inside


def _read(path: Path) -> str:
    try:
        return path.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = path.read_bytes()[: error.start].count(b"\n") + 1
        raise BadInput("not UTF-8", where=Location(path, line)) from None
    except OSError as error:
        raise BadInput(f"cannot be read: {error.strerror}", where=Location(path)) from None


def _objects(
    item: Any, node: yaml.Node, path: Path, inherited: Mapping[str, Any] | None = None
) -> Iterator[Manifest]:
    where = yaml_nodes.at(node, path)
    if not isinstance(item, dict):
        raise BadInput("an object must be a mapping with apiVersion, kind and metadata", where=where)
    if inherited:
        item = {**inherited, **item}
    for field in ("kind", "apiVersion"):
        if not item.get(field):
            raise BadInput(f"{field} is missing", where=where)
        if not isinstance(item[field], str):
            raise BadInput(f"{field} must be a string", where=_line(node, path, field), do="put it in quotes")
    kind = item["kind"]
    if kind.endswith("List") and "items" in item:
        yield from _items(item, node, path)
        return
    if kind not in KINDS:
        raise BadInput(f"unknown kind {kind!r}", where=_line(node, path, "kind"), do=f"known are {_known()}")
    versions = KINDS[kind].versions
    if item["apiVersion"] not in versions:
        raise BadInput(
            f"{kind} has no apiVersion {item['apiVersion']!r}",
            where=_line(node, path, "apiVersion"),
            do=f"use {' or '.join(versions)}",
        )
    yield Manifest(item, where, node)


def _items(item: Mapping[str, Any], node: yaml.Node, path: Path) -> Iterator[Manifest]:
    if not isinstance(item["items"], list):
        raise BadInput("items must be a list", where=_line(node, path, "items"))
    kind = item["kind"].removesuffix("List")
    # A ServiceList leaves out kind and apiVersion of its items; a plain List does not.
    inherited = {"apiVersion": item["apiVersion"], "kind": kind} if kind else None
    nodes = next(value for name, _, value in yaml_nodes.entries(node) if name == "items")
    for one, one_node in zip(item["items"], nodes.value, strict=True):
        yield from _objects(one, one_node, path, inherited)


def _line(node: yaml.Node, path: Path, field: str) -> Location:
    return yaml_nodes.at(yaml_nodes.find(node, (field,)), path)


def _known() -> str:
    return ", ".join(sorted(KINDS))
