"""Conditions of listener rules: from rule host, path and the annotation `conditions.<service>`.

The order in the rule: header, method, query and source conditions as listed, then one host condition (rule
host first), then one path condition (pkg/ingress/{config_types,model_build_listener_rules}.go).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from testbed.lb_controller.core import go_json, go_text
from testbed.lb_controller.core.annotations import Annotations
from testbed.lb_controller.core.build_inputs import BuildError
from testbed.lb_controller.core.stack import Condition, QueryPair

HOST = "host-header"
PATH = "path-pattern"
HEADER = "http-header"
METHOD = "http-request-method"
QUERY = "query-string"
SOURCE = "source-ip"

CONFIGS = {
    HOST: "hostHeaderConfig",
    PATH: "pathPatternConfig",
    HEADER: "httpHeaderConfig",
    METHOD: "httpRequestMethodConfig",
    QUERY: "queryStringConfig",
    SOURCE: "sourceIPConfig",
}
"""The key of the annotation that holds the values of a condition, by its field."""
_WITH_REGEX = (HOST, PATH, HEADER)
_VALUES = {"values": [str]}
_EITHER = {**_VALUES, "regexValues": [str]}
_SHAPE = [
    {
        "field": str,
        "hostHeaderConfig": _EITHER,
        "pathPatternConfig": _EITHER,
        "httpHeaderConfig": {**_EITHER, "httpHeaderName": str},
        "httpRequestMethodConfig": _VALUES,
        "queryStringConfig": {"values": [{"key": str, "value": str}]},
        "sourceIPConfig": _VALUES,
    }
]
_WORDS = {HOST: "host", PATH: "path"}
_EVERYTHING = Condition(field=PATH, values=("/*",))


def from_annotation(annotations: Annotations, service: str) -> tuple[Condition, ...]:
    """The annotation `conditions.<service>`.

    Raises:
        BuildError: it is not JSON of this shape, or a condition has no values.
    """
    entries = go_json.read(annotations.json(f"conditions.{service}"), _SHAPE)
    return tuple(_condition(entry) for entry in entries or ())


def merged(
    host: str, paths: tuple[Sequence[str], Sequence[str]], extra: Sequence[Condition]
) -> tuple[Condition, ...]:
    """The conditions of one rule.

    Args:
        host: the host of the Ingress rule, "" for any.
        paths: values and regexValues of its path.
        extra: the conditions of the annotation.

    Raises:
        BuildError: host or path would have values and regexValues at once.
    """
    hosts = [host] if host else []
    values = {HOST: hosts, PATH: list(paths[0])}
    regexes: dict[str, list[str]] = {HOST: [], PATH: list(paths[1])}
    conditions = []
    for condition in extra:
        if condition.field in values:
            values[condition.field] += condition.values
            regexes[condition.field] += condition.regex_values
        else:
            conditions.append(condition)
    for field, name in ((HOST, "host"), (PATH, "path")):
        if values[field] and regexes[field]:
            plain, regular = go_text.bracketed(values[field]), go_text.bracketed(regexes[field])
            both = f"Values {plain} and RegexValues {regular}"
            raise BuildError(
                f"{name} condition must specify exactly one of Values and RegexValues, got both {both}"
            )
        if values[field] or regexes[field]:
            conditions.append(
                Condition(field=field, values=tuple(values[field]), regex_values=tuple(regexes[field]))
            )
    return tuple(conditions) or (_EVERYTHING,)


def in_words(conditions: Iterable[Condition]) -> str:
    """Conditions for a person: `host a.example.com and path /a or /a/*`; `~` marks a regular expression."""
    parts = []
    for condition in conditions:
        values = [*condition.values, *(f"~{regex}" for regex in condition.regex_values)]
        values += [f"{pair.key}={pair.value}" if pair.key else pair.value for pair in condition.query]
        name = _WORDS.get(condition.field) or condition.header_name or condition.field
        parts.append(f"{name} {' or '.join(values)}")
    return " and ".join(parts)


def _condition(entry: Mapping[str, Any]) -> Condition:
    field = entry.get("field") or ""
    if field not in CONFIGS:
        return Condition(field=field)
    name = CONFIGS[field]
    config = entry.get(name)
    if config is None:
        raise BuildError(f"missing {name}")
    values, regex_values = config.get("values") or (), config.get("regexValues") or ()
    if field in _WITH_REGEX:
        if not values and not regex_values:
            raise BuildError(f"invalid {name}: values or regexValues must be specified")
        if values and regex_values:
            raise BuildError(f"invalid {name}: precisely one of values and regexValues can be specified")
    elif not values:
        raise BuildError(f"invalid {name}: {'Values' if field == QUERY else 'values'} cannot be empty")
    if field == QUERY:
        if any(not pair.get("value") for pair in values):
            raise BuildError(f"invalid {name}: value cannot be empty")
        pairs = tuple(QueryPair(key=pair.get("key"), value=pair["value"]) for pair in values)
        return Condition(field=field, query=pairs)
    return Condition(
        field=field,
        values=tuple(values),
        regex_values=tuple(regex_values),
        header_name=config.get("httpHeaderName"),
    )
