"""Manifests: files and folders of YAML become objects that know the file and line of every field.

Several documents in a file, `kind: List` (what `kubectl get -o yaml` prints) and JSON are read too. What the
API would refuse is refused here by the same rules and in the same words (`testbed.kubernetes.rules`), in one
line with the place in the file, before anything starts.
"""

from __future__ import annotations

import dataclasses
import itertools
import re
import sys
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from testbed.errors import BadInput, Location
from testbed.kubernetes import rendered_manifests, yaml_nodes
from testbed.kubernetes.ingress_versions import INGRESS_V1BETA1
from testbed.kubernetes.kinds import KINDS, is_custom, namespace_of
from testbed.kubernetes.rules import decoding, defaults, object_rules
from testbed.kubernetes.rules.ingress_rules import path_in_v1beta1
from testbed.kubernetes.rules.problems import Path as FieldPath
from testbed.kubernetes.rules.problems import Problem
from testbed.kubernetes.rules.shapes import shape_of

SUFFIXES = (".yaml", ".yml", ".json")
STANDARD_INPUT = Path("-")
_PLACEHOLDER = re.compile(r"\$\{\w+\}")


@dataclass(frozen=True, slots=True)
class Manifest:
    """An object of a manifest file.

    Attributes:
        object: as the API reads it, in the API version in which it is written.
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
        """True if it is a custom resource of a group that is not known here."""
        return is_custom(self.object["apiVersion"])

    def line(self, *path: str | int) -> Location:
        """Return the place of a field, or of the nearest field above that exists.

        Args:
            path: keys and list indices from the object's root.
        """
        return yaml_nodes.at(yaml_nodes.find(self.node, path), self.where.path)

    def with_object(self, item: Mapping[str, Any]) -> Manifest:
        """Return the same place with another object, e.g. one whose placeholders are filled."""
        return dataclasses.replace(self, object=item)


@dataclass(frozen=True, slots=True)
class Source:
    """The text of a file, or of the standard input; `path` is for messages."""

    path: Path
    text: str


def sources(paths: Iterable[Path]) -> list[Source]:
    """Return the texts of files, of the YAML and JSON files directly in folders, and of `-`, standard input.

    Raises:
        BadInput: a file that cannot be read, a folder without manifests, a Helm chart, an empty pipe.
    """
    return [
        _standard_input() if path == STANDARD_INPUT else Source(path, yaml_nodes.text_of(path))
        for path in itertools.chain.from_iterable(map(files_of, paths))
    ]


def _standard_input() -> Source:
    name = Path("stdin")
    text = yaml_nodes.decoded(sys.stdin.buffer.read(), name)
    if not text.strip():
        raise BadInput("nothing came in", where=Location(name), do="see what the command before | says")
    return Source(name, text)


def load(
    paths: Iterable[Path], *, custom: bool = False, standing: Iterable[Manifest] | None = None
) -> list[Manifest]:
    """Return the objects of files and folders, as `sources` and `of_sources` do.

    Raises:
        BadInput: as they do.
    """
    return of_sources(sources(paths), custom=custom, standing=standing)


def of_sources(
    texts: Iterable[Source], *, custom: bool = False, standing: Iterable[Manifest] | None = None
) -> list[Manifest]:
    """Return the objects of texts, in their order.

    An object that a later text defines again is the one of that text, as after `kubectl apply` of both.

    Args:
        texts: of manifests.
        custom: True to take custom resources of unknown groups as they are; else they are refused.
        standing: the objects that the files change, if they are an edit: the API drops fields of an old type
            that did not change, and a file without any object deletes all.

    Raises:
        BadInput: a text that is not YAML or is empty; an object of an unknown kind, or one that the API would
            refuse; two objects of one name in one text.
    """
    loaded: dict[tuple[str, str, str], Manifest] = {}
    old = None if standing is None else {one.key: one.object for one in standing}
    for source in texts:
        of_file: dict[tuple[str, str, str], Manifest] = {}
        for manifest in parse(source.text, source.path, custom=custom, standing=old):
            twin = of_file.setdefault(manifest.key, manifest)
            if twin is not manifest:
                what = f"{manifest.title} is defined twice, first at {twin.where}"
                raise BadInput(what, where=manifest.where)
            loaded.pop(manifest.key, None)  # so that the order is that of the last definition
            loaded[manifest.key] = manifest
    return list(loaded.values())


def parse(
    text: str,
    path: Path,
    *,
    custom: bool = False,
    standing: Mapping[tuple[str, str, str], Mapping[str, Any]] | None = None,
) -> list[Manifest]:
    """Return the objects of a file's text; `path` is for messages, the others are as in `load`, by key.

    Raises:
        BadInput: as `load`.
    """
    roots = list(yaml_nodes.documents(text, path))
    if not roots and standing is None:
        what = "there is no object in the file" if text.strip() else "the file is empty"
        raise BadInput(what, where=Location(path))
    manifests = [
        manifest for root in roots for manifest in _objects(yaml_nodes.value(root, path), root, path)
    ]
    for manifest in manifests:
        if manifest.is_custom and not custom:
            raise _unknown(manifest.object["kind"], manifest.node, path)
        check(manifest, _same(manifest, standing or {}))
    return [manifest.with_object(_decoded(manifest.object)) for manifest in manifests]


def _decoded(item: Mapping[str, Any]) -> dict[str, Any]:
    decoded = decoding.decoded(item, shape_of(item["kind"], item["apiVersion"]))
    assert isinstance(decoded, dict)
    return decoded


def check(manifest: Manifest, old: Mapping[str, Any] | None = None) -> None:
    """Raise `BadInput` for the first problem that the API would list; `old` is what stands, if it is known.

    A field that still holds a placeholder `${NAME}` has no value yet: check it again when it is filled.
    """
    item = manifest.object
    if problem := next(_problems(item, old), None):
        path = problem.path
        if item["kind"] == "Ingress" and item["apiVersion"] in INGRESS_V1BETA1:
            path = path_in_v1beta1(path)
        raise BadInput(f"{_named(item)}: {problem}", where=manifest.line(*path), do=problem.advice)


def _same(
    manifest: Manifest, standing: Mapping[tuple[str, str, str], Mapping[str, Any]]
) -> Mapping[str, Any] | None:
    """The object that stands by the name of a manifest, which need not have one."""
    metadata = manifest.object.get("metadata")
    has_name = isinstance(metadata, Mapping) and isinstance(metadata.get("name"), str)
    return standing.get(manifest.key) if standing and has_name else None


def _problems(item: Mapping[str, Any], old: Mapping[str, Any] | None) -> Iterator[Problem]:
    shape = shape_of(item["kind"], item["apiVersion"])
    if wrong := decoding.problems(item, shape):
        yield from wrong  # the rules can only look at values of the right types
        return
    stored = defaults.released(defaults.converted({"metadata": {}, **decoding.decoded(item, shape)}), old)
    for problem in object_rules.problems(stored, sent_as=item["apiVersion"]):
        if not _has_placeholder(stored, problem.path):
            yield problem


def _has_placeholder(item: Any, path: FieldPath) -> bool:
    for step in path:
        try:
            item = item[step]
        except LookupError:  # the problem is that the field is absent
            return False
    return isinstance(item, str) and bool(_PLACEHOLDER.search(item))


def _named(item: Mapping[str, Any]) -> str:
    metadata = item.get("metadata")
    name = metadata.get("name") if isinstance(metadata, Mapping) else None
    return f"{item['kind']} {name}" if isinstance(name, str) else str(item["kind"])


def files_of(path: Path) -> list[Path]:
    """Return the file itself, or the manifest files directly in the folder, as `kubectl apply -f` takes them.

    Raises:
        BadInput: the folder has none.
    """
    if not path.is_dir():
        return [path]
    if command := rendered_manifests.helm(path):
        raise BadInput(
            "a Helm chart, whose templates are no manifests yet",
            where=Location(path),
            do=f"render it: {rendered_manifests.piped(command)}",
        )
    inside = _in_folder(path)
    if not inside and (command := rendered_manifests.kustomize(path)):
        raise BadInput(
            "the folder has no manifest beside its kustomization",
            where=Location(path),
            do=f"build it: {rendered_manifests.piped(command)}",
        )
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
        if item.suffix in SUFFIXES and item.is_file() and item.name not in rendered_manifests.KUSTOMIZATIONS
    )


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
    for entry, entry_node in zip(item["items"], nodes.value, strict=True):
        yield from _objects(entry, entry_node, path, inherited)


def _line(node: yaml.Node, path: Path, field: str) -> Location:
    return yaml_nodes.at(yaml_nodes.find(node, (field,)), path)


def _known() -> str:
    return ", ".join(sorted(KINDS))
