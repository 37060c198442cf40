"""The values of `path-pattern` conditions for the paths of an Ingress, and the order of its rules.

| pathType               | path              | values                 |
|------------------------|-------------------|------------------------|
| ImplementationSpecific | `/x*`             | `/x*`, as written      |
| Exact                  | `/x`              | `/x`, no wildcards     |
| Prefix                 | `/abc` or `/abc/` | `/abc`, `/abc/*`       |
| Prefix                 | `/`               | `/*`                   |

v2.0 and v2.1 ignored pathType: every path was used as written, in the order of the manifest
(pkg/ingress/model_build_listener_rules.go).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from testbed.dated_releases import LB_CONTROLLER_RELEASES, Release
from testbed.lb_controller.core.build_inputs import BuildError
from testbed.lb_controller.core.facts import Fact

EXACT = "Exact"
PREFIX = "Prefix"
IMPLEMENTATION_SPECIFIC = "ImplementationSpecific"

Path = Mapping[str, Any]
"""One entry of `spec.rules[].http.paths[]`."""


def path_type(path: Path) -> str:
    """The pathType of a path, ImplementationSpecific by default."""
    return path.get("pathType") or IMPLEMENTATION_SPECIFIC


def in_order(paths: Sequence[Path], release: Release = LB_CONTROLLER_RELEASES.newest) -> list[Path]:
    """Sort paths: Exact in order, then Prefix from the longest, then ImplementationSpecific in order.

    Raises:
        BuildError: a path has another type.
    """
    if not release.has(Fact.PATHS_SORTED_BY_TYPE):
        return list(paths)
    classes = by_type(paths)
    # Within one rule only: a catch-all of an earlier rule or member still hides what comes after it.
    prefixes = sorted(classes[PREFIX], key=lambda path: -len(path.get("path") or ""))
    return [*classes[EXACT], *prefixes, *classes[IMPLEMENTATION_SPECIFIC]]


def by_type(paths: Sequence[Path]) -> dict[str, list[Path]]:
    """The paths by type, each list in the original order.

    Raises:
        BuildError: a path has another type.
    """
    classes: dict[str, list[Path]] = {EXACT: [], PREFIX: [], IMPLEMENTATION_SPECIFIC: []}
    for path in paths:
        if path_type(path) not in classes:
            raise BuildError(f"unknown pathType for path {path.get('path') or ''}")
        classes[path_type(path)].append(path)
    return classes


def patterns(
    path: Path, *, is_regex: bool = False, release: Release = LB_CONTROLLER_RELEASES.newest
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The values and the regexValues of the condition; one of the two is empty.

    Args:
        path: an entry with a non-empty path.
        is_regex: annotation `use-regex-path-match`: the text after the first `/` is a regular expression.
        release: of the controller.

    Raises:
        BuildError: a wildcard is not allowed here, or the type is unknown.
    """
    text = path["path"]
    if not release.has(Fact.PATH_TYPES):
        return (text,), ()
    match path_type(path):
        case "ImplementationSpecific":
            return ((), (text[1:],)) if is_regex else ((text,), ())
        case "Exact":
            _refuse_wildcards("exact", text)
            return (text,), ()
        case "Prefix":
            _refuse_wildcards("prefix", text)
            # Two values, because `/abc/*` does not match `/abc`, and `/abc*` would match `/abcd`.
            stem = text.removesuffix("/")
            return ((stem, f"{stem}/*") if stem else ("/*",)), ()
        case other:
            raise BuildError(f"unsupported pathType: {other}")


def _refuse_wildcards(kind: str, text: str) -> None:
    if "*" in text or "?" in text:
        raise BuildError(f"{kind} path shouldn't contain wildcards: {text}")
