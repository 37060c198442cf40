"""Label and field selectors, as list, watch and deletecollection take them.

```
label    app=envoy,tier!=x,env in (a,b),env notin (a),key,!key
field    metadata.name=a,status.phase!=Running
```
Source: apimachinery pkg/labels/selector.go, pkg/fields/selector.go. Pure.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from testbed.kubernetes.api.statuses import bad_request

Predicate = Callable[[Mapping[str, Any]], bool]

_SET = re.compile(r"(?P<key>\S+)\s+(?P<operator>in|notin)\s*\((?P<values>[^()]*)\)")
_SPLIT = re.compile(r",(?![^()]*\))")
_KEY = re.compile(r"([a-z0-9A-Z.-]+/)?[A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?")
_VALUE = re.compile(r"([A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?)?")


def by_labels(text: str) -> Predicate:
    """A label selector.

    Raises:
        Refused: 400, it cannot be read.
    """
    parts = [_requirement(part.strip()) for part in _SPLIT.split(text)] if text.strip() else []

    def matches(item: Mapping[str, Any]) -> bool:
        labels = item["metadata"].get("labels") or {}
        return all(holds(labels) for holds in parts)

    return matches


def by_fields(text: str, is_served: Callable[[str], bool] = lambda _: True) -> Predicate:
    """A field selector; `is_served` says whether a field may be asked for.

    Raises:
        Refused: 400, it cannot be read, or names a field that the API does not select by.
    """
    parts: list[tuple[tuple[str, ...], str, bool]] = []
    for part in text.split(",") if text.strip() else []:
        found = re.fullmatch(r"(?P<field>[^=!]+)(?P<operator>!=|==?)(?P<value>.*)", part.strip())
        if not found:
            raise bad_request(f"invalid selector: '{text}'; can't understand '{part}'")
        if not is_served(found["field"]):
            raise bad_request(f"field label not supported: {found['field']}")
        value = re.sub(r"\\(.)", r"\1", found["value"])
        parts.append((tuple(found["field"].split(".")), value, found["operator"] != "!="))

    def matches(item: Mapping[str, Any]) -> bool:
        return all((_field(item, path) == value) is wanted for path, value, wanted in parts)

    return matches


_COMMON_FIELDS = ("metadata.name", "metadata.namespace")
_FIELDS: Mapping[str, tuple[str, ...]] = {
    "Pod": (
        *("spec.nodeName", "spec.restartPolicy", "spec.schedulerName", "spec.serviceAccountName"),
        *("spec.hostNetwork", "status.phase", "status.podIP", "status.nominatedNodeName"),
    ),
    "Node": ("spec.unschedulable",),
    "Namespace": ("status.phase",),
    "Secret": ("type",),
    "Service": ("spec.clusterIP", "spec.type"),
    "ReplicaSet": ("status.replicas",),
    "Job": ("status.successful",),
    "Event": (
        *("involvedObject.kind", "involvedObject.namespace", "involvedObject.name", "involvedObject.uid"),
        *("involvedObject.apiVersion", "involvedObject.resourceVersion", "involvedObject.fieldPath"),
        *("reason", "reportingComponent", "source", "type"),
    ),
}


def is_field_served(kind: str, field: str) -> bool:
    """Whether objects of a kind can be selected by a field (pkg/apis/core/v1/conversion.go)."""
    return field in _COMMON_FIELDS or field in _FIELDS.get(kind, ())


def _field(item: Mapping[str, Any], path: tuple[str, ...]) -> str:
    value: Any = item
    if path == ("source",):
        value = (item.get("source") or {}).get("component", "")
        return str(value)
    for part in path:
        value = value.get(part) if isinstance(value, Mapping) else None
    if isinstance(value, bool):
        return str(value).lower()
    return "" if value is None else str(value)


def _requirement(text: str) -> Predicate:
    if found := _SET.fullmatch(text):
        key = _checked(_KEY, found["key"], text)
        values = {_checked(_VALUE, value.strip(), text) for value in found["values"].split(",")}
        wanted = found["operator"] == "in"
        return lambda labels: (labels.get(key) in values) is wanted
    if found := re.fullmatch(r"(?P<key>[^=!]+?)\s*(?P<operator>!=|==?)\s*(?P<value>.*)", text):
        key, value = _checked(_KEY, found["key"], text), _checked(_VALUE, found["value"], text)
        wanted = found["operator"] != "!="
        return lambda labels: (labels.get(key) == value) is wanted
    if text.startswith("!"):
        missing = _checked(_KEY, text[1:].strip(), text)
        return lambda labels: missing not in labels
    present = _checked(_KEY, text, text)
    return lambda labels: present in labels


def _checked(pattern: re.Pattern[str], text: str, whole: str) -> str:
    if not pattern.fullmatch(text):
        raise bad_request(f"unable to parse requirement: {whole!r}: {text!r} is neither a key nor a value")
    return text
