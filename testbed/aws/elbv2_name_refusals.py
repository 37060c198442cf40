"""The refusals of ELBv2 for names, and for the subnets of a new balancer (pure).

Sources: ELBv2 API reference, CreateLoadBalancer and CreateTargetGroup; texts as the console and the CLI show
them, those of names by analogy to moto's of target groups.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from testbed.aws.answers import Refusal

LONGEST_NAME = 32

_ALLOWED = re.compile(r"[A-Za-z0-9-]+")


def refused_balancer(parameters: Mapping[str, Any]) -> Refusal | None:
    """A name has up to 32 letters, digits and hyphens, none at its ends; an ALB has two subnets or more."""
    name = parameters["Name"]
    if message := _problem("Load balancer", name):
        return Refusal("ValidationError", message)
    if name.startswith("internal-"):
        return Refusal("ValidationError", f"Load balancer name '{name}' cannot begin with 'internal-'")
    subnets = {*(parameters.get("Subnets") or ())}
    subnets |= {mapping.get("SubnetId") for mapping in parameters.get("SubnetMappings") or ()}
    if len(subnets) == 1 and parameters.get("Type", "application") == "application":
        return Refusal(
            "ValidationError", "At least two subnets in two different Availability Zones must be specified"
        )
    return None


def refused_group(parameters: Mapping[str, Any]) -> Refusal | None:
    """A target group's name has up to 32 letters, digits and hyphens, none at its ends."""
    message = _problem("Target group", parameters["Name"])
    return Refusal("ValidationError", message) if message else None


def _problem(what: str, name: str) -> str:
    if len(name) > LONGEST_NAME:
        return f"{what} name '{name}' cannot be longer than '{LONGEST_NAME}' characters"
    if not _ALLOWED.fullmatch(name):
        allowed = "characters that are alphanumeric characters or hyphens(-)"
        return f"{what} name '{name}' can only contain {allowed}"
    if name.startswith("-") or name.endswith("-"):
        return f"{what} name '{name}' cannot begin or end with '-'"
    return ""
