"""CreateLoadBalancer and CreateTargetGroup are idempotent (pure).

The same name with the same settings is the same object; other settings under a name that is taken are refused
[ELBv2 API reference, both actions]. Tags count as settings; the reference does not say whether they do.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

Parameters = Mapping[str, Any]
"""Parameters of a call in the shape of boto3."""

_OF_A_BALANCER = {"Scheme": "internet-facing", "Type": "application", "IpAddressType": "ipv4"}
_OF_A_GROUP = {"TargetType": "instance", "IpAddressType": "ipv4"}


def of_a_balancer(parameters: Parameters) -> dict[str, Any]:
    """Return the settings that a call gives a load balancer, defaults included."""
    given = dict(parameters)
    mapped = [mapping.get("SubnetId", "") for mapping in given.get("SubnetMappings") or ()]
    return {
        **_OF_A_BALANCER,
        **given,
        "Subnets": sorted([*(given.get("Subnets") or ()), *mapped]),
        "SecurityGroups": sorted(given.get("SecurityGroups") or ()),
        "Tags": _tags(given),
    }


def of_a_group(parameters: Parameters) -> dict[str, Any]:
    """Return the settings that a call gives a target group, defaults included."""
    version = {"ProtocolVersion": "HTTP1"} if parameters.get("Protocol") in ("HTTP", "HTTPS") else {}
    return {**_OF_A_GROUP, **version, **parameters, "Tags": _tags(parameters)}


def _tags(parameters: Parameters) -> dict[str, str]:
    return {tag.get("Key", ""): tag.get("Value", "") for tag in parameters.get("Tags") or ()}
