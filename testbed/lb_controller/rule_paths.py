"""From the paths of an Ingress rule to the values of `path-pattern` conditions, and the order of the rules.

| pathType               | path              | values                 |
|------------------------|-------------------|------------------------|
| ImplementationSpecific | `/x*`             | `/x*`, as written      |
| Exact                  | `/x`              | `/x`, no wildcards     |
| Prefix                 | `/abc` or `/abc/` | `/abc`, `/abc/*`       |
| Prefix                 | `/`               | `/*`                   |

v2.0 and v2.1 ignored pathType: every path was taken as written, in the order given
(pkg/ingress/model_build_listener_rules.go).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from testbed.lb_controller.inputs import BuildError, Version

EXACT = "Exact"
PREFIX = "Prefix"
IMPLEMENTATION_SPECIFIC = "ImplementationSpecific"

Path = Mapping[str, Any]
"""One entry of `spec.rules[].http.paths[]`."""


def path_type(path: Path) -> str:
    """Its pathType; absent means ImplementationSpecific."""
    return path.get("pathType") or IMPLEMENTATION_SPECIFIC


def in_order(paths: Sequence[Path], version: Version = Version.NEWEST) -> list[Path]:
    """Exact as given, then Prefix by falling length, then ImplementationSpecific as given.

    Raises:
        BuildError: a path of another type.
    """
    if version is Version.V2_1:
        return list(paths)
    classes = by_type(paths)
    prefixes = sorted(classes[PREFIX], key=lambda path: -len(path.get("path") or ""))
    return [*classes[EXACT], *prefixes, *classes[IMPLEMENTATION_SPECIFIC]]


def by_type(paths: Sequence[Path]) -> dict[str, list[Path]]:
    """The paths by their type, each list in the given order.

    Raises:
        BuildError: a path of another type.
    """
    classes: dict[str, list[Path]] = {EXACT: [], PREFIX: [], IMPLEMENTATION_SPECIFIC: []}
    for path in paths:
        if path_type(path) not in classes:
            raise BuildError(f"unknown pathType for path {path.get('path') or ''}")
        classes[path_type(path)].append(path)
    return classes


def patterns(
    path: Path, *, is_regex: bool = False, version: Version = Version.NEWEST
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The values and the regexValues of the condition; one of the two is empty.

    Args:
        path: with a non-empty path.
        is_regex: annotation `use-regex-path-match`: the text after the first `/` is a regular expression.
        version: profile.

    Raises:
        BuildError: a wildcard where none may be, or an unknown type.
    """
    text = path["path"]
    if version is Version.V2_1:
        return (text,), ()
    match path_type(path):
        case "ImplementationSpecific":
            return ((), (text[1:],)) if is_regex else ((text,), ())
        case "Exact":
            _refuse_wildcards("exact", text)
            return (text,), ()
        case "Prefix":
            _refuse_wildcards("prefix", text)
            stem = text.removesuffix("/")
            return ((stem, f"{stem}/*") if stem else ("/*",)), ()
        case other:
            raise BuildError(f"unsupported pathType: {other}")


def _refuse_wildcards(kind: str, text: str) -> None:
    if "*" in text or "?" in text:
        raise BuildError(f"{kind} path shouldn't contain wildcards: {text}")
