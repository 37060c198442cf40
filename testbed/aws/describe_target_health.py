"""Builds the answer to DescribeTargetHealth from registered targets and health checks (pure).

moto reports every target as healthy.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from testbed.aws.answers import Answer, query_answer

Description = Mapping[str, Any]
"""A TargetHealthDescription as boto3 returns it."""
Target = tuple[str, str]
"""Id and port; the port is "" where a call names none."""

_TRAFFIC_PORT = "traffic-port"
_REQUESTED = re.compile(r"Targets\.member\.(\d+)\.(Id|Port)")
_REGISTERING = {
    "State": "initial",
    "Reason": "Elb.RegistrationInProgress",
    "Description": "Target registration is in progress",
}
_DRAINING = {
    "State": "draining",
    "Reason": "Target.DeregistrationInProgress",
    "Description": "Target deregistration is in progress",
}
_NOT_REGISTERED = {
    "State": "unused",
    "Reason": "Target.NotRegistered",
    "Description": "Target is not registered to the target group",
}


def requested(form: Mapping[str, str]) -> list[Target]:
    """Return the targets that a call names; [] means all."""
    members: dict[str, dict[str, str]] = {}
    for key, value in form.items():
        if match := _REQUESTED.fullmatch(key):
            members.setdefault(match[1], {})[match[2]] = value
    return [(target.get("Id", ""), target.get("Port", "")) for target in members.values()]


def described(
    registered: Iterable[Description], known: Iterable[Description], wanted: Iterable[Target]
) -> list[Description]:
    """Return descriptions of the registered and the draining targets, or of the requested ones.

    The health checks learn of a change a moment later than the API. Until then a target that was registered
    (again) is `initial`, and one that was deregistered is `draining`, unless its group was not in use.

    Args:
        registered: the backend's description of each registered target; its health means nothing.
        known: descriptions by the health checks, of any target.
        wanted: the targets that the call names; [] means all.
    """
    checked = {_key(description["Target"]): description for description in known}
    current: dict[Target, Description] = {}
    for description in registered:
        target = description["Target"]
        key = _key(target)
        port = description.get("HealthCheckPort") or _TRAFFIC_PORT
        checked_port = target.get("Port") if port == _TRAFFIC_PORT else port
        current[key] = {"Target": target, "HealthCheckPort": checked_port, "TargetHealth": _REGISTERING}
        if key in checked and checked[key]["TargetHealth"]["State"] != "draining":
            current[key] = checked[key]
        checked.pop(key, None)
    current |= {
        key: {**item, "TargetHealth": _DRAINING}
        for key, item in checked.items()
        if item["TargetHealth"]["State"] != "unused"
    }
    chosen: list[Description] = []
    for identity, port in wanted:
        matching = [item for key, item in current.items() if key[0] == identity and port in ("", key[1])]
        target = {"Id": identity, "Port": port} if port else {"Id": identity}
        chosen += matching or [{"Target": target, "HealthCheckPort": port, "TargetHealth": _NOT_REGISTERED}]
    return chosen or list(current.values())


def answer(descriptions: Iterable[Description]) -> Answer:
    """Return descriptions as an answer of the query protocol."""
    return query_answer("DescribeTargetHealth", {"TargetHealthDescriptions": list(descriptions)})


def _key(target: Mapping[str, Any]) -> Target:
    return str(target["Id"]), str(target.get("Port", ""))
