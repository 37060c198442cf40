"""Manifests: files and folders of YAML become objects that know the file and line of every field.

Several documents in a file, `kind: List` (what `kubectl get -o yaml` prints) and JSON are read too. What
`kubectl apply` would refuse is refused here, in one line, before anything starts.
"""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from testbed.errors import BadInput, Location
from testbed.kubernetes import schema, yaml_nodes
from testbed.kubernetes.kinds import KINDS, is_custom, namespace_of

SUFFIXES = (".yaml", ".yml", ".json")
KUSTOMIZATION = "kustomization"
"""The file that `kubectl apply -k` reads, and no object; kustomize knows this name only."""


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
        if self.is_custom:
            kind = f"{kind}.{self.object['apiVersion'].partition('/')[0]}"
        return kind, namespace_of(kind, metadata.get("namespace")), metadata["name"]

    @property
    def is_custom(self) -> bool:
        """Whether it is a custom resource of a group that nobody here knows."""
        return is_custom(self.object["apiVersion"])

    def line(self, *path: str | int) -> Location:
        """Where a field stands: keys and list indices from the object's root, as far as they exist."""
        return yaml_nodes.at(yaml_nodes.find(self.node, path), self.where.path)

    def with_object(self, item: Mapping[str, Any]) -> Manifest:
        """The same place with another object, e.g. one whose placeholders are filled."""
        return dataclasses.replace(self, object=item)


def load(paths: Iterable[Path], *, custom: bool = False) -> list[Manifest]:
    """The objects of files, and of the YAML and JSON files directly in folders, in the order of their names.

    Args:
        paths: files and folders.
        custom: whether custom resources of unknown groups are taken, as they are; else they are refused.

    Raises:
        BadInput: a file that cannot be read, is not YAML or empty; an object of an unknown kind, without a
            field it needs, with one it does not have or of the wrong type; two objects of one name.
    """
    loaded: list[Manifest] = []
    first: dict[tuple[str, str, str], Manifest] = {}
    for path in itertools.chain.from_iterable(map(files_of, paths)):
        for manifest in parse(_read(path), path, custom=custom):
            twin = first.setdefault(manifest.key, manifest)
            if twin is not manifest:
                what = f"{manifest.title} is defined twice, first at {twin.where}"
                raise BadInput(what, where=manifest.where)
            loaded.append(manifest)
    return loaded


def parse(text: str, path: Path, *, custom: bool = False) -> list[Manifest]:
    """The objects of one file's text; `path` is for messages, `custom` as in `load`.

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
        if manifest.is_custom and not custom:
            raise _unknown(manifest.object["kind"], manifest.node, path)
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


def files_of(path: Path) -> list[Path]:
    """The file itself, or the manifest files directly in the folder, as `kubectl apply -f` takes them.

    Raises:
        BadInput: the folder has none.
    """
    if not path.is_dir():
        return [path]
    inside = _in_folder(path)
    if not inside:
        deeper = sorted(item.name for item in path.iterdir() if item.is_dir() and _in_folder(item))
        raise BadInput(
            f"the folder has no {', '.join(SUFFIXES)} file",
            where=Location(path),
            do=f"name the folders in it: {', '.join(deeper)}" if deeper else None,
        )
    return inside


def _in_folder(path: Path) -> list[Path]:
    return sorted(
        item
        for item in path.iterdir()
        if item.suffix in SUFFIXES and item.is_file() and item.stem != KUSTOMIZATION
    )


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
    if kind not in KINDS and not is_custom(item["apiVersion"]):
        raise _unknown(kind, node, path)
    versions = KINDS[kind].versions if kind in KINDS else ()
    if item["apiVersion"] not in versions and not is_custom(item["apiVersion"]):
        raise BadInput(
            f"{kind} has no apiVersion {item['apiVersion']!r}",
            where=_line(node, path, "apiVersion"),
            do=f"use {' or '.join(versions)}",
        )
    yield Manifest(item, where, node)


def _unknown(kind: str, node: yaml.Node, path: Path) -> BadInput:
    return BadInput(f"unknown kind {kind!r}", where=_line(node, path, "kind"), do=f"known are {_known()}")


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
