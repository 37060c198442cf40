"""The refusals of ELBv2 for target groups and their targets (pure).

Sources: ELBv2 API reference, CreateTargetGroup, TargetDescription and Matcher. The texts are by analogy.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable, Mapping
from typing import Any

from testbed.aws.answers import Refusal

VERSIONS = ("GRPC", "HTTP1", "HTTP2")

_INSTANCE = re.compile(r"i-[0-9a-f]{8,17}")


def refused_version(parameters: Mapping[str, Any]) -> Refusal | None:
    """Only HTTP and HTTPS groups have a protocol version, one of three."""
    version, protocol = parameters.get("ProtocolVersion"), parameters.get("Protocol", "")
    if version is None:
        return None
    if protocol not in ("HTTP", "HTTPS"):
        return Refusal(
            "ValidationError",
            f"A protocol version cannot be specified for target groups with protocol '{protocol}'",
        )
    if version not in VERSIONS:
        return Refusal(
            "ValidationError", f"Protocol version '{version}' must be one of '{', '.join(VERSIONS)}'"
        )
    return None


def refused_code(parameters: Mapping[str, Any], version: str) -> Refusal | None:
    """A GRPC group is checked by gRPC codes, any other group by HTTP codes."""
    wrong = "HttpCode" if version == "GRPC" else "GrpcCode"
    if wrong not in (parameters.get("Matcher") or {}):
        return None
    return Refusal(
        "ValidationError", f"Matcher '{wrong}' is not supported with protocol version '{version or 'none'}'"
    )


def refused_targets(targets: Iterable[Mapping[str, str]], target_type: str) -> Refusal | None:
    """A group has targets of its type; an address is one of the VPC, RFC 1918 or RFC 6598."""
    for target in targets:
        identity = target.get("Id", "")
        if target_type == "instance" and not _INSTANCE.fullmatch(identity):
            return Refusal("ValidationError", f"Instance ID '{identity}' is not valid")
        if target_type == "ip":
            try:
                address = ipaddress.ip_address(identity)
            except ValueError:
                return Refusal("ValidationError", f"The IP address '{identity}' is not valid")
            if address.is_global:
                where = "in the VPC or in a range of RFC 1918 or RFC 6598"
                return Refusal("ValidationError", f"The IP address '{identity}' is not {where}")
    return None
