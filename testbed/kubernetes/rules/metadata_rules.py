"""What the API server refuses of names, namespaces, labels and annotations. Pure.

Source: apimachinery pkg/api/validation/objectmeta.go, and the `NameFn` of each kind.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from testbed.kubernetes.rules import formats
from testbed.kubernetes.rules.problems import Path, Problem, go_strings, invalid, required, too_long

_NAME_FORMATS: Mapping[str, Callable[[str], Iterator[str]]] = {
    "Service": formats.dns_1035,
    "Namespace": formats.label,
    **dict.fromkeys(("Role", "RoleBinding", "ClusterRole", "ClusterRoleBinding"), formats.path_segment),
}
"""The names of all other kinds are subdomains."""
_MOST_ANNOTATION_BYTES = 256 << 10
_STANDARD_FINALIZERS = ("foregroundDeletion", "kubernetes", "orphan")
_OF_AN_OWNER = {"apiVersion": "version", "kind": "kind", "name": "name", "uid": "uid"}
"""The fields that an owner reference must have, each with the API server's word for it."""


def problems(kind: str, metadata: Mapping[str, Any]) -> Iterator[Problem]:
    """Yield what is wrong with the metadata of an object of a kind, "" for a custom resource."""
    name, namespace = metadata.get("name") or "", metadata.get("namespace")
    if name:  # an empty name has a message of its own, not that of the format
        for words in _NAME_FORMATS.get(kind, formats.subdomain)(name):
            yield invalid(("metadata", "name"), name, words)
    else:
        yield required(("metadata", "name"), "name or generateName is required")
    if namespace:
        for words in formats.label(namespace):
            yield invalid(("metadata", "namespace"), namespace, words)
    yield from label_problems(("metadata", "labels"), metadata.get("labels") or {})
    yield from _annotations(("metadata", "annotations"), metadata.get("annotations") or {})
    yield from _owners(("metadata", "ownerReferences"), metadata.get("ownerReferences") or ())
    yield from _finalizers(("metadata", "finalizers"), metadata.get("finalizers") or (), is_custom=not kind)


def label_problems(path: Path, labels: Mapping[str, str]) -> Iterator[Problem]:
    """Yield what is wrong with a map of labels; the API server names the map, not the key."""
    alias = ".".join(map(str, path))
    for key, value in labels.items():
        for words in formats.qualified_name(key):
            yield invalid((*path, key), key, words, alias=alias)
        for words in formats.label_value(value):
            yield invalid((*path, key), value, words, alias=alias)


def _annotations(path: Path, annotations: Mapping[str, str]) -> Iterator[Problem]:
    for key in annotations:
        for words in formats.qualified_name(key.lower()):  # capitals are taken, unlike in labels
            yield invalid((*path, key), key, words, alias="metadata.annotations")
    size = sum(len(key.encode()) + len(value.encode()) for key, value in annotations.items())
    if size > _MOST_ANNOTATION_BYTES:
        yield too_long(path, _MOST_ANNOTATION_BYTES)


def _owners(path: Path, owners: Sequence[Mapping[str, Any]]) -> Iterator[Problem]:
    for index, owner in enumerate(owners):
        for field, word in _OF_AN_OWNER.items():
            if not owner.get(field):
                yield invalid((*path, index, field), "", f"{word} must not be empty")


def _finalizers(path: Path, finalizers: Sequence[str], *, is_custom: bool) -> Iterator[Problem]:
    for index, name in enumerate(finalizers):
        for words in formats.qualified_name(name):
            yield invalid((*path, index), name, words, alias="metadata.finalizers")
    if {"foregroundDeletion", "orphan"} <= set(finalizers):
        why = "finalizer orphan and foregroundDeletion cannot be both set"
        yield invalid(path, go_strings(finalizers), why)
    for index, name in enumerate(finalizers):
        if "/" not in name and name not in _STANDARD_FINALIZERS and not is_custom:
            why = "name is neither a standard finalizer name nor is it fully qualified"
            yield invalid((*path, index), name, why)
