"""The IAM actions that a release of the controller calls and an earlier one did not.

Without one of them its reconciliation ends with AccessDenied: an upgrade needs the policy first.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from testbed.dated_releases import Release

_ELB = "elasticloadbalancing:"


@dataclass(frozen=True, slots=True)
class Actions:
    """Actions that came with one release, and where that is written."""

    names: tuple[str, ...]
    source: str


ADDED: Mapping[str, Actions] = {
    "v2.3.0": Actions(
        ("ec2:CreateSecurityGroup", "ec2:DeleteSecurityGroup"),
        "#2389: for the shared security group, without the condition on a tag of the cluster",
    ),
    "v2.7.0": Actions((f"{_ELB}DescribeTrustStores",), "annotation mutual-authentication: first in v2.7.0"),
    "v2.9.0": Actions(
        (f"{_ELB}DescribeListenerAttributes", f"{_ELB}ModifyListenerAttributes"),
        "terraform-aws-modules/terraform-aws-iam#525, awslabs/cdk-eks-blueprints#1096",
    ),
    "v2.10.0": Actions(
        ("ec2:GetSecurityGroupsForVpc",), "#3921; terraform-aws-modules/terraform-aws-iam#536"
    ),
    "v2.11.0": Actions(
        (f"{_ELB}DescribeCapacityReservation", f"{_ELB}ModifyCapacityReservation"),
        "release notes of v2.11.0; terraform-aws-modules/terraform-aws-iam#539",
    ),
    "v2.12.0": Actions(
        (f"{_ELB}SetRulePriorities", f"{_ELB}ModifyIpPools", "ec2:DescribeIpamPools"),
        "#4039, and annotation ipam-ipv4-pool-id: first in v2.12.0",
    ),
    "v2.13.0": Actions(("ec2:DescribeRouteTables",), "terraform-aws-modules/terraform-aws-iam#573"),
}
"""By the tag of the first release that calls them."""


def added(old: Release, new: Release) -> dict[str, str]:
    """The actions that `new` calls and `old` does not, each with the tag of its first release."""
    return {
        name: tag
        for tag, actions in ADDED.items()
        for name in actions.names
        if new.is_since(tag) and not old.is_since(tag)
    }
