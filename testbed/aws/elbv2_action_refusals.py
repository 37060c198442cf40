"""The refusals of ELBv2 for the actions of listeners and rules, and for the groups that they name (pure).

Sources: ELBv2 API reference, Action and the errors of CreateListener and CreateRule; ALB guide, "Quotas" and
"Redirect actions". Texts that could not be found in public are by analogy.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from testbed.aws.answers import Refusal

MOST_GROUPS = 5
HEAVIEST = 999

_FINAL = ("forward", "redirect", "fixed-response")
_UNCHANGED = {"Protocol": "#{protocol}", "Port": "#{port}", "Host": "#{host}", "Path": "/#{path}"}
_COMPATIBLE = {
    "HTTP": ("HTTP", "HTTPS"),
    "HTTPS": ("HTTP", "HTTPS"),
    "TCP": ("TCP", "TCP_UDP"),
    "TLS": ("TCP", "TLS"),
    "UDP": ("UDP", "TCP_UDP"),
    "TCP_UDP": ("TCP_UDP",),
}
"""Protocols of a listener → those of its target groups [NLB guide, "Listeners"; ALB guide]."""


@dataclass(frozen=True, slots=True)
class Group:
    """The fields of a target group that the refusals need; `protocol` is "" for lambda functions."""

    arn: str
    protocol: str
    version: str
    target_type: str
    balancers: Sequence[str] = ()


def refused_actions(actions: Sequence[Mapping[str, Any]], protocol: str) -> Refusal | None:
    """A rule ends with one action of those that answer; that of an NLB forwards.

    Args:
        actions: in the shape of boto3, numbers as texts.
        protocol: that of the listener.
    """
    final = [action for action in actions if action.get("Type") in _FINAL]
    if len(final) != 1:
        return Refusal(
            "InvalidLoadBalancerAction",
            "The action list must contain exactly one of 'forward', 'redirect' and 'fixed-response'",
        )
    action = final[0]
    if action["Type"] != "forward" and protocol not in ("HTTP", "HTTPS", ""):
        return Refusal(
            "InvalidLoadBalancerAction",
            f"The action type '{action['Type']}' is not supported for listeners with protocol '{protocol}'",
        )
    if action["Type"] == "redirect":
        return _refused_redirect(action.get("RedirectConfig") or {})
    return _refused_weights((action.get("ForwardConfig") or {}).get("TargetGroups") or ())


def refused_groups(groups: Iterable[Group], protocol: str, balancer: str) -> Refusal | None:
    """A group speaks the listener's kind of protocol, and belongs to one balancer at most."""
    for group in groups:
        allowed = _COMPATIBLE.get(protocol, (group.protocol,))
        if group.target_type == "lambda":
            allowed = ("",) if protocol in ("HTTP", "HTTPS") else ()
        if group.protocol not in allowed:
            return Refusal(
                "IncompatibleProtocols",
                f"Listener protocol '{protocol}' is not supported with a target group with protocol "
                f"'{group.protocol or group.target_type}'",
            )
        if any(other != balancer for other in group.balancers):
            return Refusal(
                "TargetGroupAssociationLimit",
                "The following target groups cannot be associated with more than one load balancer: "
                f"{group.arn}",
            )
    return None


def _refused_redirect(config: Mapping[str, str]) -> Refusal | None:
    if all(config.get(part, same) == same for part, same in _UNCHANGED.items()):
        return Refusal(
            "InvalidLoadBalancerAction",
            "The redirect configuration is not valid because it creates a loop.",
        )
    return None


def _refused_weights(groups: Sequence[Mapping[str, str]]) -> Refusal | None:
    if len(groups) > MOST_GROUPS:
        return Refusal(
            "InvalidLoadBalancerAction", f"A forward action can have up to '{MOST_GROUPS}' target groups"
        )
    for group in groups:
        weight = group.get("Weight", "1")
        if not (weight.isdecimal() and int(weight) <= HEAVIEST):
            return Refusal(
                "ValidationError", f"The weight '{weight}' must be between '0' and '{HEAVIEST}' inclusive"
            )
    return None
