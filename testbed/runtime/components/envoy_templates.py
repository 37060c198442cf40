"""The configuration files of `envoy/`, with their names filled in and their durations divided by the speed.

```
envoy/target.yaml ── fill ${NAMES} ── divide durations by the speed ──► the configuration of an Envoy
```

The files hold production durations. Those that wait for real work (`PATIENT`) stay as they are.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from testbed import shipped
from testbed.clock import Clock
from testbed.errors import BadInput, Location

FOLDER = shipped.folder(shipped.ENVOY)

PATIENT = frozenset(
    {
        "connect_timeout",
        "timeout",
        "request_timeout",
        "initial_fetch_timeout",
        "base_interval",
        "max_interval",
    }
)
"""Fields that wait for real work of this machine: never divided by the speed."""

Value = str | int | None | Sequence[str] | Sequence[int]

_PLACEHOLDER = re.compile(r"\$\{([A-Z_]+)\}")
_DURATION = re.compile(r"(\d+(?:\.\d+)?)s")


def filled(source: str, values: Mapping[str, Value], clock: Clock) -> Any:
    """Return a file of `envoy/`, its names filled in and its durations divided by the clock's speed.

    Raises:
        BadInput: the file is not YAML, or names a value that is not among `values`.
    """
    path = FOLDER / source
    return scale(fill(read(path), values, path), clock)


def read(path: Path) -> Any:
    """Return the YAML of a configuration file, with merge keys and anchors resolved.

    Raises:
        BadInput: it is not YAML; names the line.
    """
    try:
        return yaml.load(path.read_text(), Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))  # noqa: S506
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else None
        raise BadInput(f"broken YAML: {error.problem}", where=Location(path, line)) from None


def fill(node: Any, values: Mapping[str, Value], path: Path) -> Any:
    """Replace `${NAME}` in all strings of a tree; the tree is data, so no value can break out of its field.

    A string that is only a placeholder becomes the value with its type. A field whose value is None is left
    out. A list entry that holds a placeholder with several values is repeated for each of them.

    Raises:
        BadInput: a placeholder has no value.
    """
    if isinstance(node, dict):
        filled = {key: fill(item, values, path) for key, item in node.items()}
        return {key: item for key, item in filled.items() if item is not None or node[key] is None}
    if isinstance(node, list):
        return [fill(item, chosen, path) for item in node for chosen in _each(item, values)]
    if not isinstance(node, str):
        return node
    for name in _PLACEHOLDER.findall(node):
        if name not in values:
            raise BadInput(f"nothing fills ${{{name}}}", where=Location(path))
    whole = _PLACEHOLDER.fullmatch(node)
    if whole:
        return values[whole[1]]
    return _PLACEHOLDER.sub(lambda match: str(values[match[1]]), node)


def scale(node: Any, clock: Clock, field: str = "") -> Any:
    """Divide the durations (`90s`) of a tree by the clock's speed, except those of `PATIENT` fields."""
    if isinstance(node, dict):
        return {key: scale(item, clock, key) for key, item in node.items()}
    if isinstance(node, list):
        return [scale(item, clock, field) for item in node]
    match = _DURATION.fullmatch(node) if isinstance(node, str) and field not in PATIENT else None
    if match is None or float(match[1]) == 0:
        return node
    # Never rounded to 0, which switches a timeout off.
    return f"{max(0.001, clock.scaled(float(match[1]))):.3f}s"


def _each(item: Any, values: Mapping[str, Value]) -> Iterator[Mapping[str, Value]]:
    """Yield the values to fill a list entry with: once, or once for each of the values of its placeholder."""
    names = {name for name in _PLACEHOLDER.findall(json.dumps(item)) if isinstance(values.get(name), tuple)}
    if not names or (isinstance(item, dict) and _holds_list(item)):
        yield values
        return
    name = names.pop()
    for value in values[name] or ():  # type: ignore[union-attr]
        yield {**values, name: value}


def _holds_list(node: Any) -> bool:
    """True if the placeholder may stand in a list further inside: the innermost list repeats."""
    if isinstance(node, list):
        return True
    return isinstance(node, dict) and any(map(_holds_list, node.values()))
