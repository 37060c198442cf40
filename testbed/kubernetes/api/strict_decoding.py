"""Strict decoding: the API's answer to unknown fields and to values of the wrong type.

Source: the API server's `fieldValidation` (Strict: 400; Warn: a warning each; Ignore). The problems and their
words come from `testbed.kubernetes.rules.decoding`. Pure.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from testbed.kubernetes.api.api_resources import Resource
from testbed.kubernetes.api.statuses import Refused, bad_request
from testbed.kubernetes.rules import decoding
from testbed.kubernetes.rules.problems import Reason
from testbed.kubernetes.rules.shapes import custom_shape, shape_of


def decoded(resource: Resource, item: Mapping[str, Any], mode: str) -> tuple[dict[str, Any], list[str]]:
    """Return the object without nulls and unknown fields, and the warnings.

    Args:
        resource: the resource of the request's path.
        item: the object.
        mode: `Strict`, `Warn` (also "") or `Ignore`.

    Raises:
        Refused: 400, a field of the wrong type; an unknown one if strict.
    """
    # A CRD may take a group that is_custom(...) cannot tell from Kubernetes' own, e.g. one without a dot.
    is_custom = resource.is_custom
    shape = custom_shape(resource.kind) if is_custom else shape_of(resource.kind, resource.api_version)
    problems = decoding.problems(item, shape)
    if problems and problems[0].reason is Reason.WRONG_TYPE:
        raise _cannot_be_handled(resource, str(problems[0]))
    unknown = [str(problem) for problem in problems]
    if unknown and mode == "Strict":
        raise _cannot_be_handled(resource, f"strict decoding error: {', '.join(unknown)}")
    known: Any = item
    for problem in problems:
        known = decoding.without(known, problem.path)
    return decoding.decoded(known, shape), [] if mode == "Ignore" else unknown


def _cannot_be_handled(resource: Resource, why: str) -> Refused:
    what = f'{resource.kind} in version "{resource.version}" cannot be handled as a {resource.kind}'
    return bad_request(f"{what}: {why}")
