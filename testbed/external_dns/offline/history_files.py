"""Files of histories: schema `external-dns-scenarios/1` or `external-dns-upgrades/1`, as JSON or YAML.

```
schema: external-dns-scenarios/1
scenarios:
- id: one
  config: {policy: sync, owner_id: me}
  steps:
  - label: a service annotated
    do: [{apply: {kind: Service, …}}]
    syncs: 2
```
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import orjson
import yaml

from testbed.errors import BadInput, Location
from testbed.external_dns.core.facts import release_of
from testbed.external_dns.offline.replay import CONFIG
from testbed.kubernetes import yaml_nodes

SCHEMA = "external-dns-scenarios/1"
UPGRADES = "external-dns-upgrades/1"
"""The schema of histories whose steps name the `release` that plays them."""
_APPLIED = ("Service", "Ingress")
"""Kinds that a history applies: a route claims nothing without its Gateway, which no history has."""
_Problem = tuple[tuple[str | int, ...], str]
_ACTIONS = ("CREATE", "UPSERT", "DELETE")


def load(paths: Iterable[Path]) -> list[dict[str, Any]]:
    """Return the scenarios of all files, in their order.

    Raises:
        BadInput: a file cannot be read or has another schema; the error names the line.
    """
    scenarios: list[dict[str, Any]] = []
    for path in paths:
        text = yaml_nodes.text_of(path)
        content = _content(text, path)
        problem = next(_problems(content), None)
        if problem:
            steps, what = problem
            raise BadInput(what, where=_where(text, path, steps))
        scenarios += content["scenarios"]
    return scenarios


def schema_of(scenarios: Iterable[Mapping[str, Any]]) -> str:
    """Return the schema that scenarios have: that of upgrades if a step names a release."""
    steps = (step for scenario in scenarios for step in scenario["steps"])
    return UPGRADES if any("release" in step for step in steps) else SCHEMA


def _content(text: str, path: Path) -> Any:
    if text.lstrip().startswith("{"):
        try:
            return orjson.loads(text)
        except orjson.JSONDecodeError:
            pass  # a YAML flow mapping begins like JSON; if it is neither, YAML's message has the line
    try:
        yaml_nodes.check_depth(text, path)
        return yaml.load(text, getattr(yaml, "CSafeLoader", yaml.SafeLoader))  # noqa: S506 both are safe
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        where = Location(path, mark.line + 1 if mark else None)
        raise BadInput(f"not valid YAML: {error.problem or error.context}", where=where) from None
    # A character that YAML does not take, or a date that does not exist.
    except (yaml.YAMLError, ValueError) as error:
        raise BadInput(f"not valid YAML: {error}", where=Location(path)) from None


def _where(text: str, path: Path, steps: tuple[str | int, ...]) -> Location:
    try:
        root = next(yaml_nodes.documents(text, path), None)
    except BadInput:  # JSON that YAML does not take, such as tabs
        root = None
    return yaml_nodes.at(yaml_nodes.find(root, steps), path) if root is not None else Location(path)


def _problems(content: Any) -> Iterator[_Problem]:
    if not isinstance(content, Mapping) or content.get("schema") not in (SCHEMA, UPGRADES):
        yield ("schema",), f"schema must be {SCHEMA} or {UPGRADES}"
        return
    if not isinstance(content.get("scenarios"), list):
        yield ("scenarios",), "scenarios must be a list"
        return
    for number, scenario in enumerate(content["scenarios"]):
        for path, what in _scenario(scenario):
            yield ("scenarios", number, *path), what


def _scenario(scenario: Any) -> Iterator[_Problem]:
    if not isinstance(scenario, Mapping):
        yield (), "a scenario must be a mapping"
        return
    title = f"scenario {scenario.get('id', '(without id)')}"
    yield from _within(("config",), _config(scenario.get("config"), title))
    yield from _records(scenario, "hosted_zone_before", title)
    if not isinstance(scenario.get("steps"), list):
        yield ("steps",), f"{title} needs a list of steps"
        return
    for number, step in enumerate(scenario["steps"]):
        if not isinstance(step, Mapping):
            yield ("steps", number), f"a step of {title} must be a mapping"
            continue
        syncs = step.get("syncs")
        # bool is a subclass of int: `syncs: true` must not count as 1.
        if not isinstance(syncs, int) or isinstance(syncs, bool) or syncs < 0:
            yield ("steps", number, "syncs"), f"a step of {title} needs syncs, a whole number"
        release = step.get("release")
        if release is not None:
            try:
                release_of(str(release))
            except BadInput as error:
                yield ("steps", number, "release"), f"a step of {title}: {error}"
        acts = step.get("do") or []
        if not isinstance(acts, list):
            yield ("steps", number, "do"), f"do of a step of {title} must be a list"
            continue
        for index, act in enumerate(acts):
            yield from _within(("steps", number, "do", index), _act(act, title))


def _config(config: Any, title: str) -> Iterator[_Problem]:
    if not isinstance(config, Mapping):
        yield (), f"{title} needs a config"
        return
    for key in config:
        if key not in CONFIG:
            yield (key,), f"the config of {title} has an unknown key {key!r}; known are {', '.join(CONFIG)}"


def _act(act: Any, title: str) -> Iterator[_Problem]:
    if not isinstance(act, Mapping) or len(act) != 1 or next(iter(act)) not in _ACTS:
        yield (), f"an act of {title} must be one of {', '.join(_ACTS)}"
        return
    [(name, value)] = act.items()
    yield from _within((name,), _ACTS[name](value, title))


def _apply(item: Any, title: str) -> Iterator[_Problem]:
    metadata = item.get("metadata") if isinstance(item, Mapping) else None
    if not isinstance(metadata, Mapping) or not metadata.get("name") or item.get("kind") not in _APPLIED:
        yield (), f"{title} must apply a {' or '.join(_APPLIED)} with a metadata.name"


def _delete(place: Any, title: str) -> Iterator[_Problem]:
    if not isinstance(place, Mapping) or not place.get("kind") or not place.get("name"):
        yield (), f"a delete of {title} needs kind and name"


def _hand(changes: Any, title: str) -> Iterator[_Problem]:
    if not isinstance(changes, list):
        yield (), f"hosted_zone of {title} must be a list of changes"
        return
    for number, change in enumerate(changes):
        if not isinstance(change, Mapping) or change.get("action") not in _ACTIONS:
            yield (number,), f"a change by hand of {title} needs an action: {', '.join(_ACTIONS)}"
        else:
            yield from _within((number,), _record(change, title))


def _failures(count: Any, title: str) -> Iterator[_Problem]:
    if not isinstance(count, int) or isinstance(count, bool) or count < 0:
        yield (), f"next_change_calls_fail of {title} must be a whole number"


def _records(scenario: Mapping[str, Any], key: str, title: str) -> Iterator[_Problem]:
    records = scenario.get(key) or []
    if not isinstance(records, list):
        yield (key,), f"{key} of {title} must be a list"
        return
    for number, one in enumerate(records):
        yield from _within((key, number), _record(one, title))


def _record(form: Any, title: str) -> Iterator[_Problem]:
    if not isinstance(form, Mapping) or not form.get("name") or not form.get("type"):
        yield (), f"a record of {title} needs name and type"
    elif "alias" not in form and not ("ttl" in form and isinstance(form.get("values"), list)):
        yield (), f"{form['name']} {form['type']} of {title} needs alias, or ttl and values"


def _within(path: tuple[str | int, ...], problems: Iterable[_Problem]) -> Iterator[_Problem]:
    for inner, what in problems:
        yield (*path, *inner), what


_ACTS: Mapping[str, Callable[[Any, str], Iterator[_Problem]]] = {
    "apply": _apply,
    "delete": _delete,
    "hosted_zone": _hand,
    "restart_with": _config,
    "next_change_calls_fail": _failures,
}
