"""The answer to DescribeTargetHealth: what is registered, and how the health checks find it (pure).

moto calls every target healthy.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any
from xml.sax.saxutils import escape

from testbed.aws.answers import ELBV2_NAMESPACE, Answer, request_id

Description = Mapping[str, Any]
"""A TargetHealthDescription as boto3 gives it."""
Target = tuple[str, str]
"""Id and port; the port is "" where a call names none."""

_ASKED = re.compile(r"Targets\.member\.(\d+)\.(Id|Port)")
_REGISTERING = {
    "State": "initial",
    "Reason": "Elb.RegistrationInProgress",
    "Description": "Target registration is in progress",
}
_NOT_REGISTERED = {
    "State": "unused",
    "Reason": "Target.NotRegistered",
    "Description": "Target is not registered to the target group",
}


def asked(form: Mapping[str, str]) -> list[Target]:
    """The targets that a call asks for; none means all."""
    found: dict[str, dict[str, str]] = {}
    for key, value in form.items():
        if match := _ASKED.fullmatch(key):
            found.setdefault(match[1], {})[match[2]] = value
    return [(one.get("Id", ""), one.get("Port", "")) for one in found.values()]


def described(
    registered: Iterable[Mapping[str, Any]], known: Iterable[Description], wanted: Iterable[Target]
) -> list[Description]:
    """Descriptions of the registered targets and of those that drain, or of the wanted ones.

    A target that was registered a moment ago is not known to the health checks yet: it is `initial`.

    Args:
        registered: `Target` of each registered target.
        known: what the health checks say, of any target.
        wanted: what the call asks for; none means all.
    """
    checked = {_key(one["Target"]): one for one in known}
    found: dict[Target, Description] = {}
    for target in registered:
        key = _key(target)
        found[key] = checked.pop(key, {"Target": target, "TargetHealth": _REGISTERING})
    found |= {key: one for key, one in checked.items() if one["TargetHealth"]["State"] == "draining"}
    chosen: list[Description] = []
    for identity, port in wanted:
        matching = [one for key, one in found.items() if key[0] == identity and port in ("", key[1])]
        target = {"Id": identity, "Port": port} if port else {"Id": identity}
        chosen += matching or [{"Target": target, "TargetHealth": _NOT_REGISTERED}]
    return chosen or list(found.values())


def answer(descriptions: Iterable[Description]) -> Answer:
    """Descriptions as the query protocol has them."""
    listed = "".join(f"<member>{_xml(one)}</member>" for one in descriptions)
    document = (
        f'<DescribeTargetHealthResponse xmlns="{ELBV2_NAMESPACE}"><DescribeTargetHealthResult>'
        f"<TargetHealthDescriptions>{listed}</TargetHealthDescriptions></DescribeTargetHealthResult>"
        f"<ResponseMetadata><RequestId>{request_id()}</RequestId></ResponseMetadata>"
        "</DescribeTargetHealthResponse>"
    )
    return Answer(200, document.encode())


def _key(target: Mapping[str, Any]) -> Target:
    return str(target["Id"]), str(target.get("Port", ""))


def _xml(value: Any) -> str:
    if isinstance(value, Mapping):
        told = ((key, item) for key, item in value.items() if item not in (None, ""))
        return "".join(f"<{key}>{_xml(item)}</{key}>" for key, item in told)
    return escape(str(value))
