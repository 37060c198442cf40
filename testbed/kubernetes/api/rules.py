"""The words of the API server for a field that breaks a rule, and the rules of names and labels.

Source: apimachinery pkg/util/validation/field/errors.go and pkg/util/validation/validation.go. Pure.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from testbed.kubernetes.api.statuses import Cause

_LABEL_PATTERN = "[a-z0-9]([-a-z0-9]*[a-z0-9])?"
_SUBDOMAIN_PATTERN = rf"{_LABEL_PATTERN}(\.{_LABEL_PATTERN})*"
_DNS_1035_PATTERN = "[a-z]([-a-z0-9]*[a-z0-9])?"
_LABEL_VALUE_PATTERN = "(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?"
_NAME_PATTERN = "([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]"

SUBDOMAIN = (
    "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must "
    "start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is "
    f"'{_SUBDOMAIN_PATTERN}')"
)
LABEL = (
    "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start "
    "and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is "
    f"'{_LABEL_PATTERN}')"
)
DNS_1035 = (
    "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic "
    "character, and end with an alphanumeric character (e.g. 'my-name',  or 'abc-123', regex used for "
    f"validation is '{_DNS_1035_PATTERN}')"
)
WILDCARD = (
    "a wildcard DNS-1123 subdomain must start with '*.', followed by a valid DNS subdomain, which must "
    "consist of lower case alphanumeric characters, '-' or '.' and end with an alphanumeric character (e.g. "
    rf"'*.example.com', regex used for validation is '\*\.{_SUBDOMAIN_PATTERN}')"
)
LABEL_VALUE = (
    "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must "
    "start and end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used "
    f"for validation is '{_LABEL_VALUE_PATTERN}')"
)
QUALIFIED_NAME = (
    "name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an "
    "alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is "
    f"'{_NAME_PATTERN}')"
)
PORT_RANGE = "must be between 1 and 65535, inclusive"
_RBAC = ("Role", "RoleBinding", "ClusterRole", "ClusterRoleBinding")
_MOST_ANNOTATION_BYTES = 256 << 10


def invalid(field: str, value: Any, why: str) -> Cause:
    """`Invalid value: 0: must be between ...`."""
    return Cause("FieldValueInvalid", field, f"Invalid value: {_shown(value)}: {why}")


def required(field: str, why: str = "") -> Cause:
    """`Required value`."""
    return Cause("FieldValueRequired", field, f"Required value: {why}" if why else "Required value")


def forbidden(field: str, why: str) -> Cause:
    """`Forbidden: ...`."""
    return Cause("FieldValueForbidden", field, f"Forbidden: {why}")


def duplicate(field: str, value: Any) -> Cause:
    """`Duplicate value: "http"`."""
    return Cause("FieldValueDuplicate", field, f"Duplicate value: {_shown(value)}")


def unsupported(field: str, value: Any, supported: Iterable[str]) -> Cause:
    """`Unsupported value: "x": supported values: "a", "b"`."""
    known = ", ".join(json.dumps(one) for one in sorted(supported))
    what = f"Unsupported value: {_shown(value)}: supported values: {known}"
    return Cause("FieldValueNotSupported", field, what)


class Raw(str):
    """A value that a message shows without quotes."""

    __slots__ = ()


def _shown(value: Any) -> str:
    return value if isinstance(value, Raw) else json.dumps(value, separators=(",", ":"))


def is_subdomain(text: str) -> bool:
    """Whether it is a DNS name in lower case."""
    return len(text) <= 253 and bool(re.fullmatch(_SUBDOMAIN_PATTERN, text))


def is_label(text: str) -> bool:
    """Whether it is one label of a DNS name."""
    return len(text) <= 63 and bool(re.fullmatch(_LABEL_PATTERN, text))


def is_wildcard(text: str) -> bool:
    """Whether it is `*.` and a DNS name."""
    return text.startswith("*.") and is_subdomain(text[2:])


def metadata(kind: str, item: Mapping[str, Any]) -> Iterator[Cause]:
    """What is wrong with name, namespace, labels and annotations."""
    found = item["metadata"]
    yield from _name(kind, found.get("name") or "")
    if found.get("namespace") and not is_label(found["namespace"]):
        yield invalid("metadata.namespace", found["namespace"], LABEL)
    yield from labels("metadata.labels", found.get("labels") or {})
    annotations = found.get("annotations") or {}
    for key in annotations:
        yield from _qualified("metadata.annotations", key)
    size = sum(len(key) + len(value) for key, value in annotations.items())
    if size > _MOST_ANNOTATION_BYTES:
        why = f"may not be more than {_MOST_ANNOTATION_BYTES} bytes"
        yield Cause("FieldValueTooLong", "metadata.annotations", f"Too long: {why}")


def labels(field: str, found: Mapping[str, str]) -> Iterator[Cause]:
    """What is wrong with a map of labels."""
    for key, value in found.items():
        yield from _qualified(field, key)
        if len(value) > 63:
            yield invalid(field, value, "must be no more than 63 characters")
        elif not re.fullmatch(_LABEL_VALUE_PATTERN, value):
            yield invalid(field, value, LABEL_VALUE)


def _name(kind: str, name: str) -> Iterator[Cause]:
    if not name:
        yield required("metadata.name", "name or generateName is required")
    elif kind == "Service":
        if len(name) > 63:
            yield invalid("metadata.name", name, "must be no more than 63 characters")
        elif not re.fullmatch(_DNS_1035_PATTERN, name):
            yield invalid("metadata.name", name, DNS_1035)
    elif kind == "Namespace":
        if not is_label(name):
            yield invalid("metadata.name", name, LABEL)
    elif kind not in _RBAC and not is_subdomain(name):
        yield invalid("metadata.name", name, SUBDOMAIN)


def _qualified(field: str, key: str) -> Iterator[Cause]:
    prefix, slash, name = key.rpartition("/")
    if slash and not is_subdomain(prefix.lower() if field.endswith("annotations") else prefix):
        yield invalid(field, key, f"prefix part {SUBDOMAIN}")
    if not name:
        yield invalid(field, key, "name part must be non-empty")
    elif len(name) > 63:
        yield invalid(field, key, "name part must be no more than 63 characters")
    elif not re.fullmatch(_NAME_PATTERN, name):
        yield invalid(field, key, QUALIFIED_NAME)
