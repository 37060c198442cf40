"""Refuses what would lead a user's own LB controller to another account: a role that it is to assume."""

from __future__ import annotations

from testbed.kubernetes.api_errors import Denied
from testbed.kubernetes.object_fields import Object, spec

KIND, FIELD = "TargetGroupBinding", "iamRoleArnToAssume"
"""Source: AWS Load Balancer Controller, apis/elbv2/v1beta1/targetgroupbinding_types.go."""


def refuse(item: Object, _old: Object | None) -> None:
    """Refuse an object that names a role, as `ObjectStore.webhooks` takes it.

    Raises:
        Denied: it does.
    """
    if item["kind"] == KIND and spec(item).get(FIELD):
        raise Denied(
            f"spec.{FIELD} leads the LB controller to another account, and a run has one: leave it out"
        )
