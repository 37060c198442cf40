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

from testbed.kubernetes import label_selectors
from testbed.kubernetes.api.statuses import bad_request
from testbed.kubernetes.label_selectors import NotASelector

Predicate = Callable[[Mapping[str, Any]], bool]


def by_labels(text: str) -> Predicate:
    """Return a predicate for a label selector.

    Raises:
        Refused: 400, the selector cannot be read.
    """
    try:
        requirements = label_selectors.parse(text)
    except NotASelector as error:
        raise bad_request(f"unable to parse requirement: {error}") from None

    def matches(item: Mapping[str, Any]) -> bool:
        labels = item["metadata"].get("labels") or {}
        return all(requirement.holds(labels) for requirement in requirements)

    return matches


def by_fields(text: str, is_served: Callable[[str], bool] = lambda _: True) -> Predicate:
    """Return a predicate for a field selector.

    Args:
        text: the selector.
        is_served: returns True for a field that the API selects by.

    Raises:
        Refused: 400, the selector cannot be read, or names a field that the API does not select by.
    """
    parts: list[tuple[tuple[str, ...], str, bool]] = []
    for part in text.split(",") if text.strip() else []:
        term = re.fullmatch(r"(?P<field>[^=!]+)(?P<operator>!=|==?)(?P<value>.*)", part.strip())
        if not term:
            raise bad_request(f"invalid selector: '{text}'; can't understand '{part}'")
        if not is_served(term["field"]):
            raise bad_request(f"field label not supported: {term['field']}")
        value = re.sub(r"\\(.)", r"\1", term["value"])
        parts.append((tuple(term["field"].split(".")), value, term["operator"] != "!="))

    def matches(item: Mapping[str, Any]) -> bool:
        return all((_field(item, path) == value) is equal for path, value, equal in parts)

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
    """True if objects of a kind can be selected by a field (pkg/apis/core/v1/conversion.go)."""
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
