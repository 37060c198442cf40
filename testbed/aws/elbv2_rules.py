"""What ELBv2 refuses and moto takes, and what it answers where moto makes an answer up.

Sources: ELBv2 API reference; the text of the refusal as in aws-load-balancer-controller issue 2214.
"""

from __future__ import annotations

import base64
import contextlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from xml.sax.saxutils import escape

from botocore.exceptions import ClientError

if TYPE_CHECKING:
    from mypy_boto3_elbv2 import ElasticLoadBalancingv2Client

CHECKED = frozenset({"CreateRule", "ModifyRule", "CreateListener", "ModifyListener"})

_REGISTERING = {
    "State": "initial",
    "Reason": "Elb.RegistrationInProgress",
    "Description": "Target registration is in progress",
}


@dataclass(frozen=True, slots=True)
class Refusal:
    """An error code and message of the ELBv2 API."""

    code: str
    message: str


def refusal(form: Mapping[str, str], elbv2: ElasticLoadBalancingv2Client) -> Refusal | None:
    """Why AWS refuses the call, or None: GRPC and HTTP2 target groups stand on HTTPS listeners only."""
    groups = [value for key, value in form.items() if key.endswith("TargetGroupArn")]
    if not groups:
        return None
    with contextlib.suppress(ClientError):  # what does not exist is the backend's to refuse
        if _listener_protocol(form, elbv2) != "HTTP":
            return None
        for group in elbv2.describe_target_groups(TargetGroupArns=groups)["TargetGroups"]:
            version = group.get("ProtocolVersion", "")
            if version in ("GRPC", "HTTP2"):
                return Refusal(
                    "InvalidLoadBalancerAction",
                    "Listener protocol 'HTTP' is not supported with a target group with the "
                    f"protocol-version '{version}'",
                )
    return None


def _listener_protocol(form: Mapping[str, str], elbv2: ElasticLoadBalancingv2Client) -> str:
    if "Protocol" in form:
        return form["Protocol"]
    arn = form.get("ListenerArn") or _listener_of_rule(form.get("RuleArn", ""))
    return elbv2.describe_listeners(ListenerArns=[arn])["Listeners"][0]["Protocol"]


def _listener_of_rule(arn: str) -> str:
    """`…:listener-rule/app/name/lb/listener/rule` belongs to `…:listener/app/name/lb/listener`."""
    return arn.replace(":listener-rule/", ":listener/").rpartition("/")[0]


def described_health(
    group: str, known: Iterable[Mapping[str, Any]], elbv2: ElasticLoadBalancingv2Client
) -> list[Mapping[str, Any]] | None:
    """The health of a group's registered targets as the checks know it, and of those that drain.

    A target that was registered a moment ago is not known to the checks yet. None for an unknown group.
    """
    try:
        registered = elbv2.describe_target_health(TargetGroupArn=group)["TargetHealthDescriptions"]
    except ClientError:
        return None
    checked: dict[tuple[str, int], Mapping[str, Any]] = {_target(one): one for one in known}
    described = [
        checked.pop(_target(one), {"Target": one["Target"], "TargetHealth": _REGISTERING})
        for one in registered
    ]
    return described + [one for one in checked.values() if one["TargetHealth"]["State"] == "draining"]


def _target(description: Mapping[str, Any]) -> tuple[str, int]:
    return description["Target"]["Id"], int(description["Target"]["Port"])


def target_health_xml(descriptions: Iterable[Mapping[str, Any]]) -> bytes:
    """The answer to DescribeTargetHealth from descriptions in boto3's form."""
    members = "".join(f"<member>{_xml(one)}</member>" for one in descriptions)
    return (
        '<DescribeTargetHealthResponse xmlns="http://elasticloadbalancing.amazonaws.com/doc/2015-12-01/">'
        f"<DescribeTargetHealthResult><TargetHealthDescriptions>{members}</TargetHealthDescriptions>"
        "</DescribeTargetHealthResult><ResponseMetadata><RequestId>testbed</RequestId></ResponseMetadata>"
        "</DescribeTargetHealthResponse>"
    ).encode()


def imported(asked: Mapping[str, Any]) -> tuple[bytes, bytes]:
    """Chain and key of an ImportCertificate request, PEM."""
    chain = base64.b64decode(asked["Certificate"]) + base64.b64decode(asked.get("CertificateChain") or "")
    return chain, base64.b64decode(asked["PrivateKey"])


def _xml(value: Any) -> str:
    if isinstance(value, Mapping):
        return "".join(f"<{key}>{_xml(item)}</{key}>" for key, item in value.items())
    return escape(str(value))
